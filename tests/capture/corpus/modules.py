"""Functions of other modules, which import each other; names from outside."""

from __future__ import annotations

import math

from tests.capture.corpus import helpers
from tests.capture.entries import args, entry, f64

TABLE = {"scale": 2.0, "bias": -1.0}
STEPS = [1, 2, 3]


def ascend(x, depth):
    return helpers.descend(x * 2 if x < 100 else x, depth)


@entry(args(f64(3.0), 3), args(f64(-3.0), 2), args(f64(3.0), 0), args(3.0, 3))
def modules_call_each_other(x, depth):
    return ascend(x, depth) + helpers.saturate(x)


@entry(f64(7.0), f64(-7.0), 7.0)
def globals_of_two_modules(x):
    limit = helpers.LIMIT * TABLE["scale"]
    for step in STEPS:
        x = x + step if x < limit else x - step
    return x + TABLE["bias"] * math.pi


@entry(args(f64(1.0), f64(-2.0)), args(1.0, 2.0))
def object_of_another_module(x, y):
    accumulator = helpers.Accumulator()
    return accumulator.add(x).add(y).add(x).total


@entry(f64(1.0), f64(9.0))
def imported_inside(x):
    from tests.capture.corpus.helpers import saturate

    return saturate(x) * 2
