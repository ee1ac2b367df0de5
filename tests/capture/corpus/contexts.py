"""``with``, ``try``, ``finally``."""

from __future__ import annotations

import contextlib

import numpy as np

from tests.capture.entries import args, entry, f64, i32


class Depth:
    """Counts how deep it is entered."""

    def __init__(self):
        self.depth = self.entered = 0

    def __enter__(self):
        self.depth += 1
        self.entered += 1
        return self

    def __exit__(self, *_):
        self.depth -= 1


@entry(args(Depth(), f64(1.0)), args(Depth(), f64(-1.0)), args(Depth(), 1))
def branch_in_a_with_block(depth, x):
    with depth as inside:
        if x > 0:
            x = x * inside.depth
        else:
            x = x - inside.depth
        with depth:
            x = x + depth.depth
    return x


@entry(args(Depth(), f64(1.0)), args(Depth(), f64(-1.0)))
def with_in_a_branch(depth, x):
    if x > 0:
        with depth:
            x = x * 2
    return x


@contextlib.contextmanager
def restored(values, key):
    saved = values[key]
    try:
        yield values
    finally:
        values[key] = saved


@entry(args({"x": f64(2.0)}), args({"x": f64(-2.0)}), args({"x": 2}))
def context_manager_of_a_generator(values):
    with restored(values, "x") as changed:
        changed["x"] = changed["x"] * 10
        if changed["x"] > 0:
            result = changed["x"] + 1
        else:
            result = changed["x"] - 1
    return result, values["x"]


@entry(args(f64(4.0), []), args(f64(-4.0), []), args(4.0, []))
def finally_runs(x, log):
    try:
        if x > 0:
            x = np.sqrt(x)
    finally:
        log.append("done")
    return x


@entry(args(f64(4.0), []), args(f64(-4.0), []), args(4.0, []))
def return_in_a_try(x, log):
    try:
        if x > 0:
            return x * 2
        x = x + 1
    finally:
        log.append(1)
    return x


@entry(args({"a": f64(1.0)}, "a"), args({"a": f64(1.0)}, "b"), args({"a": 1}, "b"))
def handler_of_a_python_error(values, key):
    try:
        x = values[key]
    except KeyError as error:
        x = len(str(error))
    else:
        x = x + 1
    return x


@entry(args([f64(1.0), f64(2.0)], 1), args([f64(1.0)], 1), breaks=True)
def suppressed_error(values, index):
    total = values[0]
    with contextlib.suppress(IndexError):
        total = total + values[index]
    return total


@entry(
    args(f64([1.0, 2.0, 3.0]), f64([1.0, 2.0, 3.0])), args(f64([1.0, 2.0]), f64([1.0, 2.0, 3.0]))
)
def handler_of_a_shape_error(a, b):
    try:
        return a + b
    except ValueError:
        size = min(len(a), len(b))
        return a[:size] + b[:size]


@entry(args(f64(2.0), []), args(f64(-2.0), []))
def loop_in_a_try(x, log):
    for step in range(3):
        try:
            if step == 1:
                continue
            x = x * 2 if x > 0 else x - 1
        finally:
            log.append(step)
    return x


@entry(args(i32(7), []), args(i32(0), []), args(7, []))
def exit_stack(n, log):
    with contextlib.ExitStack() as stack:
        for k in range(2):
            stack.callback(log.append, k)
        while n > 1:
            n = n // 2
    return n
