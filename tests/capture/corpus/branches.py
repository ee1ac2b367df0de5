"""Branches: ``if``, ``elif`` and ``else`` on values, on shapes, on Python values."""

from __future__ import annotations

import numpy as np

from tests.capture.entries import args, bools, entry, f32, f64, i32, i64, normal


@entry(i32(-3), f32(2.5), f64(float("nan")), -3, 2.5, captures="cond", xla=True)
def absolute(x):
    if x < 0:
        x = -x
    return x


@entry(f64(-1.0), f64(0.0), f64(7.0), f64(float("inf")), 0, captures="cond")
def sign_of(x):
    if x > 0:
        sign = 1
    elif x < 0:
        sign = -1
    else:
        sign = 0
    return sign


@entry(f32(-100.0), f32(5.0), f32(28.0), f32(40.0), f32(90.0), 28.0)
def describe_temperature(celsius):
    if celsius < 0:
        grade, pleasant = 0, False
    elif celsius < 15:
        grade, pleasant = 1, False
    elif celsius < 30:
        grade, pleasant = 2, True
    elif celsius < 45:
        grade, pleasant = 3, False
    else:
        grade, pleasant = 4, False
    return grade, pleasant


@entry(
    args(f64(1.0), f64(2.0)),
    args(f64(2.0), f64(1.0)),
    args(i32(4), i32(4)),
    args(3, 5),
    captures="",
)
def ordered(a, b):
    if a > b:
        a, b = b, a
    return a, b


@entry(
    args(f64(3.0), f64(1.0), f64(2.0)),
    args(f64(1.0), f64(2.0), f64(3.0)),
    args(3, 2, 1),
    captures="",
)
def median_of_three(a, b, c):
    if a > b:
        a, b = b, a
    if b > c:
        b, c = c, b
    if a > b:
        a, b = b, a
    return b


@entry(f64([3.0, 4.0]), f64([0.0, 0.0]), f32([[1.0, -2.0], [2.0, 4.0]]), f64([]), captures="cond")
def normalized(vector):
    length = np.sqrt(np.sum(vector * vector))
    if length > 0:
        vector = vector / length
    return vector


@entry(normal(4), normal(2, 3), f64(3.0), f32([[[1.0]]]))
def by_rank(x):
    if x.ndim == 0:
        return x + 1
    if x.ndim == 1:
        return x[::-1]
    return x.reshape(-1).sum()


@entry(i32([1, 2, 3]), f32([1.5, 2.5]), bools([True, False, True]))
def by_dtype(x):
    if np.issubdtype(x.dtype, np.floating):
        return x.mean()
    if x.dtype == np.bool_:
        return x.any()
    return x.sum()


@entry(
    args(f64([1.0, 2.0]), "relu"),
    args(f64([-1.0, 2.0]), "relu"),
    args(f64([-1.0, 2.0]), "tanh"),
    args(f32([-1.0, 2.0]), None),
)
def activation(x, kind):
    if kind == "relu":
        return np.maximum(x, 0)
    elif kind == "tanh":
        return np.tanh(x)
    return x


@entry(
    args(f64(0.5), True),
    args(f64(-0.5), True),
    args(f64(0.5), False),
    args(f64(-0.5), False),
)
def mixed_conditions(x, scaled):
    if scaled:
        if x > 0:
            x = x * 10
        else:
            x = x * 100
    elif x > 0:
        x = x + 10
    return x


@entry(i64(0), i64(3), i64(6), i64(10), i64(15), 15, captures="cond, cond")
def fizz_buzz(n):
    if n % 15 == 0:
        code = 3
    elif n % 5 == 0:
        code = 2
    elif n % 3 == 0:
        code = 1
    else:
        code = 0
    return code


@entry(
    args(i32(5), f64([1.0, 2.0])),
    args(i32(-5), f64([1.0, 2.0])),
    args(i32(-5), f64([])),
    captures="cond",
)
def one_branch_does_more(flag, x):
    if flag > 0:
        shifted = x + 1
        scaled = shifted * 2
        x = scaled - shifted
    else:
        x = np.zeros_like(x)
    return x


@entry(f64(1.0), f64(-1.0), f64(float("nan")))
def nested_three_deep(x):
    label = 0
    if x > -10:
        if x > 0:
            if x > 0.5:
                label = 3
            else:
                label = 2
        else:
            label = 1
    return label, x


@entry(f64(2.0), f64(-2.0), 2.0)
def both_branches_return_pairs(x):
    if x > 0:
        return {"root": x**0.5, "real": True}
    else:
        return {"root": (-x) ** 0.5, "real": False}


@entry(f64(2.0), f64(-2.0), captures="cond")
def nothing_in_one_branch(x):
    total = x * 0
    if x > 0:
        pass
    else:
        total = total + x
    return total


@entry(args(i32(3), i32(4)), args(i32(3), i32(5)), args(i32(0), i32(0)), args(3, 4))
def variable_of_one_branch(a, b):
    if a + b > 7:
        extra = a * b
    if a + b > 7:
        return extra + 1
    return a - b


@entry(f32(1.5), f32(-1.5), f32(0.0))
def same_condition_twice(x):
    positive = x > 0
    y = x
    if positive:
        y = y * 2
    if positive:
        y = y + 1
    return y, positive


@entry(i32(3), i32(-3), widens=True)
def int_or_float(x):
    if x > 0:
        y = x * 2
    else:
        y = x / 2
    return y


@entry(args(bools(True), f64(3.0)), args(bools(False), f64(3.0)), args(True, 3.0))
def flag_tensor(flag, x):
    if flag:
        return x
    return -x


@entry(i32(4), i32(0), f64(0.0), f64(0.25), f64(float("nan")), 0, 4, captures="cond")
def truth_of_a_number(x):
    if x:
        return x * 2
    return x + 100
