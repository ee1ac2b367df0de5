"""Memory and time of compiled gradients by choice of residuals.

Prints a table: ``python -m benchmarks.residuals``.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import plait as pl
from benchmarks.gradients import lstm, squared_mean
from benchmarks.programs import mlp, normal, transformer

POLICIES = ("min-cut", "save-all", "recompute-all")
CALLS = 15
HEADER = (
    "| gradient of | residuals | kept | run again | forward temporaries | backward temporaries "
    "| ms |\n|---|---|---:|---:|---:|---:|---:|"
)


def programs() -> Iterator[tuple[str, Callable[..., Any], list[Any]]]:
    """Losses with their arguments."""
    for name, make in (("MLP", mlp), ("transformer, 12 layers", transformer)):
        body, arrays = make(pl, pl.sigmoid, pl.softmax)
        yield name, squared_mean(pl, body), arrays
    arrays = [normal(50, 32, 64), normal(128, 256), normal(32, 64), normal(32, 64)]
    yield "LSTM, a loop of 50 steps", lstm, arrays


def measured(loss: Callable[..., Any], arrays: list[Any]) -> Iterator[str]:
    """A row for each choice: bytes after compilation, and the median time of a gradient."""
    args = [pl.asarray(a) for a in arrays]
    for policy in POLICIES:
        function = pl.graph_function(loss, residuals=policy)
        found = function.trace(*args).differentiate().memory_analysis()
        gradient = pl.grad(function, tuple(range(len(args))))
        times = []
        for _ in range(CALLS):
            start = time.perf_counter()
            np.asarray(gradient(*args)[-1])
            times.append(time.perf_counter() - start)
        sizes = found.kept_bytes, found.forward["temporaries"], found.backward["temporaries"]
        kept, forward, backward = (f"{size / 2**20:.2f}" for size in sizes)
        milliseconds = f"{1e3 * statistics.median(times):.1f}"
        yield f"{policy} | {kept} | {found.recomputed} | {forward} | {backward} | {milliseconds}"


def main() -> None:
    """Print the table; sizes are in MiB."""
    print(HEADER)
    for name, loss, arrays in programs():
        for row in measured(loss, arrays):
            print(f"| {name} | {row} |", flush=True)


if __name__ == "__main__":
    main()
