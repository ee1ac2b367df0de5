"""Functions over Python's control flow; each is run as it is and converted, and compared."""

# Written as users may write.
# mypy: allow-untyped-defs, allow-untyped-calls, allow-incomplete-defs, no-check-untyped-defs
# mypy: disable-error-code="misc,return-value"
# ruff: noqa: B007
from __future__ import annotations

from collections.abc import Callable
from typing import Any

Case = tuple[Callable[..., Any], tuple[Any, ...]]
CASES: list[Case] = []


def case(*arguments: tuple[Any, ...]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Run a function with each of some tuples of arguments."""

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        CASES.extend((function, each) for each in arguments)
        return function

    return add


@case((1,), (-1,), (0,))
def if_else(x):
    if x > 0:
        y = "positive"
    elif x < 0:
        y = "negative"
    else:
        y = "zero"
    return y


@case((1,), (0,), ([],), ("a",), (None,), (2.5,))
def truthiness(x):
    found = []
    if x:
        found.append("yes")
    if not x:
        found.append("no")
    while x:
        found.append("once")
        x = None
    return found


@case((1,), (5,), (50,))
def early_returns(x):
    if x < 2:
        return "small"
    y = x * 2
    if y < 20:
        return "middle", y
    z = y + 1
    return "large", y, z


@case((1, 1), (1, -1), (-1, 1), (-1, -1))
def nested_returns(a, b):
    if a > 0:
        if b > 0:
            return "both"
        c = a - b
    else:
        if b > 0:
            return "second"
        c = b - a
    c += 1
    return c


@case((0,), (1,), (3,))
def falls_off(x):
    if x == 1:
        return "one"
    if x == 3:
        return


@case((27,), (1,))
def collatz(n):
    steps = 0
    while n != 1:
        if n % 2:
            n = 3 * n + 1
        else:
            n //= 2
        steps += 1
    return steps


@case(([3, 1, 2], 2), ([3, 1], 9), ([], 1))
def find(items, wanted):
    for index, item in enumerate(items):
        if item == wanted:
            break
    else:
        return "absent"
    return index


@case((10, 3), (10, 20), (0, 0))
def while_else(limit, stop):
    i = 0
    while i < limit:
        if i == stop:
            break
        i += 1
    else:
        return "whole", i
    return "stopped", i


@case((10,), (0,))
def continues(n):
    total = 0
    for i in range(n):
        if i % 2:
            continue
        if i % 3 == 0:
            total += 100
            continue
        total += i
    return total


@case((10,), (1,))
def while_continue(n):
    found = []
    while n > 0:
        n -= 1
        if n % 3 == 0:
            continue
        found.append(n)
    return found


@case((6, 7), (6, 100), (1, 1))
def nested_loops(n, wanted):
    for i in range(n):
        for j in range(n):
            if i * j == wanted:
                return i, j
            if j > i:
                break
        else:
            continue
        if i == 4:
            break
    else:
        return "none", i
    return "left", i, j


@case((5,), (0,))
def break_outer(n):
    seen = []
    for i in range(n):
        found = False
        for j in range(n):
            seen.append((i, j))
            if i + j == 4:
                found = True
                break
            if j == 3:
                continue
        if found:
            break
    return seen


@case((20,), (3,), (2,))
def sieve(n):
    flags = [True] * n
    flags[0:2] = [False, False]
    i = 2
    while i * i < n:
        if flags[i]:
            for j in range(i * i, n, i):
                flags[j] = False
        i += 1
    return [i for i, flag in enumerate(flags) if flag]


@case((3,), (0,))
def endless(n):
    while True:
        n -= 1
        if n < 0:
            break
        if n == 1:
            n = -10
    return n


@case((3,), (-3,))
def while_in_if(x):
    if x > 0:
        while x:
            x -= 1
        done = True
    else:
        while x < 0:
            x += 1
            if x == -1:
                return "early"
        done = False
    return x, done


@case((0,), (1,), (-5,))
def ternaries(x):
    y = "a" if x > 0 else "b" if x < 0 else "c"
    return (y, x if x else "zero", [1 if x else 2, (lambda: x if x > 0 else None)()])


@case((0, 0), (0, 1), (1, 0), (1, 1), ([], "a"))
def logic(a, b):
    first = a and b
    second = a or b
    third = not a
    fourth = (a and b) or (not b and a)
    fifth = bool(a) and not (a or b) and a
    return first, second, third, fourth, fifth, bool(a)


@case((1, 2, 3), (3, 2, 1), (1, 1, 1), (2, 1, 5))
def chains(a, b, c):
    return a < b < c, a <= b <= c <= 3, a == b == c, a < b > c, 0 < a + b < c + 3 != 9, a < b in [b]


@case()
def chain_order():
    seen = []

    def note(x):
        seen.append(x)
        return x

    found = note(1) < note(3) < note(2) < note(5)
    return found, seen


@case((4,), (40,))
def walrus(n):
    if (half := n // 2) > 5:
        return half
    while (half := half - 1) > 0:
        n += half
    found = [last := x for x in range(n)]
    return half, n, found, last, (n > 3 and (y := n)) and y


@case(([1, 2, 3],), ([],))
def walrus_pop(items):
    total = 0
    while (rest := len(items)) and (top := items.pop()):
        total += top * rest
    return total


@case((1,), (2,), (3,), ("a",), (None,), (True,), (7,))
def match_values(x):
    match x:
        case 1:
            return "one"
        case 2 | 3:
            found = "few"
        case "a":
            found = "text"
        case None:
            return None
        case y if y == 7:
            found = y
        case _:
            found = "other"
    return found


@case((1,), (5,))
def match_no_default(x):
    y = 0
    match x:
        case 1:
            y = 1
    return y


@case(((1, 2),), ((1,),), ([1, 2, 3],), ({"k": 3},), (5,), ({},))
def match_patterns(x):
    match x:
        case (a, b):
            return "pair", a, b
        case [a, *rest] if len(rest) > 1:
            y = a, rest
        case {"k": value, **others}:
            y = value, others
        case int(n):
            y = n
        case _:
            y = None
    return y


@case(((1, 2),), ((2, 1),), ((0, 0),), ((0, 5),), ([1],), ([-1],), (3,), (-3,))
def match_guards(x):
    seen = []
    match x:
        case (0, 0):
            return "origin"
        case (a, b) if seen.append(a) or a > b:
            y = a - b
        case (a, _) if a:
            y = a
        case [only] if only > 0:
            return only
        case int(n) | [n] if n < 0:
            y = n
        case other if other == 3:
            y = "three"
        case _:
            y = None
    return y, seen


@case((3, 1), (1, 3))
def match_in_loop(n, stop):
    found = []
    for i in range(n + 3):
        match i % 4:
            case 0:
                continue
            case 1 if i > stop:
                break
            case other:
                found.append((i, other))
    return found


@case((3,))
def deep(n):
    found = []
    for i in range(n):
        if i:
            for j in range(n):
                if j == 1:
                    if i == 2:
                        while True:
                            found.append((i, j))
                            if len(found) > 4:
                                return found, "full"
                            break
                    else:
                        continue
                found.append(j)
                if len(found) > 10:
                    break
            else:
                found.append("else")
                continue
            break
    return found


@case((5,), (15,), (30,))
def return_in_nested_while(n):
    i = 0
    while True:
        j = 0
        while j < 10:
            if i * j > n:
                return i, j
            j += 1
        i += 1
        if i > 3:
            break
    return "none", i, j


@case((1,), (2,))
def pass_and_ellipsis(x):
    if x == 1:
        pass
    else:
        ...
    for _ in range(x):
        pass
    while False:
        x = 9
    if True:
        x += 1
    return x


@case((0,), (1,), (2,), (3,))
def static_tests(x):
    y = None if x == 0 else x
    if y is None:
        return "none"
    for i in range(5):
        if y is not None and i is y:
            return i
        if i == 3:
            y = None
        if y is None:
            break
    return y
