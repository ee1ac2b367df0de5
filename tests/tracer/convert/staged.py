"""A runtime that stages: both branches of a condition run, and loops go through their flags.

Values are ``Num``, whose comparisons give ``Truth``, which is no bool: converted code has to ask
the runtime. It runs every branch, gives the names of the site their state from before in between,
and merges to the side that Python would have taken. What a site does not list is not restored, so
that a name missing from it gives a wrong result.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from typing import Any

from plait.tracer.convert import Converter
from tests.tracer.convert.fake import Gate, Runtime


class Truth:
    """A truth value that only the runtime may look at."""

    def __init__(self, value: bool) -> None:
        self.value = value

    def __bool__(self) -> bool:
        raise AssertionError("a staged truth value was tested natively")


def value_of(x: Any) -> Any:
    """The Python value of a staged one."""
    return x.value if isinstance(x, (Truth, Num)) else x


def chosen(x: Any) -> Any:
    """What a choice gives that depends on a staged condition: no bool, whatever it was."""
    return Truth(x) if type(x) is bool else x


class Num:
    """An integer whose comparisons are staged."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"Num({self.value})"


def _arithmetic(name: str) -> None:
    function = getattr(operator, name)

    def method(self: Num, other: Any) -> Num:
        return Num(function(self.value, value_of(other)))

    def reflected(self: Num, other: Any) -> Num:
        return Num(function(value_of(other), self.value))

    setattr(Num, f"__{name}__", method)
    setattr(Num, f"__r{name}__", reflected)


def _comparison(name: str) -> None:
    function = getattr(operator, name)
    setattr(Num, f"__{name}__", lambda self, other: Truth(function(self.value, value_of(other))))


for _name in ("add", "sub", "mul", "mod"):
    _arithmetic(_name)
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    _comparison(_name)


class Staged(Runtime):
    """Runs all branches, and keeps what Python would have kept."""

    SCALARS = Runtime.SCALARS | {Num}

    def __init__(self) -> None:
        super().__init__()
        self.taken = [True]

    def state(self, site: Any, held: dict[str, Any]) -> dict[str, Any]:
        return {name: held.get(name, self.UNBOUND) for name in site.names}

    def test(self, value: Any, site: Any) -> Any:
        if not isinstance(value, Truth):
            return bool(value)
        assert type(value.value) is bool
        return Branch(self, value.value, site, sys._getframe(1).f_locals)

    def while_(self, state: Any, test: Any, site: Any, held: dict[str, Any]) -> Any:
        if state is None:
            if not isinstance(test, Truth):
                return None
            state = Loop(self, site)
        state.arrive(value_of(test), held)
        return state

    def for_(self, iterable: Any, site: Any) -> Any:
        if not isinstance(iterable, range):
            return None
        return ForLoop(self, site, iterable)

    def and_(self, value: Any, other: Callable[[], Any]) -> Any:
        if isinstance(value, (Truth, Num)):
            then = other()
            return chosen(then if value.value else value)
        return value and other()

    def or_(self, value: Any, other: Callable[[], Any]) -> Any:
        if isinstance(value, (Truth, Num)):
            then = other()
            return chosen(value if value.value else then)
        return value or other()

    def not_(self, value: Any) -> Any:
        return Truth(not value.value) if isinstance(value, (Truth, Num)) else not value

    def if_expression(self, test: Any, body: Callable[[], Any], orelse: Callable[[], Any]) -> Any:
        if isinstance(test, (Truth, Num)):
            ways = orelse(), body()
            return chosen(ways[bool(test.value)])
        return body() if test else orelse()

    def result(self, flag: Any, value: Any) -> Any:
        assert value_of(flag) is True
        return value


class Branch:
    """A condition whose branches both run."""

    def __init__(self, runtime: Staged, truth: bool, site: Any, held: dict[str, Any]) -> None:
        self.runtime, self.truth, self.site = runtime, truth, site
        self.before = runtime.state(site, dict(held))
        runtime.taken.append(runtime.taken[-1] and truth)

    def otherwise(self, held: dict[str, Any]) -> tuple[Any, ...]:
        self.then = self.runtime.state(self.site, held)
        self.runtime.taken[-1] = self.runtime.taken[-2] and not self.truth
        return tuple(self.before.values())

    def merge(self, held: dict[str, Any]) -> tuple[Any, ...]:
        self.runtime.taken.pop()
        end = self.then if self.truth else self.runtime.state(self.site, held)
        other = self.runtime.state(self.site, held) if self.truth else self.then
        return tuple([self.mixed(end[name], other[name]) for name in end])

    def only(self, held: dict[str, Any]) -> tuple[Any, ...]:
        state = self.otherwise(held)
        return self.merge(dict(zip(self.site.names, state, strict=True)))

    @staticmethod
    def mixed(end: Any, other: Any) -> Any:
        """What is kept; a flag that depends on the condition is no bool any more."""
        if type(end) is bool and end is not other:
            return Truth(end)
        return end


class Loop:
    """A loop that runs as often as Python would, and never leaves but by its test."""

    def __init__(self, runtime: Staged, site: Any) -> None:
        self.runtime, self.site, self.done = runtime, site, False
        self.state: tuple[Any, ...] = ()
        self.rounds = 0

    def arrive(self, test: bool, held: dict[str, Any]) -> None:
        self.state = tuple(self.runtime.state(self.site, held).values())
        self.rounds += 1
        # Where Python is not, the loop's test need not come true: once is enough.
        self.done = not test or (not self.runtime.taken[-1] and self.rounds > 1)
        assert self.rounds < 2000


class ForLoop(Loop):
    """The same over a range."""

    def __init__(self, runtime: Staged, site: Any, items: range) -> None:
        super().__init__(runtime, site)
        self.left = iter(items)
        self.items = iter(lambda: None, 0)
        self.element: Any = None

    def step(self, held: dict[str, Any]) -> tuple[Any, ...]:
        broken = value_of(held.get(self.site.flag, False))
        self.element = next(self.left, None)
        self.arrive(self.element is not None and not broken, held)
        if self.element is not None:
            self.element = Num(self.element)
        return self.state


def staging() -> Converter:
    """A converter for a runtime that stages conditions on ``Num``."""
    return Converter(Staged(), Gate(True))
