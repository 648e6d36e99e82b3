"""The emulator that tests start, and what they do where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from beaker.testing import DatastoreEmulator, datastore_emulator
from beaker.testing import _google as finding


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let there be Java, and no SDK at any usual place, under CI."""
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(java.parent))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CI", "true")
    for name in ("CLOUDSDK_ROOT_DIR", "BEAKER_TEST_GOOGLE_JAR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("BEAKER_TEST_GOOGLE_URL", raising=False)
    monkeypatch.setattr(finding, "_SHARED", ())
    return tmp_path


def test_where_there_is_no_jar_its_tests_skip_under_ci_too(nowhere: Path) -> None:
    with pytest.raises(pytest.skip.Exception, match="gcloud components install"):
        DatastoreEmulator(nowhere)


def test_where_there_is_no_java_they_skip_too(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(nowhere))

    with pytest.raises(pytest.skip.Exception, match="java is not installed"):
        DatastoreEmulator(nowhere)


@pytest.mark.parametrize(
    ("variable", "value", "jar"),
    [
        ("BEAKER_TEST_GOOGLE_JAR", "{here}/mine.jar", "mine.jar"),
        ("CLOUDSDK_ROOT_DIR", "{here}/sdk", f"sdk/{finding._JAR}"),
        ("PATH", "{here}/sdk/bin:{here}/bin", f"sdk/{finding._JAR}"),
        ("HOME", "{here}", f"google-cloud-sdk/{finding._JAR}"),
    ],
)
def test_the_jar_is_found_where_the_environment_says(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, jar: str
) -> None:
    gcloud = nowhere / "sdk" / "bin" / "gcloud"
    for made in (gcloud, nowhere / jar):
        made.parent.mkdir(parents=True, exist_ok=True)
        made.touch(mode=0o755)
    monkeypatch.setenv(variable, value.format(here=nowhere))

    emulator = DatastoreEmulator(nowhere)

    assert str(nowhere / jar) in emulator.recipe.arguments


def test_the_environment_may_name_an_emulator(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEAKER_TEST_GOOGLE_URL", "datastore://elsewhere")

    with datastore_emulator(nowhere / "unused") as url:
        assert url == "datastore://elsewhere"

    assert not (nowhere / "unused").exists()
