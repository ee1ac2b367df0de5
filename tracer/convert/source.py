"""Finds the syntax tree of a function: of its block of lines where possible, else of its file."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any

from plait.tracer.convert.nodes import children

#: How often a block of lines is extended until it can be parsed.
_ATTEMPTS = 8
#: How many lines above a lambda its statement may begin, to be found without the whole file.
_ABOVE = 6
_WRAPPER = "if 1:\n"


@dataclass(frozen=True, slots=True)
class Source:
    """The definition of a function.

    Attributes
    ----------
    node : ast.FunctionDef, ast.AsyncFunctionDef or ast.Lambda
    offset : int
        What to add to the node's line numbers to get those of the file.
    text : str
    """

    node: Any
    offset: int
    text: str


def find_sources(code: CodeType, module: dict[str, Any]) -> Iterator[Source]:
    """The definitions that a code object may be of, the likeliest first."""
    lines = linecache.getlines(code.co_filename, module)
    if not 0 < code.co_firstlineno <= len(lines):
        return
    if code.co_name == "<lambda>":
        yield from _lambdas(code, lines)
    else:
        yield from _block(code, lines)
    yield from _in_file(code, lines)


def _parse(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


# Functions.


def _block(code: CodeType, lines: list[str]) -> Iterator[Source]:
    start = code.co_firstlineno - 1
    first = lines[start]
    indent = len(first) - len(first.lstrip())
    end = _last_line(code)
    for _ in range(_ATTEMPTS):
        end = _block_end(lines, end, indent)
        text = "".join(lines[start:end])
        tree = _parse(_WRAPPER + text if indent else text)
        if tree is not None:
            statements = tree.body[0].body if indent else tree.body  # type: ignore[attr-defined]
            node = statements[0]
            if getattr(node, "name", None) == code.co_name:
                yield Source(node, start - bool(indent), text)
            return
        end += 1
        if end > len(lines):
            return


def _block_end(lines: list[str], end: int, indent: int) -> int:
    """The first line from ``end`` on that is not indented more than ``indent``."""
    while end < len(lines):
        line = lines[end]
        stripped = line.lstrip()
        if stripped and len(line) - len(stripped) <= indent:
            break
        end += 1
    return end


def _last_line(code: CodeType) -> int:
    """The last line that a code object knows of."""
    last = code.co_firstlineno
    for _, end, _, _ in code.co_positions():
        if end is not None and end > last:
            last = end
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            last = max(last, _last_line(inner))
    return last


# Lambdas.


def _lambdas(code: CodeType, lines: list[str]) -> Iterator[Source]:
    line = code.co_firstlineno
    end = _last_line(code)
    for start in range(line - 1, max(line - 1 - _ABOVE, -1), -1):
        for last in (end, end + 1):
            text = "".join(lines[start:last])
            indented = text[:1].isspace()
            tree = _parse(_WRAPPER + text if indented else text)
            if tree is not None:
                offset = start - indented
                for node in _matching_lambdas(tree, code, offset):
                    yield Source(node, offset, text)
                return


def _matching_lambdas(tree: ast.AST, code: CodeType, offset: int) -> list[ast.Lambda]:
    """The lambdas that a code object may be of, the smallest that holds its positions first."""
    found: list[ast.Lambda] = []
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Lambda) and node.lineno + offset == code.co_firstlineno:
            found.append(node)
        pending += children(node)
    if len(found) > 1:
        places = [
            ((line, column), (last, end))
            for line, last, column, end in code.co_positions()
            if line and last and end and column is not None
        ]
        found = [node for node in found if _holds(node, places, offset)]
    return sorted(found, key=lambda node: _span(node, 0), reverse=True)


def _span(node: ast.Lambda, offset: int) -> tuple[tuple[int, int], tuple[int, int]]:
    body: Any = node.body
    return (
        (body.lineno + offset, body.col_offset),
        (body.end_lineno + offset, body.end_col_offset),
    )


def _holds(node: ast.Lambda, places: list[Any], offset: int) -> bool:
    first, last = _span(node, offset)
    return all(first <= start and end <= last for start, end in places)


# Files.

_trees: dict[str, tuple[list[str], ast.Module | None]] = {}


def _in_file(code: CodeType, lines: list[str]) -> Iterator[Source]:
    known = _trees.get(code.co_filename)
    if known is None or known[0] != lines:
        known = _trees[code.co_filename] = (list(lines), _parse("".join(lines)))
    tree = known[1]
    if tree is None:
        return
    text = "".join(lines)
    if code.co_name == "<lambda>":
        for found in _matching_lambdas(tree, code, 0):
            yield Source(found, 0, text)
        return
    pending: list[ast.AST] = [tree]
    while pending:
        node: Any = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == code.co_name:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if first == code.co_firstlineno:
                yield Source(node, 0, text)
        pending += children(node)
