"""Functions over exceptions, context managers, generators and names that are not bound."""

# Written as users may write.
# mypy: allow-untyped-defs, allow-untyped-calls, allow-incomplete-defs, no-check-untyped-defs
# mypy: disable-error-code="misc,return-value"
# ruff: noqa: C400
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.tracer.convert.corpus_control import case


@case((3,), (0,))
def try_finally(x):
    log = []
    try:
        log.append("in")
        if x:
            return log
        log.append("after")
    finally:
        log.append("out")
    return log, "end"


@case((0,), (1,), (2,), (3,))
def try_except(x):
    log = []
    try:
        if x == 0:
            raise ValueError("zero")
        if x == 1:
            return 1 // 0
        if x == 2:
            return "returned"
        log.append("body")
    except ValueError as error:
        log.append(str(error))
    except (ZeroDivisionError, KeyError):
        log.append("division")
        return log
    else:
        log.append("else")
    finally:
        log.append("finally")
    return log


@case((5,))
def try_in_loop(n):
    log = []
    for i in range(n):
        try:
            if i == 1:
                continue
            if i == 3:
                break
            if i == 2:
                raise KeyError(i)
            log.append(i)
        except KeyError as error:
            log.append(repr(error))
            continue
        else:
            log.append("else")
        finally:
            log.append("finally")
        log.append("end")
    return log


@case((0,), (1,))
def try_star(x):
    log = []
    try:
        if x:
            raise ExceptionGroup("many", [ValueError(1), KeyError(2)])
        log.append("fine")
    except* ValueError as group:
        log.append(len(group.exceptions))
    except* KeyError:
        log.append("key")
    return log


@case((0,), (1,), (5,))
def raises(x):
    if x == 0:
        raise ValueError("zero")
    if x == 1:
        try:
            [][3]
        except IndexError as error:
            raise RuntimeError("one") from error
    return x


@case((0,), (3,))
def asserts(x):
    assert x, f"x is {x}"
    assert x > 1
    return x


class Context:
    """Notes what happens; swallows KeyError."""

    def __init__(self, log: list[Any]) -> None:
        self.log = log

    def __enter__(self) -> str:
        self.log.append("enter")
        return "entered"

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> bool:
        self.log.append(kind)
        return kind is KeyError


@case((0,), (1,), (2,), (3,))
def withs(x):
    log = []
    with Context(log) as name, Context(log) as log_name:
        if x == 1:
            return log, name
        if x == 2:
            raise KeyError(x)
        log.append(log_name)
        y = "set"
    if x == 2:
        return log, "swallowed"
    for i in range(3):
        with Context(log):
            if i == 1:
                continue
            if i == x - 1:
                break
        log.append(i)
    return log, y


@case((4,), (0,))
def generator(n):
    def numbers(limit) -> Iterator[int]:
        for i in range(limit):
            if i == 2:
                got = yield "two"
                yield got
                continue
            yield i
        else:
            return "done"

    found = []
    steps = numbers(n)
    try:
        while True:
            found.append(next(steps))
    except StopIteration as stop:
        found.append(stop.value)
    return found, list(x * 2 for x in range(n) if x)


@case((3,))
def sends(n):
    def echo():
        got = None
        while True:
            got = yield got
            if got is None:
                return "end"

    def outer():
        result = yield from echo()
        yield result

    steps = outer()
    next(steps)
    return [steps.send(i) for i in range(n)], steps.send(None)


@case((3,))
def as_generator(n):
    total = 0
    while n > 0:
        total += yield_total(n)
        n -= 1
    return list(counting(total))


def yield_total(n):
    return n * 2


def counting(n):
    while n > 0:
        if n % 5 == 0:
            yield "five"
        yield n
        n -= 3


@case((1,), (0,))
def unbound(x):
    if x:
        y = 1
    return y


@case((0,), (2,))
def unbound_loop(n):
    for i in range(n):
        last = i
    return i, last


@case((1,), (0,))
def deleted(x):
    y = 1
    if x:
        del y
    return y
