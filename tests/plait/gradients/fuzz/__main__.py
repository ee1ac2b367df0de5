"""Look at random programs: their verdicts, and smaller ones that fail in the same way."""

from __future__ import annotations

import argparse
import collections

from tests.capture.fuzz.execute import Hang
from tests.capture.fuzz.shrink import shrink
from tests.plait.gradients.fuzz.grammar import generate
from tests.plait.gradients.fuzz.oracle import Verdict, check, verdict


def smaller(seed: int, found: Verdict, seconds: float) -> str:
    """The program of a seed, shrunk as long as it fails alike."""

    def fails(source: str) -> bool:
        try:
            again = check(source, seed, second=seed % 4 == 0)
        except (Exception, Hang) as error:
            again = Verdict("crash", f"{type(error).__name__}: {error}")
        return (again.kind, again.detail[:12]) == (found.kind, found.detail[:12])

    return shrink(generate(seed), fails, seconds)


def main() -> None:
    """Run a range of seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("start", type=int)
    parser.add_argument("count", type=int, nargs="?", default=1)
    parser.add_argument("--shrink", type=float, default=20.0, help="seconds for each failure")
    given = parser.parse_args()
    counts: collections.Counter[str] = collections.Counter()
    for seed in range(given.start, given.start + given.count):
        try:
            found = verdict(seed)
        except (Exception, Hang) as error:
            found = Verdict("crash", f"{type(error).__name__}: {error}")
        counts[found.kind] += 1
        if found.kind in ("wrong", "crash", "refused"):
            print(f"==== seed {seed}: {found.kind}\n{found.detail}", flush=True)
            if given.shrink and found.kind != "refused":
                print(smaller(seed, found, given.shrink), flush=True)
    print(dict(counts))


if __name__ == "__main__":
    main()
