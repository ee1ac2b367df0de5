"""The rest of the language: assignments of all kinds, ``del``, ``global``, classes, annotations."""

from __future__ import annotations

import enum
import functools
import itertools
from dataclasses import dataclass, field

import numpy as np

from tests.capture.entries import args, entry, f64, i32, normal


@entry(f64([1.0, 2.0, 3.0, 4.0]), f64([1.0, 2.0]), [1, 2, 3])
def starred_assignment(values):
    first, *middle, last = values
    (a, b), c = (first, last), len(middle)
    return a - b, c, [v + 1 for v in middle]


@entry(f64(3.0), f64(-3.0), 3.0)
def chained_and_augmented(x):
    a = b = x
    a += 1 if x > 0 else 2
    b -= a
    c: float = a * b
    c **= 2
    c //= 2
    return a, b, c


@entry(args({"a": {"b": [f64(1.0), f64(2.0)]}}, f64(1.0)), args({"a": {"b": [1, 2]}}, -1))
def augmented_deep_inside(tree, x):
    if x > 0:
        tree["a"]["b"][0] += x
    else:
        tree["a"]["b"][-1] *= x
    tree["a"]["b"][1] -= 1
    return tree["a"]["b"]


@entry(args({"a": f64(1.0), "b": f64(2.0)}, f64(1.0)), args({"a": 1, "b": 2}, 1))
def deleted(values, x):
    y = x * 2
    kept = [values["a"], values["b"], y]
    del values["a"], kept[0]
    del y
    try:
        return y  # noqa: F821
    except UnboundLocalError:
        return kept, x


@entry(args([f64(1.0)], {"a": f64(2.0)}, f64(3.0)), args([1], {"b": 2}, 3))
def unpacking_displays(items, named, x):
    merged = {**named, "x": x} | {"y": x + 1}
    return [*items, x, *merged.values()], (*items, *merged), {*merged}


@entry(args(f64([[1.0, 2.0], [3.0, 4.0]])), args(f64([[-1.0, 2.0], [3.0, 4.0]])))
def class_inside(matrix):
    class Rows:
        factor = 2

        def __init__(self, matrix):
            self.rows = list(matrix)

        def best(self):
            best = self.rows[0]
            for row in self.rows:
                if row.sum() > best.sum():
                    best = row
            return best * self.factor

    return Rows(matrix).best()


class Mode(enum.Enum):
    SUM = "sum"
    LARGEST = "largest"


@entry(args(f64([1.0, 2.0]), Mode.SUM), args(f64([1.0, 2.0]), Mode.LARGEST))
def enumerations(x, mode):
    result = x.sum() if mode is Mode.SUM else x.max()
    if result > 2.5:
        result = result * 10
    return result, mode


@dataclass
class Window:
    low: object
    high: object
    width: object = field(init=False)

    def __post_init__(self):
        if self.low > self.high:
            self.low, self.high = self.high, self.low
        self.width = self.high - self.low

    @functools.cached_property
    def middle(self):
        return self.low + self.width / 2


@entry(args(f64(1.0), f64(4.0)), args(f64(4.0), f64(1.0)), args(4, 1))
def post_init_and_cached_property(a, b):
    window = Window(a, b)
    window.low = window.middle
    return window.middle, window


@entry(f64([1.0, 3.0, 2.0]), f64([5.0]), [1, 3, 2])
def accumulated(values):
    largest = itertools.accumulate(values, lambda a, b: a if a > b else b)
    return list(largest), list(itertools.chain([0], values))


@entry(args(f64(3.0), f64(4.0)), args(f64(3.0), f64(-4.0)), args(3.0, 4.0))
def inner_recursion(x, y):
    def apply(depth, value):
        if depth == 0:
            return value
        return apply(depth - 1, value * 2 if y > 0 else value + y)

    return apply(3, x)


class Lazy:
    """Makes what is asked for."""

    def __init__(self, x):
        self.x = x

    def __getattr__(self, name):
        if name.startswith("times_"):
            return self.x * int(name.removeprefix("times_"))
        raise AttributeError(name)


@entry(f64(3.0), f64(-3.0), 3.0)
def made_attributes(x):
    lazy = Lazy(x)
    if lazy.x > 0:
        y = lazy.times_2
    else:
        y = lazy.times_3
    return y, getattr(lazy, "other", 0)


CALLS = 0


def counted(x):
    global CALLS
    CALLS += 1
    return x if x > 0 else -x


@entry(args(f64(3.0)), args(f64(-3.0)))
def global_statement(x):
    global CALLS
    CALLS = 0
    return counted(x) + counted(x + 1), CALLS


@entry(args(f64(3.0), f64(2.0)), args(f64(-3.0), f64(2.0)), args(-3.0, 2.0))
def conditional_function(x, y):
    if getattr(x, "ndim", 1) > 0:
        step = lambda v: v + y  # noqa: E731
    else:

        def step(v):
            return v * y if v > 0 else v - y

    return step(x)


@entry(args(i32(5), i32(3)), args(i32(-5), i32(3)), args(5, 3))
def bits(a, b):
    if a & 1:
        a ^= b
    if a > 0 or ~a & 2:
        a = (a << 1) | (b >> 1)
    return a, ~b


@entry(args(1.0 + 2.0j * normal(2), f64(1.0)), args(normal(2) + 0j, f64(-1.0)))
def complex_numbers(z, x):
    if x > 0:
        z = z * 1j
    else:
        z = np.conj(z)
    return z, abs(z), z.real


@entry(args(f64([1.0, 2.0]), 2), args(f64([3.0, -4.0]), 0))
def string_of_steps(x, n):
    steps = "sum"
    for k in range(n):
        steps += f"-{k}"
    names = steps.upper().split("-")
    if x.sum() > 0:
        x = x * len(names)
    return x, "/".join(names)


@entry(f64([1.0, 2.0, 3.0]), i32([1, 2, 3, 4]))
def ellipsis_and_newaxis(x):
    column = x[..., None]
    table = column * x[None, :]
    if table.shape[0] > 3:
        table = table[..., ::2]
    if table[0, 0] > 0:
        table = table[:, ::-1]
    return table[-1, ...] if table.shape[1] > 2 else table[..., -1]


@entry(args(f64(0.5), f64(2.0)), args(f64(-0.5), f64(2.0)))
def docstring_annotations_and_pass(x: np.ndarray, y: float = 1.0) -> np.ndarray:
    """Annotations and a docstring change nothing."""
    scale: float  # noqa: F842
    if x > 0:
        ...
    elif y > 0:
        x = x + y
    return x
