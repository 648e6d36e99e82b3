"""Stores tell which sessions they hold, and what keeps them, for the doctor."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from beaker.cache import clsmap
from beaker.session import Session
from beaker.stores import StoreOpener


@pytest.mark.parametrize("type", ["file", "dbm", "sqlite"])
def test_the_ids_of_all_sessions_on_disk_are_told(type: str, tmp_path: Path) -> None:
    options = {"type": type, "data_dir": str(tmp_path)}
    issued = set()
    for _ in range(5):
        session = Session({}, use_cookies=False, **options)  # type: ignore[arg-type]  # by name
        session["n"] = 1
        session.save()
        issued.add(session.id)

    manager = StoreOpener(clsmap[type], options, "session").open("x").manager

    assert issued == set(manager.session_ids())


@pytest.mark.parametrize("type", ["file", "dbm", "sqlite"])
def test_a_place_without_sessions_tells_none(type: str, tmp_path: Path) -> None:
    options = {"data_dir": str(tmp_path / "nowhere")}

    manager = StoreOpener(clsmap[type], options, "session").open("x").manager

    assert list(manager.session_ids()) == []


def test_sqlite_tells_its_version(tmp_path: Path) -> None:
    manager = StoreOpener(clsmap["sqlite"], {"data_dir": str(tmp_path)}, "cache")

    assert manager.open("x").manager.version() == f"SQLite {sqlite3.sqlite_version}"
