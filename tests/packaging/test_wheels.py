from __future__ import annotations

import zipfile
from collections import Counter
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from tests.packaging.conftest import Python
from tests.projects import PACKAGES

NAMES = [package.name for package in PACKAGES]
WITH_CODE = [name for name in NAMES if name != "beaker"]


def members(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def test_no_file_is_in_two_wheels(wheels: dict[str, Path]) -> None:
    counted = Counter(name for wheel in wheels.values() for name in members(wheel))

    assert [name for name, times in counted.items() if times > 1] == []


@pytest.mark.parametrize("name", WITH_CODE)
def test_a_wheel_holds_one_package_and_its_licence(
    wheels: dict[str, Path], name: str
) -> None:
    files = members(wheels[name])
    code = {file.partition("/")[0] for file in files if ".dist-info/" not in file}

    assert code == {"beaker" if name == "beaker-core" else name.replace("-", "_")}
    assert f"{code.pop()}/py.typed" in files
    assert any(file.endswith("licenses/LICENSE") for file in files)


def test_the_wheel_beaker_holds_no_package(wheels: dict[str, Path]) -> None:
    files = members(wheels["beaker"])

    assert [name for name in files if ".dist-info/" not in name] == ["beaker.py"]
    assert any(name.endswith("licenses/LICENSE") for name in files)


def test_the_wheel_beaker_brings_all_others_by_its_extras(
    wheels: dict[str, Path],
) -> None:
    told = metadata(wheels["beaker"])
    needed = told.get_all("Requires-Dist", [])

    stores = [name.removeprefix("beaker-") for name in WITH_CODE]
    stores.remove("core")
    for store in stores:
        wheel = f"beaker-{store}<3,>=2; extra == "
        assert {f"{wheel}'{store}'", f"{wheel}'all'"} <= set(needed)


@pytest.mark.parametrize("name", NAMES)
def test_a_wheel_says_what_it_needs(wheels: dict[str, Path], name: str) -> None:
    told = metadata(wheels[name])
    needed = [one for one in told.get_all("Requires-Dist", []) if "extra ==" not in one]

    assert told["Version"].startswith("2.")
    assert told["Requires-Python"] == ">=3.11"
    assert told["License-Expression"] == "BSD-3-Clause"
    if name == "beaker-core":
        assert needed == ["pluggy>=1.5"]
    else:
        assert "beaker-core<3,>=2" in needed


def test_the_core_works_where_nothing_else_is_installed(core_alone: Python) -> None:
    said = core_alone(
        "from beaker.cache import CacheManager\n"
        "cache = CacheManager(type='memory').get_cache('numbers')\n"
        "print(cache.get('one', createfunc=lambda: 1))"
    )

    assert said == "1"


def test_a_store_whose_wheel_is_missing_is_named_with_the_command(
    core_alone: Python,
) -> None:
    said = core_alone(
        "from beaker.cache import Cache\n"
        "try: Cache('n', type='ext:redis', url='redis://localhost')\n"
        "except ImportError as e: print(e)"
    )

    assert said == (
        "ext:redis ships separately since Beaker 2.0; "
        "install it with: pip install 'beaker-redis>=2'"
    )


def test_an_old_import_path_is_answered_with_the_command(core_alone: Python) -> None:
    said = core_alone(
        "try: import beaker.ext.redisnm\nexcept ImportError as e: print(e)"
    )

    assert said == (
        "beaker.ext.redisnm ships separately since Beaker 2.0; "
        "install it with: pip install 'beaker-redis>=2'"
    )


def test_a_misspelt_store_is_answered_with_the_likely_one(core_alone: Python) -> None:
    said = core_alone(
        "from beaker.cache import Cache\n"
        "try: Cache('n', type='memroy')\n"
        "except TypeError as e: print(e)"
    )

    assert said.startswith("no backend named 'memroy'; did you mean 'memory'?")
