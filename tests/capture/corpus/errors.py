"""Errors under conditions: ``assert``, ``raise``, indices, shapes, and what Python raises."""

from __future__ import annotations

import numpy as np

from tests.capture.entries import args, entry, f32, f64, i32, normal


@entry(f64(4.0), f64(-4.0), f64(float("nan")), 4.0, -4.0, xla=True)
def root_of_a_positive(x):
    if x < 0:
        raise ValueError("negative number")
    return x**0.5


@entry(f64(4.0), f64(-4.0), 4.0, -4.0)
def assert_on_a_tensor(x):
    assert x > 0, "x is not positive"
    return x * 2


@entry(f64([1.0, 2.0]), f64([-1.0, 2.0]), f64([]))
def assert_without_a_message(x):
    assert (x > 0).all()
    return x.sum()


@entry(f64([1.0, 2.0]), normal(2, 2), f32([1.0, 2.0, 3.0]))
def assert_on_a_shape(x):
    assert x.ndim == 1, f"expected a vector, got {x.ndim} dimensions"
    assert len(x) < 3, "too long"
    return x


@entry(args(f64(1.0), "mean"), args(f64(1.0), "median"))
def raise_on_a_python_value(x, kind):
    if kind != "mean":
        raise NotImplementedError(f"no {kind}")
    return x


class ConvergenceError(ArithmeticError):
    pass


@entry(f64(0.5), f64(100.0), f64(-3.0), 0.5, 100.0)
def no_convergence(x):
    steps = 0
    while abs(x - 1) > 1e-3:
        x = x / 2 + 0.5
        steps += 1
        if steps > 12:
            raise ConvergenceError("no convergence in 12 steps")
    return x


@entry(args(f64([1.0, 2.0, 3.0]), i32(1)), args(f64([1.0, 2.0, 3.0]), i32(5)), xla=True)
def index_out_of_range(values, i):
    first = values[0]
    return values[i] + first


@entry(args([f64(1.0), f64(2.0)], 1), args([f64(1.0), f64(2.0)], 2))
def list_index_out_of_range(values, i):
    return values[i] * 2


@entry(args(normal(2, 3), normal(3, 2)), args(normal(2, 3), normal(2, 3)))
def shapes_that_do_not_fit(a, b):
    c = a * 2
    return c @ b


@entry(args(f64(1.0), f64(0.0)), args(f64(1.0), f64(2.0)), args(1.0, 0.0), args(1, 0))
def division(a, b):
    return a / b


@entry(args({"a": f64(1.0)}, "a"), args({"a": f64(1.0)}, "b"))
def missing_key(values, key):
    return values[key] + 1


@entry(args(f64([3.0, 4.0])), args(f64([3.0, -4.0])), args(f64([-3.0, -4.0])))
def raise_in_a_loop(values):
    total = 0.0
    for i, value in enumerate(values):
        if value < 0:
            if i == 0:
                raise IndexError("the first is negative")
            raise ValueError(f"value {i} is negative")
        total = total + value
    return total


@entry(args(f64(3.0)), args(f64(-3.0)))
def which_error(x):
    if x > 100:
        raise OverflowError("too large")
    elif x < 0:
        raise ValueError("too small")
    else:
        x = x * 2
    return x


def checked(x, low):
    if x < low:
        raise ValueError("below the bound")
    return x - low


@entry(args(f64(3.0), f64(1.0)), args(f64(0.0), f64(1.0)), args(3.0, 1.0), args(0.0, 1.0))
def raise_in_a_callee(x, low):
    y = checked(x, low)
    return y * 2


@entry(args(f64([2.0, 1.0]), []), args(f64([-2.0, 1.0]), []))
def nothing_is_returned_after_an_error(x, log):
    log.append(1)
    assert x[0] > 0, "first is not positive"
    log.append(2)
    return x


@entry(f64(1.0), f64(-1.0))
def name_of_one_branch(x):
    if x > 0:
        y = x * 2
    return y


@entry(f64(3.0), 3.0)
def not_callable(x):
    factor = 2
    return factor(x)


@entry(args(f64([1.0, 2.0])), args(f64([1.0, 2.0, 3.0])))
def too_many_to_unpack(values):
    first, second = values
    return first - second


@entry(args(f64(2.0)), args(f64(0.0)))
def error_with_a_cause(x):
    try:
        if x.ndim == 0 and x.dtype == np.float64:
            raise KeyError("inner")
    except KeyError as error:
        raise RuntimeError("outer") from error
    return x


@entry(i32(5), i32(-1), 5, -1)
def only_raises(n):
    if n > 0:
        return n
    raise ValueError("n must be positive")
