"""The source map: the functions in the user's files that a graph comes from, as text."""

from __future__ import annotations

import ast
import linecache
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from plait.deploy.documents import Document
from plait.ir import UNKNOWN, Graph, display_name, nested_graphs

#: Most bytes of source that a file keeps; what is beyond is left out.
MOST = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """Some lines of a file.

    Attributes
    ----------
    file : str
        As locations name it.
    line : int
        The first one.
    text : str
    """

    file: str
    line: int
    text: str


def sources_of(graph: Graph, known: Iterable[Source] = ()) -> tuple[Source, ...]:
    """The functions that the nodes of a graph come from, in order.

    Parameters
    ----------
    graph : Graph
    known : iterable of Source
        What is known already, of functions that were loaded.
    """
    lines: dict[str, set[int]] = {}
    for one in nested_graphs(graph):
        for node in one.nodes:
            if node.location != UNKNOWN:
                lines.setdefault(node.location.file, set()).add(node.location.line)
    found: list[Source] = []
    for source in known:
        covered = {source.line + i for i in range(source.text.count("\n") + 1)}
        if lines.get(source.file, set()) & covered:
            found.append(source)
            lines[source.file] -= covered
    names = _files({file for file, wanted in lines.items() if wanted})
    for file, name in names.items():
        found += [Source(file, *part) for part in _functions(linecache.getlines(name), lines[file])]
    return _within(sorted(found, key=lambda s: (s.file, s.line)))


def _within(found: list[Source]) -> tuple[Source, ...]:
    kept: list[Source] = []
    size = 0
    for source in found:
        size += len(source.text)
        if size <= MOST:
            kept.append(source)
    return tuple(kept)


def _files(shown: set[str]) -> dict[str, str]:
    """The files that locations name: those of loaded modules and of what was read from them."""
    bases = {os.path.basename(file) for file in shown}
    has_cells = any(file.startswith("In [") for file in shown)  # whose files are called otherwise
    found: dict[str, str] = {}
    for name in _loaded():
        is_cell = has_cells and name in linecache.cache
        if is_cell or os.path.basename(name) in bases or name.startswith("<"):
            file = display_name(name)
            if file in shown:
                found.setdefault(file, name)
    return found


def _loaded() -> Iterator[str]:
    for module in [*sys.modules.values()]:
        file = getattr(module, "__file__", None)
        if isinstance(file, str):
            yield file
    yield from [*linecache.cache]


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _functions(lines: list[str], wanted: set[int]) -> list[tuple[int, str]]:
    """The innermost functions that hold the lines, and lines outside of any as they are."""
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError, RecursionError):
        return [(n, lines[n - 1].rstrip("\n")) for n in sorted(wanted) if n <= len(lines)]
    spans = [_span(node) for node in ast.walk(tree) if isinstance(node, _DEFINITIONS)]
    chosen = set()
    for line in wanted:
        around = [span for span in spans if span[0] <= line <= span[1]]
        chosen.add(max(around) if around else (line, line))
    outer = [a for a in chosen if not any(a != b and b[0] <= a[0] <= a[1] <= b[1] for b in chosen)]
    return [
        (a, "".join(lines[a - 1 : b]).rstrip("\n")) for a, b in sorted(outer) if a <= len(lines)
    ]


def _span(node: Any) -> tuple[int, int]:
    first = min([node.lineno, *[decorator.lineno for decorator in node.decorator_list]])
    return first, node.end_lineno or node.lineno


def write_sources(sources: Iterable[Source]) -> list[list[Any]]:
    """The JSON form."""
    return [[source.file, source.line, source.text] for source in sources]


def read_sources(found: Document) -> tuple[Source, ...]:
    """The sources of a JSON form.

    Raises
    ------
    SavedFileError
        It is none.
    """
    made = []
    for item in found.items:
        parts = item.items
        if len(parts) != 3:
            item.fail("a file, a line and a text")
        made.append(Source(parts[0].text, parts[1].number, parts[2].text))
    return tuple(made)


__all__ = ["Source", "read_sources", "sources_of", "write_sources"]
