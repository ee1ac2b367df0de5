"""Generators that captured functions make and consume."""

from __future__ import annotations

import itertools

from tests.capture.entries import args, entry, f64, i32, normal


def running(values):
    total = 0
    for value in values:
        total = total + value
        yield total


@entry(args([f64(1.0), f64(2.0)]), args([]), args([1, 2, 3]))
def list_of_a_generator(values):
    return list(running(values))


def geometric(x, ratio):
    while True:
        yield x
        x = x * ratio


@entry(args(f64(1.0), 0.5), args(f64([1.0, 2.0]), 2), args(1.0, 3))
def endless_generator(x, ratio):
    return list(itertools.islice(geometric(x, ratio), 4))


@entry(args(f64(8.0), 4), args(f64(-8.0), 0), args(8.0, 2))
def generator_in_a_for(x, n):
    total = 0 * x
    for k, value in enumerate(geometric(x, 0.5)):
        if k == n:
            break
        if value > 1:
            total = total + value
    return total


@entry(args(f64(3.0), f64(-1.0)), args(f64(-3.0), f64(1.0)), args(3.0, -1.0))
def branch_inside_a_generator(a, b):
    def positives():
        for value in (a, b):
            if value > 0:
                value = value * 2
            yield value

    first, second = positives()
    return first - second


def average():
    total, count, mean = 0.0, 0, None
    while True:
        value = yield mean
        total, count = total + value, count + 1
        mean = total / count


@entry(args([f64(1.0), f64(3.0), f64(8.0)]), args([2.0, 4.0]))
def send_into_a_generator(values):
    averager = average()
    next(averager)
    return [averager.send(value) for value in values]


def leaves(tree):
    if isinstance(tree, (list, tuple)):
        for branch in tree:
            yield from leaves(branch)
    else:
        yield tree


@entry(args([f64(1.0), (f64(2.0), [f64(3.0)])]), args(f64(1.0)), args([]))
def yield_from(tree):
    return [leaf * 10 for leaf in leaves(tree)]


def chunks(values, size):
    for start in range(0, len(values), size):
        yield start, values[start : start + size]


@entry(args(normal(5), 2), args(normal(4), 4), args([1, 2, 3], 2))
def generator_of_slices(values, size):
    return {start: sum(chunk) for start, chunk in chunks(values, size)}


@entry(args(f64([1.0, 2.0])), args([1, 2]), args(f64([])))
def next_with_a_default(values):
    iterator = iter(values)
    first = next(iterator, 10.0)
    second = next(iterator, 20.0)
    return first + second, next(iterator, None)


@entry(args(i32(3), i32(5)), args(3, 5))
def generator_expression_is_lazy(a, b):
    seen = []
    squares = (seen.append(k) or a * k for k in range(5))
    first = next(squares)
    return first + next(squares) + b, seen
