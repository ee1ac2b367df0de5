"""Whole random programs: globals, a class, helper functions and ``main``."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.capture.fuzz import control
from tests.capture.fuzz.grammar import (
    BOOL,
    F0,
    F3,
    F23,
    FEATURES,
    FLOAT,
    I0,
    INT,
    PARAMETERS,
    Callable,
    Kind,
    Writer,
)
from tests.capture.fuzz.statements import give

PRELUDE = """\
LIMIT = 3
COUNT = 0
BIAS = xp.asarray([0.5, -1.0, 2.0], dtype='float32')
STATE = {'count': 1, 'v': xp.asarray([1.0, 2.0, -3.0], dtype='float32')}


class Box:
    def __init__(self, v, s, n):
        self.v = v
        self.s = s
        self.n = n
        self.items = []

    def bump(self, a):
        self.v = self.v + a
        self.n += 1
        return self.v

    def replace(self, a, n):
        if n > 2:
            self.v = a
        self.n = n


class Scope:
    def __init__(self, n):
        self.n = n

    def __enter__(self):
        STATE['count'] += self.n
        return self

    def __exit__(self, *reason):
        STATE['count'] -= self.n


def made(a, n):
    for i in range(n):
        yield a + i


def first(a, *others):
    return a


def power(a, n):
    if n <= 0:
        return a
    return power(a + n, n - 1)
"""


@dataclass(frozen=True)
class Program:
    """A random program, and whether NumPy means the same by design."""

    seed: int
    source: str
    numpy: bool


def generate(seed: int, without: frozenset[str] = frozenset()) -> Program:
    """The program of a seed."""
    rng = random.Random(seed)
    chance = rng.choice((0.3, 0.5, 0.7))
    features = frozenset(f for f in FEATURES if rng.random() < chance) - without
    if not features & {"tensor_conditions", "python_conditions"}:
        features |= {"tensor_conditions"}
    callables: list[Callable] = []
    parts, numpy = [PRELUDE], True
    if "helper" in features:
        for number in range(rng.randint(1, 2)):
            text, ok = _helper(rng, features, callables, f"helper{number}")
            parts.append(text)
            numpy = numpy and ok
    text, ok = _main(rng, features, callables)
    return Program(seed, "\n\n".join([*parts, text]), numpy and ok)


def _helper(
    rng: random.Random, features: frozenset[str], callables: list[Callable], name: str
) -> tuple[str, bool]:
    result = rng.choice((F3, F3, F0, INT))
    writer = Writer(rng, features, (result,), list(callables), globals=False, budget=5)
    writer.scope = {"x", "s", "n"}
    _body(writer, 3)
    callables.append(Callable(name, (F3, F0, INT), result))
    return f"def {name}(x, s, n):\n" + "\n".join(writer.lines), writer.numpy


def _main(
    rng: random.Random, features: frozenset[str], callables: list[Callable]
) -> tuple[str, bool]:
    kinds: list[Kind] = [F3, F0, INT, F23, I0, FLOAT, BOOL]
    returns = tuple(rng.choice(kinds) for _ in range(rng.randint(1, 4)))
    writer = Writer(rng, features, returns, list(callables))
    writer.scope = set(PARAMETERS)
    if "recursion" in features:
        number = rng.randint(0, 3)
        writer.emit(f"x = power(x, {number})")
    if "global" in features:
        writer.emit("global COUNT")
    _body(writer, rng.randint(3, 9))
    head = f"def main({', '.join(PARAMETERS)}):\n"
    return head + "\n".join(writer.lines), writer.numpy


def _body(writer: Writer, statements: int) -> None:
    writer.depth, writer.indent = 0, 1
    if not any(control.statement(writer) for _ in range(statements)):
        give(writer)
