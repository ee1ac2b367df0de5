"""What no graph holds: the graph breaks there, and the function means the same."""

from __future__ import annotations

import numpy as np

from tests.capture.entries import args, entry, f64, i32

namespace: dict[str, object] = {}
exec("def without_source(x):\n    return x * 2 if x > 0 else -x\n", namespace)
without_source = namespace["without_source"]


@entry(f64(2.0), f64(-2.0), 2.0, breaks=True)
def call_of_a_function_without_source(x):
    y = x + 1
    y = without_source(y)
    return y * 10


@entry(f64([1.0, 2.0]), f64([-1.0, 0.0]), breaks=True)
def value_as_a_key(x):
    names = {1: "one", -1: "minus one"}
    first = int(x[0])
    return names[first], x * 2


@entry(f64(4.0), f64(-4.0), breaks=True)
def handler_around_a_check(x):
    try:
        assert x > 0, "negative"
        y = x * 2
    except AssertionError:
        y = -x
    return y + 1


@entry(i32([3, -1, 2]), i32([-1]), breaks=True)
def shape_that_depends_on_data(x):
    kept = x[x > 0]
    return kept * 2, len(kept)


@entry(args(i32(3), f64(1.0)), args(i32(0), f64(1.0)), breaks=True)
def recursion_on_a_tensor(n, x):
    if n == 0:
        return x
    return recursion_on_a_tensor(n - 1, x * 2)


@entry(i32(12), i32(5), breaks=True)
def list_of_unknown_length(n):
    steps = []
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps.append(n)
    return steps


@entry(f64([0.5, 1.5]), f64([]), breaks=True)
def round_trip_through_numpy(x):
    y = x * 2
    z = np.array(y.tolist())
    return y + z


@entry(i32(3), i32(0), breaks=True)
def shape_from_a_tensor(n):
    return np.zeros(int(n)) + 1


def countdown(n):
    while n > 0:
        yield n
        n = n - 1


@entry(i32(3), i32(0), breaks=True)
def generator_that_counts_a_tensor(n):
    return [value * 2 for value in countdown(n)]


@entry(f64(2.0), f64(-2.0), breaks=True)
def nothing_or_a_tensor(x):
    found = x * 2 if x > 0 else None
    return found
