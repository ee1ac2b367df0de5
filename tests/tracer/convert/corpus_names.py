"""Functions over names, calls, definitions, text and data; see ``corpus_control``."""

# Written as users may write.
# mypy: allow-untyped-defs, allow-untyped-calls, allow-incomplete-defs, no-check-untyped-defs
# mypy: disable-error-code="misc,untyped-decorator,attr-defined,no-redef,name-defined"
# mypy: disable-error-code="truthy-function"
# ruff: noqa: B007, B905, C416, F841, UP031
from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any

from tests.tracer.convert.corpus_control import case

COUNT = 3
TABLE = {"a": 1, "b": [1, 2, 3]}


@case((1,), (3,))
def closures(x):
    total = 0

    def add(y):
        nonlocal total
        if y > 1:
            total += y
        return total

    for i in range(x + 2):
        add(i)
    return total, [f() for f in [lambda i=i: i + total for i in range(3)]]


@case((5,))
def deep_nonlocal(n):
    def middle():
        nonlocal n
        n += 1

        def inner():
            nonlocal n, k
            n *= 2
            k = n
            return k

        k = 0
        return inner() + k

    return middle(), n


@case((2,))
def uses_globals(x):
    global COUNT
    before = COUNT
    COUNT = before + x
    COUNT += 1
    after = COUNT
    COUNT = before
    for COUNT in range(9):
        pass
    COUNT = before
    return before, after, TABLE["b"][1], TABLE.get("c"), math.pi


@case(())
def deletes_global():
    global fresh
    fresh = 1
    found = fresh
    del fresh
    try:
        return fresh
    except NameError as error:
        return found, str(error)


@case((5,), (1,))
def recursion(n):
    def fib(k):
        return k if k < 2 else fib(k - 1) + fib(k - 2)

    return fib(n), factorial(n)


def factorial(n):
    if n <= 1:
        return 1
    return n * factorial(n - 1)


@case((1, 2, 3), (1,))
def star_arguments(*args, **kwargs):
    def inner(a, /, b=2, *rest, c, d=4, **others):
        return a, b, rest, c, d, others

    first, *others = [*args, 4]
    return inner(*args, c=first, **kwargs, **{"e": others}), [*others], {**kwargs, "x": 1}


@case(([1, [2, 3], (4, 5)],))
def unpacking(data):
    a, (b, c), (d, *e) = data
    [f, g], h = (a, b), c
    for i, (j, k) in enumerate([(1, 2), (3, 4)]):
        a += i * j - k
    x = y = [a]
    return a, b, c, d, e, f, g, h, x is y


@dataclass
class Point:
    x: int = 0
    y: Any = None


@case((3,))
def attributes(n):
    p = Point(n)
    p.y = Point()
    p.y.x = p.x + 1
    p.y.x += 5
    p.x, p.y.y = 7, [p.x]
    p.y.y[0] *= 2
    p.y.y[0:1] += [8]
    for p.x in range(3):
        p.y.y.append(p.x)
    with_ = p.y.y[-1]
    del p.y.y[0]
    q = p.y
    del p.y
    return p.x, q, hasattr(p, "z"), with_, p.y


@case(([1, 2, 3, 4],))
def items(x):
    x[0] = x[1] + x[-1]
    x[1:3] = [9]
    x[x[1] - 8] += 1
    d = {"a": {"b": x}}
    d["a"]["b"][0] -= 1
    d["c"], x[0] = 1, 2
    *d["rest"], d["last"] = x
    del d["c"], x[::2]
    grid = {(0, 1): "p", (slice(0, 1).start, 2): "q"}
    return x, d, grid[0, 1], grid[0, 2], [x for x in d]


@case((["a"],))
def augmented_names(x):
    y = x
    y += ["b"]
    z = 1
    z += 2.5
    z **= 2
    s = "a"
    s *= 3
    t = {1}
    t |= {2}
    bits = 6
    bits &= 3
    bits <<= 2
    bits ^= 1
    bits >>= 1
    bits |= 8
    bits //= 2
    bits %= 3
    m = 7
    m -= 1
    m /= 2
    return x is y, x, z, s, t, bits, m


@case((3, "txt"), (2.5, None))
def texts(x, y):
    width = 6
    return (
        f"{x} {y!r} {x!s:>{width}} {x:{width}.{2}} {{}} {'q'}" if x else "",
        f"{x=}",
        f"plain",  # noqa: F541
        "%s and %r" % (x, y),
        f"{x} {y}",
        f"{x!a}" + f"{[i for i in range(2)]}",
    )


@case((4,))
def comprehensions(n):
    squares = [i * i for i in range(n) if i % 2 or i > 2]
    table = {i: [j for j in range(i)] for i in range(n)}
    flat = {j for i in table for j in table[i] if j}
    pairs = [(i, j) for i in range(n) for j in range(i) if i + j > 2]
    lazy = sum(i if i > 1 else n for i in range(n))
    calls = [f(2) for f in [lambda x: x + n, lambda x, k=n: x * k]]
    x = "outer"
    inner = [x for x in range(2)]
    return squares, table, flat, pairs, lazy, calls, x, inner, [[y for y in z] for z in pairs]


