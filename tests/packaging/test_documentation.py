from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import beaker.testing
from beaker import exceptions
from beaker.configuration import CACHE_OPTIONS, SESSION_OPTIONS
from tests.projects import ROOT

PAGES = sorted(ROOT.glob("docs/*.md"))


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", sorted({**SESSION_OPTIONS, **CACHE_OPTIONS}))
def test_each_option_is_in_the_reference(name: str) -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")

    assert re.search(
        rf"^`.*\b{name}\b.*\n?|`{name}` is its older name", page, re.MULTILINE
    )


def test_each_error_is_in_the_reference() -> None:
    errors = [name for name, value in vars(exceptions).items() if type(value) is type]

    assert sorted(exceptions.__all__) == sorted(errors)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_python_in_the_documentation_is_python(page: Path) -> None:
    for block in blocks(page, "python"):
        compile(block, page.name, "exec")


def test_the_examples_of_the_readme_run(tmp_path: Path) -> None:
    queries: list[str] = []

    def expensive_query(country: str) -> str:
        queries.append(country)
        return country

    names: dict[str, Any] = {"expensive_query": expensive_query}

    for block in blocks(ROOT / "README.md", "python"):
        here = block.replace("/var/cache/shop", str(tmp_path))
        exec(here, names)  # noqa: S102 - our own page

    assert [names["prices"]("pt"), names["prices"]("pt")] == ["pt", "pt"]
    assert queries == ["pt"]
    assert visit(names["application"]) == [b"visit 1"]


def visit(application: Any) -> list[bytes]:
    return list(application({"REQUEST_METHOD": "GET"}, lambda *_: None))


def test_the_commands_of_the_readme_are_those_that_are_checked() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    checked = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    commands = re.findall(r"^\$ (.* -m nox.*)$", readme, re.MULTILINE)

    assert len(commands) == 3
    assert commands[1] in checked.splitlines()


def test_each_promise_about_staleness_names_tests_that_there_are() -> None:
    page = (ROOT / "docs" / "staleness.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w./]+)::(\w+)`", page)

    assert [
        f"{place}::{name}" for place, name in named if not is_test(place, name)
    ] == []
    assert len(named) > 30
    assert page.count("\n: `") >= len(re.findall(r"^\*\*", page, re.MULTILINE))


def test_each_promise_about_security_names_tests_that_there_are() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w./]+)::(\w+)`", page)

    assert [
        f"{place}::{name}" for place, name in named if not is_test(place, name)
    ] == []
    assert len(named) > 30
    promised = page[: page.index("## What is not promised")]
    assert promised.count("\n: `") == len(re.findall(r"^\*\*", promised, re.MULTILINE))


def is_test(place: str, name: str) -> bool:
    """Return whether a file, of the core if no other, or a suite has such a test."""
    if place.endswith("Suite"):
        return hasattr(getattr(beaker.testing, place), name)
    file = place if "/" in place else f"core/{place}"
    source = (ROOT / "tests" / file).read_text(encoding="utf-8")
    return bool(re.search(rf"^(?:class|def) {name}\b", source, re.MULTILINE))
