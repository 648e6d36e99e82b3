"""Purging from the command line."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from beaker.commands import main
from beaker.commands.purge import seconds_of
from beaker.exceptions import InvalidOptionError
from beaker.session import Session


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A file that configures sessions in files, of which one is three days old."""
    data = tmp_path / "data"
    for age in (0, 3 * 86400):
        session = Session({}, use_cookies=False, type="file", data_dir=str(data))
        session["n"] = 1
        session.save()
        (path,) = data.rglob(f"{session.id}.cache")
        os.utime(path, (time.time() - age,) * 2)
    file = tmp_path / "shop.ini"
    file.write_text(f"[app:main]\nsession.type = file\nsession.data_dir = {data}\n")
    return str(file)


def left(config: str) -> int:
    return len(list(Path(config).with_name("data").rglob("*.cache")))


def test_sessions_older_than_an_age_are_removed(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["purge", config, "--unused-for", "2d"]) == 0

    assert capsys.readouterr().out == "[app:main] 2 sessions, 1 removed\n"
    assert left(config) == 1


def test_a_dry_run_only_counts(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["purge", config, "--unused-for", "2d", "--dry-run"]) == 0

    assert capsys.readouterr().out == "[app:main] 2 sessions, 1 would be removed\n"
    assert left(config) == 2


def test_the_timeout_in_the_file_is_the_age(config: str) -> None:
    with Path(config).open("a") as file:
        file.write("session.timeout = 86400\n")

    assert main(["purge", config]) == 0

    assert left(config) == 1


def test_what_the_doctor_tells_is_not_told_at_each_purge(
    config: str, recwarn: pytest.WarningsRecorder
) -> None:
    with Path(config).open("a") as file:
        file.write("session.timeout = 86400\nsession.htponly = true\n")

    assert main(["purge", config]) == 0

    assert not recwarn.list


def test_without_any_age_nothing_is_removed(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["purge", config]) == 2

    assert "option 'timeout' takes a number of seconds" in capsys.readouterr().err
    assert left(config) == 2


def test_a_damaged_session_is_no_hindrance(config: str) -> None:
    for path in Path(config).with_name("data").rglob("*.cache"):
        times = path.stat().st_atime, path.stat().st_mtime
        path.write_bytes(b"junk")
        os.utime(path, times)

    assert main(["purge", config, "--unused-for", "2d"]) == 0

    assert left(config) == 1


def test_a_store_that_cannot_be_purged_is_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "shop.toml"
    file.write_text('[session]\ntype = "cookie"\nvalidate_key = "k"\ntimeout = 60\n')

    assert main(["purge", str(file)]) == 1

    assert "passed over" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("age", "seconds"), [("90", 90), ("2m", 120), ("1.5h", 5400), ("1w", 604800)]
)
def test_an_age_has_a_unit(age: str, seconds: float) -> None:
    assert seconds_of(age) == seconds


@pytest.mark.parametrize("age", ["", "soon", "-1d", "infd", "d"])
def test_what_is_no_age_is_refused(age: str) -> None:
    with pytest.raises(InvalidOptionError, match="such as 30d"):
        seconds_of(age)
