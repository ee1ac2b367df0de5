"""Nested functions, ``nonlocal``, decorators, star arguments, defaults, recursion."""

from __future__ import annotations

import functools
import operator

import numpy as np

from tests.capture.entries import args, entry, f32, f64, i32, normal


@entry(args(f64(2.0), 3), args(f64(-2.0), 3), args(2.0, 3))
def closure_over_arguments(x, factor):
    offset = x + 1

    def scaled(value):
        if value > 0:
            return value * factor + offset
        return offset

    return scaled(x) + scaled(-x)


@entry(args(f64(1.0), f64([1.0, -2.0, 3.0])), args(f64(1.0), f64([])))
def nonlocal_accumulator(start, values):
    total = start

    def add(value):
        nonlocal total
        if value > 0:
            total = total + value
        return total

    for value in values:
        add(value)
    return total


def make_counter(start):
    count = start

    def step(amount):
        nonlocal count
        count += amount
        return count

    def current():
        return count

    return step, current


@entry(args(f64(1.0), f64(2.0)), args(i32(0), i32(-2)), args(1, 2))
def two_closures_share_a_cell(start, amount):
    step, current = make_counter(start)
    step(amount)
    if amount > 0:
        step(amount * 10)
    return current()


@entry(f64(2.0), f64(-2.0), 2.0)
def late_binding(x):
    steps = [lambda: x * k for k in range(3)]
    bound = [lambda k=k: x * k for k in range(3)]
    return [step() for step in steps], [step() for step in bound]


def clipped(low, high):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*given, **named):
            result = function(*given, **named)
            if result < low:
                return low
            return result if result < high else high

        return wrapper

    return decorate


@entry(f64(0.5), f64(5.0), f64(-5.0), 5.0, widens=True)
@clipped(0.0, 10.0)
def decorated_with_arguments(x):
    return x * 4


def twice(function):
    return lambda x: function(function(x))


@entry(f64(3.0), f64(-3.0))
def decorator_inside(x):
    @twice
    def step(value):
        return value + 1 if value > 0 else value - 1

    return step(x)


@entry(
    args(f64(1.0)),
    args(f64(1.0), f64(2.0)),
    args(f64(-1.0), f64(2.0), f64(3.0), scale=f64(2.0)),
    args(1, 2, scale=2, bias=1),
)
def star_arguments(first, *rest, scale=1.0, **more):
    total = first
    for value in rest:
        if value > 1:
            total = total + value
    return total * scale, len(rest), sorted(more)


def weighted(a, b, /, weight=0.5, *, bias=0.0):
    if weight > 0:
        return a * weight + b * (1 - weight) + bias
    return a + bias


@entry(
    args((f64(1.0), f64(2.0)), {"bias": f64(1.0)}),
    args((f64(1.0), f64(2.0), f64(-1.0)), {}),
    args((1, 2), {"weight": 0.25}),
)
def unpacked_into_a_call(values, options):
    return weighted(*values, **options) + weighted(*values[:2], weight=1.0)


@entry(args(f64(2.0), 10), args(f64(2.0), 0), args(2, 7))
def power_by_recursion(x, n):
    if n == 0:
        return x * 0 + 1
    half = power_by_recursion(x, n // 2)
    return half * half * (x if n % 2 else 1)


@entry(args([f64(1.0), [f64(2.0), [f64(-3.0)], []], f64(4.0)]), args([]), args([1, [2]]))
def flattened(nested):
    flat = []
    for item in nested:
        if isinstance(item, list):
            flat.extend(flattened(item))
        else:
            flat.append(item * 2)
    return flat


@entry(f64([4.0, 1.0, 3.0, 2.0]), f64([2.0, 1.0]), i32([5]), [4, 1, 3])
def merge_sum(values):
    """A sum by halves, which rounds less."""
    if len(values) == 1:
        return values[0]
    middle = len(values) // 2
    return merge_sum(values[:middle]) + merge_sum(values[middle:])


def is_even(n):
    return True if n == 0 else is_odd(n - 1)


def is_odd(n):
    return False if n == 0 else is_even(n - 1)


@entry(args(f64(3.0), 4), args(f64(3.0), 5))
def mutual_recursion(x, n):
    if is_even(n):
        return x if x > 0 else -x
    return -x


@entry(args(f64(2.0), f64(3.0)), args(f64(-2.0), f64(3.0)))
def composed_functions(x, y):
    def compose(*functions):
        return functools.reduce(lambda f, g: lambda v: g(f(v)), functions)

    absolute = lambda v: v if v > 0 else -v  # noqa: E731
    return compose(absolute, functools.partial(operator.mul, y), np.sqrt)(x)


@entry(args(f64(1.0)), args(f64(1.0), f64(5.0)), args(1))
def defaults(x, y=2.0, *, steps=(1, 2)):
    for step in steps:
        if x < y:
            x = x + step
    return x


@entry(normal(3), f32([1.0, -1.0]))
def map_and_filter(values):
    doubled = list(map(lambda v: v * 2 if v > 0 else v, values))
    even = list(filter(lambda k: k % 2 == 0, range(len(values))))
    return [doubled[k] for k in even]


@entry(args(f64(5.0), f64(1.0)), args(f64(1.0), f64(5.0)))
def function_chosen_by_python(x, y):
    table = {"add": lambda a, b: a + b, "less": lambda a, b: a if a < b else b}
    return [table[name](x, y) for name in sorted(table)]


@entry(f64(2.0), f64(-2.0))
def nonlocal_in_a_branch(x):
    calls = 0
    result = x

    def store(value):
        nonlocal calls, result
        calls += 1
        result = value

    if x > 0:
        store(x * 2)
    else:
        store(x * 3)
    return result, calls


@functools.cache
def binomial(n, k):
    if k in (0, n):
        return 1
    return binomial(n - 1, k - 1) + binomial(n - 1, k)


@entry(args(f64(0.5), 4), args(f64(2.0), 3))
def cached_helper(x, n):
    return sum(binomial(n, k) * x**k for k in range(n + 1))


@entry(f64(2.0), f64(-2.0))
def deep_nesting(x):
    def outer(a):
        def middle(b):
            def inner(c):
                return a + b * c if c > 0 else a - b

            return inner(x)

        return middle(a + 1)

    return outer(x * 2)
