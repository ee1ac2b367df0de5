"""Imports point down, enter a package by its front door, and keep heavy libraries out.

A front door is a package's ``__init__``, or a module that the package itself exports by name.
Read from the text of the modules, function bodies and ``TYPE_CHECKING`` blocks included.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.structure.source import Module, modules, packages, pyproject

# What a layer may import from the others. A name that is longer than another wins.
SHARED = {"plait.ir"}
COMPILER = SHARED | {"plait.tracer", "plait.passes", "plait.backends"}
EVERYTHING = COMPILER | {"plait", "plait.runtime"}
LAYERS: dict[str, set[str]] = {
    "plait.ir": set(),
    "plait.tracer": SHARED,
    "plait.passes": SHARED,
    "plait.backends": SHARED,
    "plait.runtime": COMPILER,
    "plait": EVERYTHING,  # the front door and what people use: cli, inspect, nn, data, ...
}

# Libraries that only some layers may import, and those that no module imports when it is loaded.
ONLY_IN = {
    "jax": ("plait.backends.jax",),
    "jaxlib": ("plait.backends.jax",),
    "click": ("plait.cli",),
    "rich": ("plait.cli", "plait.inspect"),
}
LAZY = {"jax", "networkx", "scipy", "safetensors", "rich", "IPython"}
MAY_LOAD = {"jax": "plait.backends.jax", "rich": "plait.cli"}
OPTIONAL = {"IPython"}


@dataclass(frozen=True)
class Import:
    """One imported name: ``from module import name``, or ``import module`` with no name."""

    line: int
    module: str
    name: str | None
    at_load: bool


def imports(module: Module) -> list[Import]:
    """Every import of ``module``."""
    return list(_imports(module.tree, at_load=True))


def _imports(tree: ast.AST, *, at_load: bool) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name, None, at_load) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            yield from (Import(node.lineno, source, a.name, at_load) for a in node.names)
        else:
            deferred = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(
                node, at_load=at_load and not deferred and not _only_for_types(node)
            )


def _only_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def layer(name: str) -> str:
    """The layer that a module belongs to."""
    return max((known for known in LAYERS if is_within(name, known)), key=len)


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def target(found: Import) -> str:
    """The module that an import reads: for ``from plait import ir`` it is ``plait.ir``."""
    inner = f"{found.module}.{found.name}"
    return inner if inner in MODULES else found.module


def exported(package: str) -> set[str]:
    """The names that a package offers: its ``__all__``, and what it imports ``as`` itself."""
    names: set[str] = set()
    for node in MODULES[package].tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names |= set(ast.literal_eval(node.value))
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.name for alias in node.names if alias.asname == alias.name}
    return names


def violations(module: Module, found: Import) -> Iterator[str]:
    """The rules that an import breaks."""
    if found.module.startswith("."):
        yield "is relative"
    elif is_within(found.module, "plait"):
        yield from _inner_violations(module, found)
    else:
        yield from _outer_violations(module, found)


def _inner_violations(module: Module, found: Import) -> Iterator[str]:
    own, other = layer(module.name), layer(target(found))
    if target(found) not in MODULES:
        yield "names no module of the package"
    elif own != other and other not in LAYERS[own]:
        yield f"points up or sideways: {own} may import {sorted(LAYERS[own]) or 'no other layer'}"
    elif own != other and not _is_front_door(found):
        yield "does not enter by the front door"


def _is_front_door(found: Import) -> bool:
    inner = target(found)
    package, _, name = inner.rpartition(".")
    return inner in packages() or layer(inner) == "plait" or name in exported(package)


def _outer_violations(module: Module, found: Import) -> Iterator[str]:
    library = found.module.partition(".")[0]
    if library in sys.stdlib_module_names:
        return
    if library not in DEPENDENCIES | OPTIONAL:
        yield f"{library} is not among the dependencies"
    allowed = ONLY_IN.get(library, ("plait",))
    if not any(is_within(module.name, package) for package in allowed):
        yield f"{library} may be imported in {', '.join(allowed)} only"
    elif found.at_load and library in LAZY and not _may_load(module, library):
        yield f"{library} is to be imported where it is used, in a function"


def _may_load(module: Module, library: str) -> bool:
    return library in MAY_LOAD and is_within(module.name, MAY_LOAD[library])


MODULES = {module.name: module for module in modules()}
DEPENDENCIES = {
    requirement.partition(">")[0].partition("[")[0]
    for requirement in pyproject()["project"]["dependencies"]
}


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_imports_keep_to_the_layers(module: Module) -> None:
    broken = [
        f"{module.path.name}:{found.line}: {target(found)}: {reason}"
        for found in imports(module)
        for reason in violations(module, found)
    ]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(
    ("module", "source", "reason"),
    [
        ("plait.ir", "from plait.passes import Pass", "up or sideways"),
        ("plait.passes", "import plait.tracer", "up or sideways"),
        ("plait.tracer", "def f():\n    import plait.runtime", "up or sideways"),
        ("plait.runtime", "from plait import add", "up or sideways"),
        ("plait.passes", "from plait.ir.graph import Graph", "front door"),
        ("plait.passes", "from .rules import RULES", "relative"),
        ("plait.ir", "def f():\n    import jax", "may be imported in"),
        ("plait.ir", "from networkx import DiGraph", "in a function"),
        ("plait.ir", "import torch", "not among the dependencies"),
        ("plait.backends.jax", "import jax.numpy", None),
        ("plait.ir", "def f():\n    import networkx", None),
        ("plait.passes", "from plait.ir import Graph", None),
        ("plait", "from plait.ir import Graph", None),
        ("plait.tracer", "from plait.ir.errors import PlaitError", None),
    ],
)
def test_the_rules_see_what_they_forbid(module: str, source: str, reason: str | None) -> None:
    found = list(_imports(ast.parse(source), at_load=True))
    reasons = [text for one in found for text in violations(MODULES[module], one)]
    assert len(reasons) == (reason is not None)
    assert reason is None or reason in reasons[0]
