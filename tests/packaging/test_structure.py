"""How the package is built: no circle, no name for two things, private parts of other libraries in one place each."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PACKAGE = CHECKOUT / "llmtui"
TWO_THINGS = {
    "main": "the entry point of each program: the command, the engine, the simulator, the built-in server's child",
}
"""Public names that are defined in more than one module, and why."""
PRIVATE_PARTS = {
    "tui/_textual_hacks.py": "each with its reason, in the file",
    "tui/text/plot_canvas.py": "plotext 5 has no public name for a figure of one's own: docs/plotext.md",
}
UNDERSCORED = {"_exit"}
"""``os._exit`` is documented."""


@pytest.fixture(scope="module")
def modules() -> dict[str, ast.Module]:
    """Every module of the package by its dotted name."""
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(CHECKOUT).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = ast.parse(file.read_text("utf-8"))
    return found


def imported(module: ast.Module, modules: Mapping[str, ast.Module]) -> Iterator[str]:
    """Return the package's modules that a module imports, also where it does so late."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.module in modules:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules else node.module


def test_no_modules_import_each_other_in_a_circle(modules: dict[str, ast.Module]) -> None:
    graph = {name: set(imported(module, modules)) - {name} for name, module in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_a_public_name_means_one_thing(modules: dict[str, ast.Module]) -> None:
    places = defaultdict(set)
    for name, module in modules.items():
        for node in module.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
                places[node.name].add(name)
    twice = {name: sorted(where) for name, where in places.items() if len(where) > 1}
    assert {name: where for name, where in twice.items() if name not in TWO_THINGS} == {}
    assert set(TWO_THINGS) <= set(twice), "an exception that is no longer needed"


def own_names(module: ast.AST) -> Iterator[str]:
    """Yield the names that a module defines."""
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def foreign_private_parts(module: ast.Module, own: set[str]) -> Iterator[str]:
    """Return the private parts of other libraries that a module uses."""
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module and not node.module.startswith("llmtui"):
            yield from filter(is_private, (*node.module.split("."), *(alias.name for alias in node.names)))
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if any(map(is_private, alias.name.split("."))))
        elif isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own | UNDERSCORED:
            yield node.attr


def test_private_parts_of_other_libraries_are_used_in_their_place_only(modules: dict[str, ast.Module]) -> None:
    own = {name for module in modules.values() for name in own_names(module)}
    used = {name: set(foreign_private_parts(module, own)) for name, module in modules.items()}
    places = {name.removeprefix("llmtui.").replace(".", "/") + ".py" for name, parts in used.items() if parts}
    assert places == set(PRIVATE_PARTS)
