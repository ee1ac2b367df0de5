"""Functions that fail; not in a test module, whose assertions pytest rewrites."""

from __future__ import annotations

from typing import Any


class Failure(Exception):
    """With arguments and attributes of its own."""

    def __init__(self, code: Any, *, why: str = "") -> None:
        super().__init__(f"failed with {code}: {why}")
        self.code = code


class Coded(ValueError):
    pass


def raises_builtin(x: Any) -> Any:
    if x > 0:
        raise ValueError(f"x is {x:.2f}, twice {x * 2}")
    return x


def raises_own(x: Any) -> Any:
    if x > 0:
        raise Failure(x, why="too large")
    return x


def raises_class(x: Any) -> Any:
    if x > 0:
        raise Coded
    return x


def raises_values(x: Any) -> Any:
    if x > 0:
        raise KeyError(x, 3, "s")
    return x


def raises_with_cause(x: Any) -> Any:
    if x > 0:
        raise OSError(2, "no such thing") from Coded("why")
    return x


def raises_in_loop(x: Any) -> Any:
    while x < 10:
        if x > 3:
            raise OverflowError(f"reached {x}")
        x = x * 2
    return x


def prints_around_errors(x: Any) -> Any:
    print("start", x)
    total = x * 0
    for i in range(20):
        if total > x * 3:
            raise OverflowError(f"total {total}")
        print("step", i, total)
        total = total + i
    print("loop", total)
    assert total < 185, "sum"
    if x > 100:
        print("large")
        raise Coded(x)
    print("end", total)
    return total


def raises_in_helper(x: Any) -> Any:
    return raises_builtin(x) + raises_own(x - 100)


def asserts(x: Any) -> Any:
    assert x < 1
    return x


def asserts_with_message(x: Any) -> Any:
    assert x < 1, f"{x} is {int(x)} or {float(x)}"
    return x


def asserts_a_chain(x: Any) -> Any:
    assert 0 < x < 1 or x < -1, ("not there", 1)
    return x


def shows_scalar(x: Any) -> Any:
    assert x != x, f"{x} {x + 0}"
    return x


def shows_many(x: Any) -> Any:
    assert x[0] > 5, f"{x} {x[0]} {x[1]} {x[2]} {x[3]} {x[0]}"
    return x


def asserts_number(x: Any, n: Any) -> Any:
    assert n > 2, f"n is {n}"
    return x


def grows_with_check(rows: Any) -> Any:
    means = []
    for row in rows:
        mean = row.mean()
        assert mean < 5, f"mean {mean}"
        means.append(mean)
    return means
