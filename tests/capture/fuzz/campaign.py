"""Many random programs, or sequences of changes, on all cores: ``make campaign-capture``."""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import multiprocessing
import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")

from tests.capture.changes import sequences
from tests.capture.fuzz.oracle import Verdict, check
from tests.capture.fuzz.program import PRELUDE, Program, generate
from tests.capture.fuzz.shrink import shrink

ERROR = re.compile(r"[\w.]+(Error|Break|Restart|Exception|Warning)\b")
#: Seeds whose programs do not mean the same yet, each with the reason.
HELD_BACK: dict[int, str] = {}
NO_KINDS = ("xla", "in segments")
XLA_EVERY = 100
CHUNK = 50


def backends(seed: int) -> tuple[str, ...]:
    """What a program runs on: XLA takes long to compile, so it gets a sample."""
    return ("xla",) if seed % XLA_EVERY == 7 else ("reference", "planned")


def examine(seed: int) -> Verdict:
    """The verdict on the program of a seed."""
    return check(generate(seed), backends(seed))


def shrunk(program: Program, found: Verdict, seconds: float = 20.0) -> str:
    """The program's functions made smaller; the prelude stays."""

    def fails(body: str) -> bool:
        try:
            again = check(replace(program, source=PRELUDE + body), backends(program.seed))
        except Exception:  # no whole program: a function is gone
            return False
        return (again.kind, again.way) == (found.kind, found.way) and _same(again, found)

    return shrink("\n\n" + program.source.removeprefix(PRELUDE).strip(), fails, seconds)


def _same(one: Verdict, other: Verdict) -> bool:
    """Whether two details begin alike: the same attribute, the same class of error."""
    return _head(one) == _head(other)


def _head(verdict: Verdict) -> str:
    """What kind of difference this is: the message of an error, without names and numbers."""
    lines = [line for line in verdict.detail.splitlines() if line.strip()] or [""]
    first = lines[0].partition(": ")[2] or lines[0]
    errors = [line for line in lines if ERROR.match(line)]
    said = errors[-1] if "raised" in first and errors else ""
    return first.partition(" ")[0] + re.sub(r"\d|'.*?'|\[.*?\]|<.*?>", "", said)[:80]


def report(seed: int, verdict: Verdict, seconds: float) -> str:
    """A failure for people: its seed, the difference, the program and a smaller one."""
    program = generate(seed)
    small = shrunk(program, verdict, seconds) if seconds else ""
    parts = [
        f"==== seed {seed}: {verdict.kind}, {verdict.way}",
        verdict.detail.rstrip(),
        "---- program",
        program.source.removeprefix(PRELUDE).strip(),
    ]
    return "\n".join([*parts, "---- smaller", small.strip()] if small else parts)


def run_sequences(seeds: list[int], shrink_s: float) -> tuple[collections.Counter[str], list[str]]:
    """Counts and failures of one piece of the range, of sequences of changes."""
    found = [(seed, sequences.stale(sequences.generate(seed))) for seed in seeds]
    reports = [sequences.report(sequences.generate(seed), text) for seed, text in found if text]
    counts = collections.Counter("stale" if text else "same" for _, text in found)
    return counts, reports


def run_programs(seeds: list[int], shrink_s: float) -> tuple[collections.Counter[str], list[str]]:
    """Counts and failures of one piece of the range, of programs."""
    counts: collections.Counter[str] = collections.Counter()
    reports: list[str] = []
    for seed in seeds:
        verdict = examine(seed)
        counts[verdict.kind] += 1
        counts["xla"] += "xla" in backends(seed)
        if verdict.broken:
            counts["in segments"] += 1
            counts[f"segments: {shortened(verdict.broken)}"] += 1
        if verdict.kind == "refused":
            counts[f"refused: {refusal(verdict)}"] += 1
        if verdict.wrong:
            reports.append(report(seed, verdict, shrink_s))
    return counts, reports


def refusal(verdict: Verdict) -> str:
    """The first line of what a refused program was told."""
    lines = [line for line in verdict.detail.splitlines() if "Error: " in line]
    return " ".join(lines[-1].partition(": ")[2].split()[:12]) if lines else "no message"


def shortened(reason: str) -> str:
    """The reason of a graph break without what differs from program to program."""
    return " ".join(re.sub(r"\d+|'.*?'|\(.*?\)|\[.*?\]", "*", reason).split()[:14])


def chunks(start: int, count: int) -> Iterator[list[int]]:
    """The range in pieces."""
    for first in range(start, start + count, CHUNK):
        yield list(range(first, min(first + CHUNK, start + count)))


def main(argv: list[str] | None = None) -> int:
    """Run a range of seeds; 1 when a program fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("programs", "sequences"), nargs="?", default="programs")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=100_000, help="how many programs")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--shrink", type=float, default=20.0, help="seconds for each failure")
    parser.add_argument("--most", type=int, default=20, help="stop after so many failures")
    parser.add_argument("--out", type=Path, help="where to write the failures")
    given = parser.parse_args(argv)
    counts, reports, done, began = _run(given)
    if given.out:
        given.out.write_text("\n\n".join(reports))
    print(f"{done} {given.what} from seed {given.start} in {time.monotonic() - began:.0f} s")
    for kind, number in sorted(counts.items(), key=lambda item: (": " in item[0], -item[1])):
        print(f"{number:8} {kind}")
    return 1 if reports else 0


def _run(
    given: argparse.Namespace,
) -> tuple[collections.Counter[str], list[str], int, float]:
    counts: collections.Counter[str] = collections.Counter()
    reports: list[str] = []
    done, began = 0, time.monotonic()
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(
        given.jobs, mp_context=context, max_tasks_per_child=20
    ) as pool:
        run = run_sequences if given.what == "sequences" else run_programs
        pieces = [
            pool.submit(run, piece, given.shrink) for piece in chunks(given.start, given.count)
        ]
        for number, piece in enumerate(concurrent.futures.as_completed(pieces)):
            found, texts = piece.result()
            counts += found
            reports += texts
            for text in texts:
                print(text, end="\n\n", flush=True)
            done += sum(found[k] for k in found if k not in NO_KINDS and ": " not in k)
            if number % 20 == 19:
                print(f"{done} done, {len(reports)} failed", file=sys.stderr, flush=True)
            if len(reports) >= given.most:
                pool.shutdown(cancel_futures=True)
                break
    return counts, reports, done, began


if __name__ == "__main__":
    sys.exit(main())
