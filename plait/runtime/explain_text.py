"""How an explanation shows: a plain table for terminals, another for notebooks."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from plait.ir.location import Location
from plait.runtime.records import TraceRecord

if TYPE_CHECKING:
    from plait.runtime.explain import Explanation

HEADER = ("#", "why", "line", "trace", "passes", "lower", "compile", "nodes")
UNTIMED = ("#", "why", "line", "nodes")
TITLES = {
    "breaks": "graph breaks: Python runs between compiled segments",
    "unseen": "not looked into: a change of what these calls read goes unnoticed",
    "side_effects": "done once, when the function was captured, and not at later calls",
    "unrolled": "long loops, written down trip by trip",
    "fixes": "tried, and works",
}
#: How long a reason may be in a row of the table.
WIDTH = 88
#: Lines below the table.
LINE, INDENT = 110, "      "


def as_text(explanation: Explanation, times: bool = True) -> str:
    """The explanation for a terminal."""
    lines = [_title(explanation, times)]
    if explanation.traces:
        header = HEADER if times else UNTIMED
        lines += _table([header, *_rows(explanation.traces, times)])
    for group, title in TITLES.items():
        records = getattr(explanation, group)
        if records:
            lines += ["", title]
            for record in records:
                start = f"  {place(record.location)}  "
                text = _line(group, record)
                lines += _wrapped(text, start)
    return "\n".join(lines)


def as_html(explanation: Explanation) -> str:
    """The explanation for a notebook."""
    parts = [f"<p><b>{escape(_title(explanation))}</b></p>"]
    if explanation.traces:
        parts.append(html_table(HEADER, _rows(explanation.traces), numbers=3))
    for group, title in TITLES.items():
        records = getattr(explanation, group)
        if records:
            rows = [(place(r.location), _line(group, r)) for r in records]
            parts.append(html_table(("line", title), rows, numbers=2))
    return "".join(parts)


def _title(explanation: Explanation, times: bool = True) -> str:
    count = len(explanation.traces)
    none = "no whole graph" if explanation.breaks else "not captured yet"
    captures = {0: none, 1: "captured once"}.get(count, f"captured {count} times")
    milliseconds = "; times in milliseconds" if count and times else ""
    return f"{explanation.function} ({place(explanation.location)}): {captures}{milliseconds}"


def _rows(traces: Sequence[TraceRecord], times: bool = True) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for record in traces:
        taken = record.trace_ms, record.passes_ms, record.lower_ms, record.compile_ms
        shown = [*(map(_milliseconds, taken) if times else ()), str(record.nodes)]
        changes: list[tuple[str, Location]] = [
            (f"{change}{f' ({change.note})' if change.note else ''}", change.location)
            for change in record.changes
        ]
        first, *more = changes or [("first call", record.location)]
        rows.append((str(record.number), first[0], place(first[1]), *shown))
        rows += [("", why, place(line), *[""] * len(shown)) for why, line in more]
    return rows


def _line(group: str, record: Any) -> str:
    if group == "unseen":
        return str(record.function)
    if group == "side_effects":
        return str(record.what)
    return str(record)


def _wrapped(text: str, start: str) -> list[str]:
    return textwrap.wrap(
        text,
        LINE,
        initial_indent=start,
        subsequent_indent=INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def place(location: Location) -> str:
    """``file.py:12``; nothing where it is not known."""
    return f"{location.file}:{location.line}" if location.line else ""


def _milliseconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows in columns; a reason that is too long for its column goes on in the next line."""
    rows = [part for row in rows for part in _folded(row)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if i in (1, 2) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _folded(row: Sequence[str]) -> list[Sequence[str]]:
    first, *more = textwrap.wrap(row[1], WIDTH, subsequent_indent="  ") or [""]
    empty = [""] * (len(row) - 2)
    return [(row[0], first, *row[2:]), *[("", line, *empty) for line in more]]


def html_table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: int) -> str:
    """A table whose columns from ``numbers`` on are aligned to the right."""

    def line(kind: str, cells: Sequence[str]) -> str:
        sides = ["right" if i >= numbers else "left" for i in range(len(cells))]
        styled = [
            f'<{kind} style="text-align:{side}">{escape(cell)}</{kind}>'
            for side, cell in zip(sides, cells, strict=True)
        ]
        return f"<tr>{''.join(styled)}</tr>"

    return f"<table>{line('th', header)}{''.join(line('td', row) for row in rows)}</table>"


__all__ = ["as_html", "as_text", "html_table", "place"]
