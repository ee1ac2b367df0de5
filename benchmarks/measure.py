"""Alternating rounds of two functions, and the table of their ratios."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    what, against : str
    ours, theirs : float
        Median seconds of one call.
    ratio : float
        Median over the rounds of ours / theirs.
    goal : float
        The ratio to stay below.
    """

    what: str
    against: str
    ours: float
    theirs: float
    ratio: float
    goal: float


def compare(
    what: str,
    against: str,
    goal: float,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    rounds: int = 41,
    seconds: float = 0.01,
) -> Row:
    """Time two functions in alternating rounds of at least ``seconds`` each."""
    count = max(repeats(ours, seconds), repeats(theirs, seconds))
    pairs = []
    gc.collect()
    gc.disable()
    try:
        for i in range(rounds):
            first, second = (ours, theirs) if i % 2 else (theirs, ours)
            a, b = timed(first, count), timed(second, count)
            pairs.append((a, b) if i % 2 else (b, a))
    finally:
        gc.enable()
    return Row(
        what,
        against,
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
        goal,
    )


def repeats(function: Callable[[], object], seconds: float) -> int:
    """How many calls fill a round."""
    function()
    once = min(timed(function, 1) for _ in range(3))
    return max(1, int(seconds / max(once, 1e-7)))


def timed(function: Callable[[], object], count: int) -> float:
    """Seconds of one call, from ``count`` of them."""
    start = time.perf_counter()
    for _ in range(count):
        function()
    return (time.perf_counter() - start) / count


def as_table(rows: list[Row]) -> str:
    """A Markdown table."""
    lines = [
        "| what | Plait | against | peer | ratio | at most |",
        "|---|---:|---|---:|---:|---:|",
    ]
    for row in rows:
        mark = "" if row.ratio <= row.goal else " **missed**"
        lines.append(
            f"| {row.what} | {shown(row.ours)} | {row.against} | {shown(row.theirs)} "
            f"| {row.ratio:.2f}{mark} | {row.goal:.2f} |"
        )
    return "\n".join(lines)


def shown(seconds: float) -> str:
    """A time with its unit."""
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * scale >= 1:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"