@case((3,))
def lambdas(n):
    twice, thrice = (lambda x: 2 * x), (lambda x: 3 * x if x else n)
    curried = lambda a: lambda b, *c, d=5: (a, b, c, d, n)  # noqa: E731
    return twice(n), thrice(0), curried(1)(2, 3), sorted([3, 1, 2], key=lambda v: -v)


def doubled(function):
    @wraps(function)
    def inner(*args, **kwargs):
        return [function(*args, **kwargs), function(*args, **kwargs)]

    return inner


@case((3,))
@doubled
def decorated(x):
    return x + 1


@case((3,))
def decorates(x):
    @doubled
    @partial(partial, None) if x > 5 else doubled
    def inner(y: int, *, z: str = "q") -> tuple[int, str]:
        """Doc."""
        return y, z

    return inner(x), inner.__doc__, inner.__wrapped__.__wrapped__.__annotations__["y"]


class Base:
    kind = "base"

    def __init__(self, x):
        self.__x = x
        self._plain = x

    def get(self):
        return self.__x

    def name(self, suffix=""):
        return self.kind + suffix


class Derived(Base):
    kind = "derived"

    def __init__(self, x, __y=4):
        super().__init__(x)
        self.__x = __y
        self.__count = 0

    def get(self):
        if self.__x:
            found = super().get()
        else:
            found = None
        self.__count += 1
        for __i in range(3):
            self.__count += __i
        return found, self.__x, self.__count, self._Base__x, self.kind and super().name("!")

    @classmethod
    def made(cls, x):
        return cls(x).get()

    @staticmethod
    def plain(x):
        return x or "nothing"

    @property
    def size(self):
        def inner():
            return self.__x + len(super(Derived, self).name())

        return inner()


@case((3,))
def methods(x):
    d = Derived(x)
    return d.get(), Derived.made(x), Derived.plain(0), d.size, d.name(suffix="?"), type(d)(1).get()


METHODS = [Derived.get, Derived.size.fget, Derived.__init__, Derived.made, Base.get]


@case((3,))
def classes(n):
    base = object if n else int

    class Inner(base):
        """Doc."""

        value = n
        doubled = value * 2
        if value:
            listed = [n for _ in range(2)]

        def get(self):
            if self.value > n:
                return "more"
            return self.__private() + n

        def __private(self):
            return self.value and self.doubled

        @classmethod
        def make(cls):
            return cls()

        class Deeper:
            def get(self):
                return __class__.__name__, n

    found = Inner.make()
    return found.get(), Inner.listed, Inner.__doc__, Inner.Deeper().get(), Inner.__qualname__


@case((3,))
def annotations(x: int) -> Any:
    y: int = x
    z: undefined  # noqa: F821
    p = Point()
    p.y: int = 5
    (w): list[int] = [1]
    if x > 5:
        z = 1
    return y, p.y, w, "z" in locals()


@case((3,))
def imports(x):
    import math as m
    import os.path
    from collections import Counter as Count

    if x > 2:
        from itertools import chain
    return os.path.join("a", "b"), Count("aab"), m.floor(2.5), list(chain([1], [2]))


@case((3,))
def reads_locals(x):
    y = x + 1
    for i in range(3):
        if i == y:
            break
    found = locals()
    return sorted(found), dir(), sorted(vars())


@case((3,))
def evaluates(x):
    y = 5
    return eval("x + y"), globals()["COUNT"], "y" in dir()


@case((2,))
def coroutines(x):
    import asyncio

    async def inner(y):
        if y > 1:
            return [z async for z in numbers(y)]
        return y

    async def numbers(n):
        for i in range(n):
            yield i

    return asyncio.run(inner(x))


@case(([3, 1, 2],), ([],))
def builtins_used(x):
    return (
        len(x),
        sorted(x),
        max(x, default=0),
        sum(x),
        any(x),
        all(x),
        list(zip(x, x)),
        [*map(str, x)],
    )


@case((1,))
def shadows(len):
    list = len + 1
    locals = [list]
    return list, len, locals


@case((1,), (2,))
def thunk_names(x):
    y = 1
    z = [(x and (lambda: y)) or (lambda: 0) for _ in range(2)]
    y = 5
    return [f() for f in z], x > 1 and [y for y in range(x)] and y


@case((1,))
def conditional_definition(x):
    if x:

        def helper():
            return "a", x

    else:

        def helper():
            return "b"

    return helper()


@case((0,), (1,))
def exception_names(x):
    error = "before"
    try:
        if x:
            raise ValueError(x)
    except ValueError:
        pass
    return error
