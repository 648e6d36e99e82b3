"""Google's emulator of Datastore for tests, where the machine has it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from beaker.testing._servers import Recipe, Server

__all__ = ["DatastoreEmulator", "datastore_emulator"]

_JAR = Path("platform", "cloud-datastore-emulator", "CloudDatastore.jar")
#: Where packages of systems install the SDK.
_SHARED = (Path("/usr/lib"), Path("/usr/share"), Path("/opt"))
_MAIN = "com.google.cloud.datastore.emulator.CloudDatastore"


class DatastoreEmulator(Server):
    """An emulator that keeps its entities in memory and has no index but its own.

    With the argument ``--store_on_disk=True`` they are there after `stop` and `start`.

    Where there is no Java or no jar, the test is skipped, under ``CI=true`` too: no
    package registry has it.

    Args:
        directory: For its log; made if it is missing.
        more: Further arguments.
    """

    def __init__(self, directory: Path, *more: str) -> None:
        recipe = Recipe(
            program="java",
            arguments=(
                *("-Xmx512m", "-cp", str(_jar()), _MAIN, "start"),
                *("--host=127.0.0.1", "--port={port}", "--store_on_disk=False"),
                # As Google runs it today, and so that nobody has to deploy an index.
                *("--firestore_in_datastore_mode", "--require_indexes"),
            ),
            ready="Dev App Server is now running",
            url="datastore://beaker-test?endpoint=http://127.0.0.1:{port}",
            install="apt-get install default-jre-headless",
            # Two seconds of a processor, which on a busy machine are many.
            patience=90.0,
        )
        # The directory of its data has to be last.
        super().__init__(recipe, directory, *more, "{directory}/data")


@contextmanager
def datastore_emulator(directory: Path) -> Iterator[str]:
    """Yield the URL of an emulator: one that the environment names, or ours.

    ``BEAKER_TEST_GOOGLE_URL`` names one; ``BEAKER_TEST_GOOGLE_JAR`` names the jar
    that ours is started from, where it is not at a usual place.

    Args:
        directory: For the emulator's log; made if it is missing.
    """
    given = os.environ.get("BEAKER_TEST_GOOGLE_URL")
    if given:
        yield given
        return
    with DatastoreEmulator(directory) as ours:
        yield ours.url


def _jar() -> Path:
    if shutil.which("java") is None:
        pytest.skip("java is not installed here, which Datastore's emulator runs on")
    places = [*_named(), *(place / _JAR for place in _sdks())]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        pytest.skip(
            "Datastore's emulator is not installed here; try: gcloud components "
            "install cloud-datastore-emulator, or apt-get install "
            "google-cloud-cli-datastore-emulator"
        )
    return found


def _named() -> list[Path]:
    named = os.environ.get("BEAKER_TEST_GOOGLE_JAR")
    return [Path(named)] if named else []


def _sdks() -> list[Path]:
    """Return where Google's SDK may be."""
    root, gcloud = os.environ.get("CLOUDSDK_ROOT_DIR"), shutil.which("gcloud")
    return [
        *([Path(root)] if root else []),
        *([Path(gcloud).resolve().parent.parent] if gcloud else []),
        *(place / "google-cloud-sdk" for place in (Path.home(), *_SHARED)),
    ]
