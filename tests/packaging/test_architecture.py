"""Who may import whom, read from the sources."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.projects import ROOT

CORE = ROOT / "packages" / "beaker-core" / "src"
PLUGINS = sorted(
    package
    for package in ROOT.glob("packages/*/src/*")
    if package.is_dir() and package.name != "beaker"
)

#: From the street inwards. A module may import from lines below its own, directly or
#: through modules that are not named here.
LAYERS = [
    ["beaker.__main__"],
    ["beaker.commands.doctor", "beaker.commands.purge"],
    ["beaker.middleware"],
    ["beaker.session", "beaker.cache"],
    ["beaker.container"],
    ["beaker.stores", "beaker._caching.regeneration"],
    ["beaker._locks.leases", "beaker._locks.filelock", "beaker.synchronization"],
    ["beaker.protocols"],
    ["beaker.records"],
    ["beaker.serializers", "beaker.options"],
    ["beaker.exceptions"],
]

#: All of the core that a plugin may know.
CONTRACT = {
    "beaker.protocols",
    "beaker.container",
    "beaker.synchronization",
    "beaker.exceptions",
    "beaker.hookspecs",
}


def name_of(file: Path, source: Path) -> str:
    parts = file.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(file: Path) -> Iterator[str]:
    """Yield each module, or name in a module, that a file imports at run time."""
    for node in ast.walk(at_run_time(ast.parse(file.read_text(encoding="utf-8")))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_run_time(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    return tree


def core_imports() -> dict[str, set[str]]:
    """Return the modules of the core, and which of them each imports."""
    files = {name_of(file, CORE): file for file in CORE.glob("beaker/**/*.py")}
    return {
        name: {found for one in imported(file) if (found := module_in(one, files))}
        for name, file in files.items()
    }


def module_in(name: str, modules: dict[str, Path]) -> str | None:
    if name in modules:
        return name
    outer = name.rpartition(".")[0]
    return outer if outer in modules else None


def reachable(start: str, graph: dict[str, set[str]]) -> set[str]:
    found, waiting = set[str](), [start]
    while waiting:
        new = graph[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def test_no_module_of_the_core_imports_itself_through_others() -> None:
    graph = {name: set(others) for name, others in core_imports().items()}

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_no_arrow_points_back_up() -> None:
    graph = core_imports()

    upwards = [
        f"{lower} -> {upper}"
        for depth, layer in enumerate(LAYERS)
        for upper in layer
        for below in LAYERS[depth + 1 :]
        for lower in below
        if lower in graph and upper in reachable(lower, graph)
    ]
    assert upwards == []


def test_each_named_layer_is_a_module() -> None:
    graph = core_imports()

    assert [name for layer in LAYERS for name in layer if name not in graph] == []


def test_the_backends_know_nothing_of_what_is_above_the_contract() -> None:
    graph = core_imports()
    above = {name for layer in LAYERS[:6] for name in layer}

    known = {
        f"{name} -> {other}"
        for name in graph
        if name.startswith("beaker.backends.")
        for other in reachable(name, graph) & above
    }
    assert known == set()


def test_only_the_forwarding_modules_of_the_core_import_a_plugin() -> None:
    plugins = {package.name for package in PLUGINS}

    importers = {
        name_of(file, CORE)
        for file in CORE.glob("beaker/**/*.py")
        for one in imported(file)
        if one.partition(".")[0] in plugins
    }
    assert {name for name in importers if not name.startswith("beaker.ext.")} == set()


@pytest.mark.parametrize("package", PLUGINS, ids=lambda package: package.name)
def test_a_plugin_imports_only_the_contract(package: Path) -> None:
    beyond = {
        f"{file.name}: {one}"
        for file in package.rglob("*.py")
        for one in imported(file)
        if one.partition(".")[0] == "beaker"
        and one not in CONTRACT
        and one.rpartition(".")[0] not in CONTRACT
    }

    assert beyond == set()


def test_a_forwarding_module_is_short() -> None:
    long = [
        file.name
        for file in (CORE / "beaker" / "ext").glob("*.py")
        if len(file.read_text(encoding="utf-8").splitlines()) > 30
    ]

    assert long == []
