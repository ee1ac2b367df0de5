"""Run the benchmarks: ``python -m benchmarks [--write] [name ...]``."""

from __future__ import annotations

import argparse
import importlib
import platform
from pathlib import Path

from benchmarks.measure import Row, as_table

NAMES = (
    "eager",
    "calls",
    "guards",
    "conversion",
    "control",
    "tracing",
    "programs",
    "gradients",
)
REPORT = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def main() -> None:
    """Measure, print, and on request write the report."""
    parser = argparse.ArgumentParser(description="Speed of Plait against its peers.")
    parser.add_argument("names", nargs="*", help=f"which of {', '.join(NAMES)}; all by default")
    parser.add_argument("--write", action="store_true", help="also write docs/benchmarks.md")
    options = parser.parse_args()
    rows: list[Row] = []
    for name in options.names or NAMES:
        for row in importlib.import_module(f"benchmarks.{name}").rows():
            print(f"{row.what}: {row.ratio:.2f} of {row.against}, at most {row.goal}", flush=True)
            rows.append(row)
    print(f"\n{as_table(rows)}")
    if options.write:
        REPORT.write_text(report(rows))


def report(rows: list[Row]) -> str:
    """The document with the figures."""
    import jax
    import numpy as np

    versions = f"Python {platform.python_version()}, NumPy {np.__version__}, jax {jax.__version__}"
    return (
        "# Benchmarks\n\n"
        "Ratios of medians, measured in one process in alternating rounds by "
        "`make bench ARGS=--write`;\nbelow 1 Plait is faster. "
        f"Two shared CPU cores, {versions}.\n\n{as_table(rows)}\n"
    )


if __name__ == "__main__":
    main()
