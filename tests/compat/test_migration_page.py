"""What the page for users of 1.x tells to type is typed, on an application of 1.14.1."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.environments import Environment, MakeEnvironment
from tests.projects import ROOT

PAGE = (ROOT / "docs" / "migration.md").read_text(encoding="utf-8")

#: Who is known by this id is logged in from beginning to end.
KNOWN = "0123456789abcdef" * 2

CONFIGURATION = """[app:main]
session.type = file
session.data_dir = {place}/data
session.timeout = 3600
session.secret = 4f1d9c0b7a52e86318df0a94c6b2e75d
"""

SESSION = f"""
import sys
from beaker.session import Session
mode = {{"mode": sys.argv[2]}} if sys.argv[2:] else {{}}
session = Session({{}}, id="{KNOWN}", use_cookies=False, type="file", timeout=3600,
                  data_dir=sys.argv[1] + "/data", secret="4f1d9c0b7a52e8", **mode)
session["visits"] = session.get("visits", 0) + 1
session.save()
print(session["visits"])
"""


def commands() -> list[str]:
    """Return all commands of the page, in its order."""
    blocks = re.findall(r"^```console\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return [
        line.removeprefix("$ ")
        for block in blocks
        for line in block.splitlines()
        if line.startswith("$ ")
    ]


def typed(here: Environment, command: str, place: Path) -> None:
    """Type a command where ``pip`` and ``python`` are those of an environment."""
    if command.startswith("pip "):
        here.shell(command)
        return
    python = re.sub(r"^python3?\b", here.python, command)
    done = subprocess.run(  # noqa: S602 - our own page
        python, shell=True, cwd=place, capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def test_each_command_of_the_page_works_and_the_session_stays(
    registry: MakeEnvironment, tmp_path: Path
) -> None:
    here = registry("Beaker==1.14.1")
    (setting,) = re.findall(r"^```ini\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    file = tmp_path / "shop.ini"
    file.write_text(CONFIGURATION.format(place=tmp_path))
    assert here.run("-c", SESSION, str(tmp_path)) == "1"
    *forward, back = commands()

    assert len(forward) == 6
    for command in forward:
        typed(here, command, tmp_path)
    assert here.run("-c", SESSION, str(tmp_path)) == "2"
    file.write_text(file.read_text() + setting)
    assert here.run("-c", SESSION, str(tmp_path), "compat") == "3"
    typed(here, back, tmp_path)
    assert here.run("-c", SESSION, str(tmp_path)) == "4"
