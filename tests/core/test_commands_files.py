"""Beaker's options as they are found in the configuration files of programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from beaker.commands.files import Section, sections_in
from beaker.exceptions import ConfigurationFileError


def sections(tmp_path: Path, text: str, name: str = "shop.ini") -> list[Section]:
    file = tmp_path / name
    file.write_text(text)
    return sections_in(str(file))


def test_a_section_is_found_by_the_prefixes_of_its_options(tmp_path: Path) -> None:
    found = sections(
        tmp_path,
        "[server:main]\nport = 80\n[app:main]\nuse = egg:shop\n"
        "beaker.session.type = file\nsession.timeout = 60\ncache.regions = short\n"
        "beaker.cache.short.expire = 5\n",
    )

    assert found == [
        Section(
            "app:main",
            {"type": "file", "timeout": "60"},
            {"regions": "short", "short.expire": "5"},
        )
    ]


@pytest.mark.parametrize(
    "use",
    ["use = egg:Beaker#beaker_session", "use=egg:beaker-core#beaker_session"],
)
def test_all_options_of_a_session_filter_are_the_sessions(
    tmp_path: Path, use: str
) -> None:
    text = f"[DEFAULT]\ndebug = 1\n[filter:s]\n{use}\nnext = x\ntype = file\n"

    assert sections(tmp_path, text) == [Section("filter:s", {"type": "file"}, {})]


def test_an_underscore_of_1x_is_read_as_the_dot(tmp_path: Path) -> None:
    text = "[app:main]\nsession.type = file\nsession_secret = s\n"

    with pytest.warns(DeprecationWarning, match="'session_secret'"):
        (found,) = sections(tmp_path, text)

    assert found.session == {"type": "file", "secret": "s"}


def test_what_all_sections_inherit_makes_none_of_them_ours(tmp_path: Path) -> None:
    text = "[DEFAULT]\nsession.type = file\n[server:main]\nport = 80\n"

    assert [s.name for s in sections(tmp_path, text)] == ["DEFAULT"]


def test_the_directory_of_the_file_is_filled_in(tmp_path: Path) -> None:
    (found,) = sections(tmp_path, "[a]\nsession.data_dir = %(here)s/data\n")

    assert found.session == {"data_dir": f"{tmp_path}/data"}


def test_a_percent_sign_in_a_password_is_one(tmp_path: Path) -> None:
    (found,) = sections(tmp_path, "[a]\nsession.url = redis://:50%@host/0\n")

    assert found.session == {"url": "redis://:50%@host/0"}


def test_toml_has_tables_and_dotted_names(tmp_path: Path) -> None:
    found = sections(
        tmp_path,
        '[session]\ntype = "file"\n[cache]\nregions = ["short"]\n'
        '[cache.short]\nexpire = 5\n[shop]\n"session.type" = "dbm"\n'
        '[other.beaker.session]\ntype = "memory"\n[tool.x]\ny = 1\n',
        "shop.toml",
    )

    assert found == [
        Section(
            "the file", {"type": "file"}, {"regions": ["short"], "short.expire": 5}
        ),
        Section("shop", {"type": "dbm"}, {}),
        Section("other", {"type": "memory"}, {}),
    ]


def test_one_section_can_be_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "shop.ini"
    file.write_text("[a]\nsession.type = file\n[b]\nsession.type = dbm\n")

    assert [s.name for s in sections_in(str(file), "b")] == ["b"]
    with pytest.raises(ConfigurationFileError, match="these do: a, b"):
        sections_in(str(file), "c")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("shop.ini", "session.type = file\n"),
        ("shop.toml", "[session\n"),
        ("shop.ini", "[app:main]\nport = 80\n"),
    ],
)
def test_a_file_that_is_none_is_refused_by_name(
    tmp_path: Path, name: str, text: str
) -> None:
    with pytest.raises(ConfigurationFileError, match=name):
        sections(tmp_path, text, name)


def test_a_file_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationFileError, match=r"nowhere\.ini: .*No such file"):
        sections_in("nowhere.ini")
