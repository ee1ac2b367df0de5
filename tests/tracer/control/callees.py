"""Things that compiled functions call."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any


def larger(x: Any, y: Any) -> Any:
    if x > y:
        return x
    return x - x + y


@dataclasses.dataclass
class Checked:
    value: Any
    twice: Any = None

    def __post_init__(self) -> None:
        if self.value > 2:
            self.twice = self.value * 2
        else:
            self.twice = self.value


class Layer:
    scale = 2.0

    def __init__(self, start: Any) -> None:
        self.start = start if start > 0 else -start

    def __call__(self, x: Any) -> Any:
        return larger(self.start, x)

    def method(self, x: Any, *, offset: Any = 0.0) -> Any:
        return self(x) + offset

    @classmethod
    def made(cls, x: Any) -> Layer:
        return cls(x + 1)

    @staticmethod
    def helper(x: Any) -> Any:
        return larger(x, 0.5)

    @property
    def doubled(self) -> Any:
        return larger(self.start, 1.0) * 2


class Derived(Layer):
    def __init__(self, start: Any) -> None:
        super().__init__(start)
        if start > 3:
            self.start = start - 3

    def method(self, x: Any, *, offset: Any = 1.0) -> Any:
        return super().method(x, offset=offset) * 2


class Single:
    made = 0

    def __new__(cls, x: Any) -> Single:
        self = super().__new__(cls)
        self.x = larger(x, 2.0)
        return self

    x: Any


class Items(list[Any]):
    def __init__(self, *values: Any) -> None:
        super().__init__(v if v > 0 else -v for v in values)


class Meta(type):
    def __call__(cls, x: Any) -> Any:
        made = super().__call__()
        made.x = larger(x, 1.0)
        return made


class WithMeta(metaclass=Meta):
    x: Any


class Special:
    def __init__(self, x: Any) -> None:
        self.x = x
        self.entered = 0

    def __len__(self) -> int:
        return 3 if self.entered else 2

    def __abs__(self) -> Any:
        return self.x if self.x > 0 else -self.x

    def __str__(self) -> str:
        return f"positive {self.x}" if self.x is not None else "nothing"

    def __enter__(self) -> Any:
        self.entered += 1
        self.x = larger(self.x, 2.0)
        return self

    def __exit__(self, *_: object) -> None:
        self.entered -= 1
        self.x = self.x * 2


def scaled(factor: Any) -> Callable[..., Any]:
    def decorator(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(x: Any) -> Any:
            return function(x) * factor if x > 0 else function(x)

        return wrapper

    return decorator


@scaled(3.0)
def decorated(x: Any) -> Any:
    return larger(x, -1.0)


@contextlib.contextmanager
def doubling(x: Any) -> Iterator[Any]:
    print("enter", x)
    yield larger(x, 0.0) * 2
    print("leave")


@functools.cache
def fibonacci(n: int) -> int:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@functools.lru_cache(maxsize=8)
def cached(n: int) -> list[int]:
    return [n]


@functools.singledispatch
def dispatched(x: Any) -> Any:
    return larger(x, 2.0)


@dispatched.register
def _(x: int) -> Any:
    return x + 100


def numbers(x: Any) -> Iterator[Any]:
    yield larger(x, 1.0)
    for i in range(2):
        yield x + i


def endless(x: Any) -> Any:
    if x > 0:
        return endless(x - 1) + 1
    return x


def even(x: Any) -> Any:
    return True if x <= 0 else odd(x - 1)


def odd(x: Any) -> Any:
    return False if x <= 0 else even(x - 1)


def counted(x: Any, n: int) -> Any:
    return x if n == 0 else counted(larger(x, n) + 1, n - 1)
