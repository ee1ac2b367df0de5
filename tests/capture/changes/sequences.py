"""Random sequences of outside changes and calls: a stale result is one that differs."""

from __future__ import annotations

import random
import re
import warnings
from dataclasses import dataclass
from typing import Any

import plait as pl
from tests.capture.changes.reads import READS, WRITES, Read
from tests.capture.changes.run import call, execute, load
from tests.capture.fuzz.execute import LIMIT_S, Hang, freeze, limited

CALLS = ("f(X)", "f(X)", "f(X)", "f(X + 1)", "f(X.astype('float64'))", "f(pl.ones((2, 3)))")

FAILED = "raised, as it should"
MARK = re.compile(r"(?<=[\w@])@")


@dataclass(frozen=True)
class Sequence:
    """A function of several outside reads, and what happens to it."""

    seed: int
    source: str
    steps: tuple[tuple[str, str], ...]
    writes: bool = False


def generate(seed: int) -> Sequence:
    """The sequence of a seed."""
    rng = random.Random(seed)
    reads = rng.sample(READS, rng.randint(1, 4))
    if rng.random() < 0.4:
        reads += rng.sample(WRITES, rng.randint(1, 2))
        rng.shuffle(reads)
    numbered = list(enumerate(reads))
    setup = "\n".join(_filled(read.setup, n, rng) for n, read in numbered)
    lines = [f"    {line}" for n, read in numbered for line in _body(read, n)]
    shared = sorted(line for line in set(lines) if line.startswith("    global "))
    body = "\n".join([*shared, *(line for line in lines if line not in shared)])
    source = f"{setup}\ndef f(x):\n{body}\n    return x\n"
    writes = any(read in WRITES for read in reads)
    return Sequence(seed, source, tuple(_steps(rng, numbered)), writes)


def _body(read: Read, number: int) -> list[str]:
    return MARK.sub(str(number), read.body).splitlines()


def _filled(text: str, number: int, rng: random.Random) -> str:
    text = MARK.sub(str(number), text)
    while "#" in text:
        text = text.replace("#", str(rng.choice((0, 1, 2, 3, 5, -1))), 1)
    while "?" in text:
        text = text.replace("?", str(rng.random() < 0.5), 1)
    return text


def _steps(rng: random.Random, reads: list[tuple[int, Read]]) -> list[tuple[str, str]]:
    steps = [("call", "f(X)")]
    for _ in range(rng.randint(3, 8)):
        for _ in range(rng.choice((0, 1, 1, 2))):
            number, read = rng.choice(reads)
            steps.append(("change", _filled(rng.choice(read.changes), number, rng)))
        steps.append(("call", rng.choice(CALLS)))
    return steps


def _attempt(text: str, function: Any, module: dict[str, Any]) -> tuple[Any, Any]:
    try:
        return freeze(call(text, function, module)), None
    except Exception as error:
        kinds = (ValueError, TypeError, KeyError, IndexError, AttributeError, NameError)
        return next((k.__name__ for k in kinds if isinstance(error, k)), type(error)), error


def outside(module: dict[str, Any]) -> dict[str, Any]:
    """What of a module compares: its tensors, numbers and containers of them."""
    plain = (int, float, str, list, dict, tuple, pl.Tensor)
    found = {k: v for k, v in module.items() if isinstance(v, plain) and not k.startswith("__")}
    found |= {k: vars(v) for k, v in module.items() if type(v).__name__[:1] in "OKCQU" and v}
    return {k: _data(v) for k, v in found.items() if k != "X"}


def _data(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _data(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_data(v) for v in value]
    return "function" if callable(value) else freeze(value)


def stale(sequence: Sequence, backend: str = "reference") -> str:
    """Run a sequence on the plain function and on the compiled one; what differs, or nothing."""
    plain, other = (load(sequence.source, f"<sequence {sequence.seed}>") for _ in range(2))
    compiled = pl.graph_function(other["f"], backend=backend)
    try:
        with limited(LIMIT_S), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for number, (kind, text) in enumerate(sequence.steps):
                found = _step(kind, text, plain, other, compiled)
                if found == FAILED and sequence.writes:
                    return ""  # what a call that raises leaves behind is not compared
                if found and found != FAILED:
                    return f"step {number}, {text}: {found}"
    except Hang as error:
        return str(error)
    return ""


def _step(kind: str, text: str, plain: Any, other: Any, compiled: Any) -> str:
    if kind == "change":
        for module in (plain, other):
            try:
                execute(text, module, "<the change>")
            except Exception:  # such a change is none, in both
                continue
        return ""
    (want, error), (got, other_error) = (
        _attempt(text, plain["f"], plain),
        _attempt(text, compiled, other),
    )
    if want != got:
        return f"{got!r}, wanted {want!r}; {other_error!r}"
    if error is not None:
        return FAILED
    try:
        before, after = outside(plain), outside(other)
    except pl.errors.PlaitError as leaked:
        return f"left {leaked}"
    wrong = [name for name in before if before[name] != after.get(name)]
    return f"left {[(n, after.get(n), before[n]) for n in wrong]}" if wrong else ""


def report(sequence: Sequence, found: str) -> str:
    """A failure for people."""
    steps = "\n".join(f"{kind:8}{text}" for kind, text in sequence.steps)
    return f"==== sequence {sequence.seed}: {found}\n{sequence.source}\n{steps}"
