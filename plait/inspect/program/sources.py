"""The source text of helpers: as in ``helpers.py``, without its annotations."""

from __future__ import annotations

import ast
import copy
import inspect
from functools import cache

from plait.inspect.program import helpers

#: Imports of ``helpers.py`` that programs need when a helper of theirs uses them.
MODULES = ("math",)


@cache
def _definitions() -> tuple[dict[str, ast.stmt], list[str]]:
    text = inspect.getsource(helpers)
    found: dict[str, ast.stmt] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign):
            for target in ast.walk(node.targets[0]):
                if isinstance(target, ast.Name):
                    found[target.id] = node
    return found, text.splitlines()


def needed(names: list[str]) -> tuple[list[str], list[str]]:
    """Texts of helpers and of all that they use, in the order of the file; modules to import."""
    known, lines = _definitions()
    pending, wanted = list(names), set(names)
    modules: set[str] = set()
    while pending:
        used = {n.id for n in ast.walk(known[pending.pop()]) if isinstance(n, ast.Name)}
        modules |= used & set(MODULES)
        more = (used & known.keys()) - wanted
        wanted |= more
        pending += more
    chosen = list(dict.fromkeys(node for name, node in known.items() if name in wanted))
    return [_text(node, lines) for node in chosen], sorted(modules)


def _text(node: ast.stmt, lines: list[str]) -> str:
    """A definition as it stands; the head of a function without annotations."""
    if not isinstance(node, ast.FunctionDef):
        return "\n".join(lines[node.lineno - 1 : node.end_lineno])
    body = lines[node.body[0].lineno - 1 : node.end_lineno]
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef) and inner is not node:
            at = inner.lineno - node.body[0].lineno
            body[at] = " " * inner.col_offset + _head(inner)
    return "\n".join([_head(node), *body])


def _head(node: ast.FunctionDef) -> str:
    """``def name(a, b=1):``."""
    arguments = copy.deepcopy(node.args)
    for argument in ast.walk(arguments):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    return f"def {node.name}({ast.unparse(arguments)}):"
