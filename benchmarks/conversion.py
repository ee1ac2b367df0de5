"""Converted functions on Python values against the functions as written; and converting them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.measure import Row, compare
from plait.ir import dispatch
from plait.tracer import control
from plait.tracer.convert import Converter, convert

#: Seconds that the conversion of a function of 20 lines may take.
CONVERSION = 2e-3


def rows() -> Iterator[Row]:
    """Control flow on Python numbers, lists and attributes; then the conversion itself."""
    for what, function, arguments in PROGRAMS:
        converted: Any = convert(function)
        assert converted is not function
        yield compare(
            f"converted: {what}",
            "as written",
            3.0,
            _call(converted, arguments),
            _call(function, arguments),
        )
    for function in (twenty_lines, mixed_lines):
        seconds = [_conversion(function) for _ in range(41)]
        found = statistics.median(seconds)
        name = f"conversion of {function.__name__}"
        yield Row(name, "2 ms", found, CONVERSION, found / CONVERSION, 1.0)


def _call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Callable[[], object]:
    return lambda: function(*arguments)


def _conversion(function: Callable[..., Any]) -> float:
    converter = Converter(control, dispatch)
    start = time.perf_counter()
    converter.convert(function)
    return time.perf_counter() - start


# Programs.


def collatz(n: int) -> int:
    steps = 0
    while n != 1:
        if n % 2 == 0:
            n //= 2
        else:
            n = 3 * n + 1
        steps += 1
    return steps


def nested_loops(n: int) -> int:
    total = 0
    for i in range(n):
        for j in range(n):
            if i * j > 50:
                break
            if (i + j) % 3 == 0:
                continue
            total += i * j
        else:
            total += 1
    return total


def sieve(n: int) -> int:
    flags = [True] * n
    i = 2
    while i * i < n:
        if flags[i]:
            for j in range(i * i, n, i):
                flags[j] = False
        i += 1
    return sum(flags)


def while_else(n: int) -> int:
    i = total = 0
    while i < n:
        total += i * i % 7
        if total > 10**9:
            break
        i += 1
    else:
        return -1
    return i


def recursion(n: int) -> int:
    def fib(k: int) -> int:
        if k < 2:
            return k
        return fib(k - 1) + fib(k - 2)

    return fib(n)


class Account:
    """Something with attributes."""

    def __init__(self) -> None:
        self.total = 0
        self.rates = [1, 2, 3]


def attributes(account: Account, n: int) -> int:
    account.total = 0
    for i in range(n):
        account.total += account.rates[i % 3]
        if account.total > 1000 and i % 7 == 0:
            account.total = 0
    return account.total


def logic(n: int) -> int:
    count = 0
    for i in range(n):
        if (i > 3 and i < 50) or not i % 2:
            count += 1 if i % 3 else 2
        if 10 < i < 20:
            count -= 1
    return count


PROGRAMS: tuple[tuple[str, Callable[..., Any], tuple[Any, ...]], ...] = (
    ("Collatz from 27", collatz, (27,)),
    ("nested loops with break and continue", nested_loops, (30,)),
    ("sieve to 500", sieve, (500,)),
    ("while/else, 300 iterations", while_else, (300,)),
    ("recursive Fibonacci of 12", recursion, (12,)),
    ("attributes and list items", attributes, (Account(), 300)),
    ("and, or, not, ternary, chained comparison", logic, (300,)),
)


def twenty_lines(model: Any, x: Any, y: Any, steps: int, rate: float) -> Any:
    losses = []
    best = None
    for step in range(steps):
        prediction = model(x)
        error = prediction - y
        loss = (error * error).mean()
        losses.append(loss)
        if best is None or loss < best:
            best = loss
            model.best = step
        gradient = model.gradient(error)
        norm = (gradient * gradient).sum() ** 0.5
        if norm > 1.0:
            gradient = gradient / norm
        model.weight = model.weight - rate * gradient
        if loss < 1e-6:
            break
        if step % 10 == 9:
            rate *= 0.5
    return losses, best


def mixed_lines(model: Any, items: Any) -> Any:
    total = 0
    for i, item in enumerate(items):
        if item is None:
            continue
        if item > 10:
            total += item
        elif item < 0:
            break
        else:
            total -= model.scale * i
    else:
        total = -total
    while total > 100:
        total //= 2
        if total == 7:
            return None
    squares = [i * total for i in range(4) if i % 2]
    model.last = sum(squares) if squares and total else len(items)
    return collatz(model.last)
