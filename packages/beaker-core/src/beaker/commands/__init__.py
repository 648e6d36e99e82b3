"""The commands: looks at a program's configuration, and purges its sessions."""

from __future__ import annotations

import logging
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence

from beaker.exceptions import BeakerException

__all__ = ["main"]

_STATUS = "Ends with 0 if all is well, 1 after warnings, 2 after errors."


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments of a command line say, and return the exit status.

    Args:
        arguments: Without the program's name; None: those of this process.
    """
    given = _parser().parse_args(arguments)
    # What is logged is among what is printed.
    logging.getLogger("beaker").addHandler(logging.NullHandler())
    try:
        return int(given.command(given))
    except BeakerException as e:
        print(f"beaker: {e}", file=sys.stderr)  # noqa: T201  # for who runs it
        return 2


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m beaker", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command, helps in (
        ("doctor", _doctor, "look at the configuration of a program, and say"),
        ("purge", _purge, "remove the sessions that nobody has used for long"),
    ):
        sub = commands.add_parser(
            name,
            help=helps,
            epilog=_STATUS,
            formatter_class=RawDescriptionHelpFormatter,
        )
        sub.set_defaults(command=command)
        sub.add_argument("config", metavar="CONFIG", help="an INI or TOML file")
        sub.add_argument(
            "--section", help="only this section (default: all that configure Beaker)"
        )
        if name == "doctor":
            sub.add_argument("--json", action="store_true", help="for programs")
        else:
            _add_purge_arguments(sub)
    return parser


def _add_purge_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--unused-for",
        metavar="AGE",
        help="such as 90m, 12h or 30d (default: the timeout in CONFIG)",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="count them, and remove none"
    )


def _doctor(given: Namespace) -> int:
    from beaker.commands.doctor import doctor

    return doctor(given.config, section=given.section, as_json=given.json)


def _purge(given: Namespace) -> int:
    from beaker.commands.purge import purge

    return purge(
        given.config,
        section=given.section,
        unused_for=given.unused_for,
        dry_run=given.dry_run,
    )
