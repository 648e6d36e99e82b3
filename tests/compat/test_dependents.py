"""What was published on top of Beaker 1.x runs unchanged: its own tests, and programs."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.compat import applications
from tests.environments import Environment, MakeEnvironment

VISITS = [
    *[("/login/ann", "a"), ("/login/bob", "b"), ("/add/tea", "a"), ("/add/rum", "b")],
    *[("/add/jam", "a"), ("/square/3", "a"), ("/square/3", "b"), ("/square/4", "a")],
    *[("/logout", "a"), ("/look", "a"), ("/look", "b")],
]
TOLD = [
    *["ann []", "bob []", "ann ['tea']", "bob ['rum']"],
    *["ann ['tea', 'jam']", "9 made 1", "9 made 1", "16 made 2"],
    *["None None", "None None", "bob ['rum']"],
]

SECRET = "4f1d9c0b7a52e86318df0a94c6b2e75d"


@pytest.fixture(scope="module")
def registry_applications(registry: MakeEnvironment) -> Environment:
    """All the frameworks, with 2.x under the name that they require."""
    return registry(
        *("Beaker>=2", "bottle", "flask", "pyramid_beaker==0.9", "setuptools<80"),
        *("TurboGears2==2.5.1", "waitress", "webtest"),
    )


@pytest.mark.parametrize("through", ["webtest", "waitress"])
@pytest.mark.parametrize(
    "framework", ["wsgi", "pyramid", "turbogears", "flask", "bottle"]
)
def test_an_application_works(
    registry_applications: Environment, tmp_path: Path, framework: str, through: str
) -> None:
    options: dict[str, Any] = {
        "session.type": "file",
        "session.data_dir": str(tmp_path),
        "session.secret": SECRET,
        "cache.type": "file",
        "cache.data_dir": str(tmp_path),
        "cache.regions": "short",
        "cache.short.expire": "60",
    }
    asked = {"framework": framework, "options": options, "through": through}

    said = registry_applications.run(
        *("-W", "error::RuntimeWarning", applications.__file__),
        input=json.dumps({**asked, "visits": VISITS, "cookies": {}}),
    )

    assert json.loads(said)["told"] == TOLD


#: Who, what else it needs, which of its tests, and how many pass on 1.14.1.
DEPENDENTS = {
    "pyramid_beaker==0.9": ([], ["pyramid_beaker/tests.py"], 36),
    "Mako==1.4.3": (["dogpile.cache"], ["test/test_cache.py"], 67),
    "TurboGears2==2.5.1": (
        ["webtest"],
        [
            *("-c", "/dev/null", "--rootdir", ".", "tests/test_caching.py"),
            # It asks for the languages of a visitor, which the missing module sets up.
            *("--deselect", "tests/test_caching.py::TestSessionTouch::test_prova"),
        ],
        21,
    ),
}


@pytest.mark.parametrize("dependent", DEPENDENTS)
def test_the_tests_of_a_dependent_pass(
    registry: MakeEnvironment, tmp_path: Path, dependent: str
) -> None:
    more, chosen, passing = DEPENDENTS[dependent]
    here = registry("Beaker>=2", "pytest", "setuptools<80", dependent, *more)
    sources = unpacked(here, dependent, tmp_path)

    done = here.ended(
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen),
        cwd=str(sources),
    )

    counted = {
        what: int(number)
        for number, what in re.findall(r"(\d+) (passed|failed|errors?)", done.stdout)
    }
    assert counted == {"passed": passing}, done.stdout


def unpacked(here: Environment, dependent: str, place: Path) -> Path:
    """Return the directory of a distribution's sources, its tests among them."""
    name = dependent.partition("=")[0]
    here.pip("download", "--no-deps", "--no-binary", name, "-d", str(place), dependent)
    (archive,) = place.glob("*.tar.gz")
    with tarfile.open(archive) as sources:
        sources.extractall(place, filter="data")
    directory = archive.with_name(archive.name.removesuffix(".tar.gz"))
    if name == "TurboGears2":
        missing = Path(__file__).with_name("base_of_turbogears.py")
        shutil.copy(missing, directory / "tests" / "base.py")
        (directory / "tests" / "__init__.py").touch()
    return directory
