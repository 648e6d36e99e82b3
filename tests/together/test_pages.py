"""The pages of the stores: one shape, every option, and programs that run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from beaker.cache import clsmap
from beaker.configuration import SESSION_OPTIONS
from beaker.plugins import backend_named
from beaker.protocols import StoreOptions
from tests.together.conftest import BUILT_IN, ours
from tests.together.pages import ROOT, built_in, headings, options, programs, readme

#: The stores that each wheel brings.
WHEELS: dict[str, list[str]] = {}
for entry in sorted(ours()):
    WHEELS.setdefault(entry.dist.name if entry.dist else "", []).append(entry.name)

#: What a page tells, in this order; more may stand between and after.
SHAPE = ["Install", "Use", "Options", "What it can and cannot do", "When ", "Require"]


@pytest.mark.parametrize("wheel", [*WHEELS, "beaker-crypto"])
def test_each_page_has_the_same_shape(wheel: str) -> None:
    found = iter(headings(readme(wheel)))

    missing = [want for want in SHAPE if not any(one.startswith(want) for one in found)]

    assert missing == []


def declared(stores: Iterable[str]) -> set[str]:
    return {name for one in stores for name in backend_named(one, clsmap).options}


@pytest.mark.parametrize("wheel", WHEELS)
def test_a_page_documents_the_options_of_its_stores_and_no_others(wheel: str) -> None:
    told, known = set(options(readme(wheel))), declared(WHEELS[wheel])

    assert known - told == set()
    assert told - known - set(StoreOptions.common) == {"url"}


@pytest.mark.parametrize("store", BUILT_IN)
def test_a_section_documents_the_options_of_its_store_and_no_others(store: str) -> None:
    told, known = set(options(built_in(store))), declared([store])

    assert known - told == set()
    assert told - known - set(StoreOptions.common) == set()


def test_the_page_of_the_ciphers_documents_options_of_sessions() -> None:
    told = set(options(readme("beaker-crypto")))

    assert told >= {"encrypt_key", "validate_key", "crypto_type"}
    assert told <= set(SESSION_OPTIONS)


@pytest.mark.parametrize("wheel", [*WHEELS, "beaker-crypto"])
def test_each_option_has_a_type_and_a_meaning(wheel: str) -> None:
    told = options(readme(wheel))

    assert [name for name, (_, _, meaning) in told.items() if not meaning] == []
    assert [name for name, (kind, _, _) in told.items() if not kind] == []


@pytest.mark.parametrize("wheel", WHEELS)
def test_the_deadline_that_a_page_tells_is_the_default(wheel: str) -> None:
    _, default, _ = options(readme(wheel))["store_timeout"]

    assert float(default) == StoreOptions().deadline


def test_what_the_pages_say_of_abilities_is_what_the_classes_say() -> None:
    script = ROOT / "docs" / "abilities.py"

    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(script)], capture_output=True, check=False, text=True
    )

    # What a library warns of is no news here.
    told = f"{done.stderr}\nrun: python docs/abilities.py --write"
    assert (done.returncode, done.stdout) == (0, ""), told


@pytest.mark.parametrize("wheel", WHEELS)
def test_each_store_is_in_the_table_of_abilities(wheel: str) -> None:
    page = (ROOT / "docs" / "stores.md").read_text(encoding="utf-8")

    assert [name for name in WHEELS[wheel] if f"\n| `{name}` | " not in page] == []


@pytest.mark.parametrize("store", BUILT_IN)
def test_the_program_of_a_built_in_store_runs(store: str, tmp_path: Path) -> None:
    (program,) = programs(built_in(store))

    exec(program.replace("/var/cache/shop", str(tmp_path)), {})  # noqa: S102 - our own page


def test_the_program_of_the_ciphers_runs() -> None:
    (program,) = programs(readme("beaker-crypto"))

    exec(program, {})  # noqa: S102 - our own page


@pytest.mark.parametrize(
    ("wheel", "url", "fixture"),
    [
        pytest.param(
            "beaker-redis",
            "redis://localhost:6379/0",
            "redis_url",
            marks=pytest.mark.redis,
        ),
        pytest.param(
            "beaker-memcached",
            "127.0.0.1:11211",
            "memcached_url",
            marks=pytest.mark.memcached,
        ),
        pytest.param(
            "beaker-mongodb",
            "mongodb://localhost:27017/beaker",
            "mongodb_url",
            marks=pytest.mark.mongodb,
        ),
        pytest.param(
            "beaker-google",
            "datastore://my-project",
            "google_url",
            marks=pytest.mark.google,
        ),
        pytest.param(
            "beaker-sqla",
            "postgresql+psycopg://shop:password@localhost/shop",
            "postgres_url",
            marks=pytest.mark.sqla,
        ),
    ],
)
def test_the_program_of_a_store_on_a_server_runs(
    wheel: str, url: str, fixture: str, request: pytest.FixtureRequest
) -> None:
    program = programs(readme(wheel))[0]
    assert f'"{url}"' in program
    here = program.replace(url, request.getfixturevalue(fixture))
    # The machine of a test may be busy.
    patient = here.replace("expire=60", "expire=60, store_timeout=5")
    names: dict[str, Any] = {}

    exec(patient, names)  # noqa: S102 - our own page

    assert names["price"]("pt") == 10
