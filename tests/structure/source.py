"""The package as text: every module's name, file and syntax tree.

The modules are those of the source tree, found through the folder map of ``pyproject.toml``, or,
when the environment names an installed copy in ``PLAIT_SITE``, those of that copy.
"""

from __future__ import annotations

import ast
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SITE = os.environ.get("PLAIT_SITE")


@dataclass(frozen=True)
class Module:
    """One source file and the name it is imported by."""

    name: str
    path: Path

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def tree(self) -> ast.Module:
        return _parse(self.path)


@cache
def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@cache
def pyproject() -> dict[str, Any]:
    """``pyproject.toml`` as nested dictionaries."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def folder_map() -> dict[str, Path]:
    """The folder of each package that does not lie in its parent's."""
    if SITE:
        return {"plait": ROOT / SITE / "plait"}
    mapped = pyproject()["tool"]["setuptools"]["package-dir"]
    return {package: ROOT / folder for package, folder in mapped.items()}


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the package, in order of its name."""
    found = (
        Module(_name(package, path.relative_to(folder)), path)
        for package, folder in folder_map().items()
        for path in folder.rglob("*.py")
    )
    return tuple(sorted(found, key=lambda module: module.name))


def packages() -> dict[str, Path]:
    """The folder of every package, by the package's name."""
    return {module.name: module.path.parent for module in modules() if module.is_package}


def _name(package: str, path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join((package, *(parts[:-1] if parts[-1] == "__init__" else parts)))


def functions(
    tree: ast.AST, prefix: str = ""
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function and method below ``tree`` with its qualified name."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + node.name, node
            yield from functions(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.ClassDef):
            yield from functions(node, f"{prefix}{node.name}.")
        else:
            yield from functions(node, prefix)
