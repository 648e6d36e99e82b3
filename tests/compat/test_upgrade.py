"""Beaker 1.x and 2.x in one environment, as pip really leaves it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import beaker._installation
from tests.environments import Environment, MakeEnvironment
from tests.projects import ROOT

FORMER = "Beaker==1.14.1"

HEALTHY = """
import warnings
warnings.simplefilter("error")
import beaker.middleware, beaker.protocols
print(beaker.__version__)
"""


def told(message: str) -> str:
    """Return the command that a message names."""
    return re.split(r"with: ", message)[-1]


def owners(environment: Environment) -> list[str]:
    """Return which distributions have files in the package beaker."""
    return [
        record.parent.name
        for record in environment.site.glob("*.dist-info/RECORD")
        if re.search(r"^beaker/", record.read_text(), re.MULTILINE)
    ]


def test_who_requires_beaker_gets_the_core_once(registry: MakeEnvironment) -> None:
    here = registry("Beaker>=2", "pyramid_beaker")

    assert owners(here) == ["beaker_core-2.0.0.dist-info"]
    assert here.run("-c", HEALTHY) == "2.0.0"
    here.run("-c", "import pyramid_beaker")


def test_the_upgrade_of_the_readme_works(registry: MakeEnvironment) -> None:
    here = registry(FORMER)
    readme = (ROOT / "packages" / "beaker" / "README.md").read_text()
    (command,) = re.findall(r"^\$ (pip uninstall .*)$", readme, re.MULTILINE)

    here.shell(command)

    assert here.run("-c", HEALTHY) == "2.0.0"
    assert owners(here) == ["beaker_core-2.0.0.dist-info"]


def test_pips_own_upgrade_breaks_loudly_and_says_how_to_mend_it(
    registry: MakeEnvironment,
) -> None:
    here = registry(FORMER)
    here.pip("install", "--upgrade", "Beaker>=2")

    said = here.fails("-c", "from beaker.middleware import SessionMiddleware")

    assert said.startswith("ImportError: the files of beaker-core are missing")
    here.shell(told(said))
    assert here.run("-c", HEALTHY) == "2.0.0"


def test_the_core_over_1x_works_and_warns_of_what_removing_1x_would_do(
    registry: MakeEnvironment,
) -> None:
    here = registry(FORMER)
    here.pip("install", "beaker-core>=2")

    done = here.ended("-c", "import beaker.middleware")

    assert done.returncode == 0
    said = next(line for line in done.stderr.splitlines() if "Warning: " in line)
    assert "Beaker 1.14.1 is installed in the same place as beaker-core" in said
    here.shell(told(said))
    assert here.run("-c", HEALTHY) == "2.0.0"


def test_1x_over_the_core_is_noticed_by_all_that_is_new_in_2(
    registry: MakeEnvironment,
) -> None:
    here = registry("beaker-core>=2", "beaker-redis>=2")
    here.pip("install", "Beaker<2")

    said = here.fails("-c", "import beaker_redis")

    assert said.startswith("ImportError: Beaker 1.14.1 is installed over beaker-core")
    assert here.fails("-m", "beaker", "doctor", "shop.ini") == said
    here.shell(told(said))
    assert here.run("-c", HEALTHY) == "2.0.0"
    here.run("-c", "import beaker_redis")


def test_a_configuration_for_paste_names_the_distribution_as_before(
    registry: MakeEnvironment,
) -> None:
    here = registry("Beaker>=2", "PasteDeploy")
    file = here.home / "shop.ini"
    file.write_text(
        "[filter:main]\nuse = egg:Beaker#beaker_session\nsession.type = memory\n"
    )
    code = "import paste.deploy, sys; print(paste.deploy.loadfilter(sys.argv[1])(0))"

    said = here.run("-c", code, f"config:{file}")

    assert "SessionMiddleware" in said


@pytest.mark.parametrize(
    "name", ["Beaker-1.12.1-py3.11.egg-info", "beaker-1.14.1.dist-info"]
)
def test_each_way_to_install_1x_is_recognised(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / "beaker_core-2.0.0.dist-info").mkdir()
    (tmp_path / "Beaker-2.0.0.dist-info").mkdir()

    found = beaker._installation.former_beside(str(tmp_path))

    assert found == f"Beaker {name[7:13]}"
