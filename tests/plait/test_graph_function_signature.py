"""graph_function: every kind of callable and of Python argument is a signature, or says why not."""

from __future__ import annotations

import enum
import functools
from typing import Any

import numpy as np
import pytest

import plait as pl

compiled = functools.partial(pl.graph_function, backend="planned")


def x32(*shape: int) -> Any:
    """Numbers that differ."""
    return pl.asarray(np.arange(np.prod(shape), dtype=np.float32).reshape(shape))


class Color(enum.Enum):
    """No number."""

    RED = 1
    BLUE = 2


class Level(enum.IntEnum):
    """A number with a name."""

    LOW = 1
    HIGH = 2


STATIC = (Color.RED, Level.LOW, 1, True, "a", b"b", len, ..., None, np.dtype("f4"), range(3))


@pytest.mark.parametrize("value", [*STATIC, np, np.add, np.float32, 2**80, frozenset({1})])
def test_hashable_arguments_are_part_of_the_signature(value: Any) -> None:
    f = compiled(lambda x, s: (x + 1, s, type(s)))
    for _ in range(2):
        got = f(x32(1), value)
        assert got[1] is value or got[1] == value
        assert got[2] is type(value)
    f(x32(1), Color.BLUE)
    assert f(x32(1), value)[2] is type(value)


class Ambiguous:
    """Equality that is no answer."""

    def __init__(self, v: float) -> None:
        self.v = v

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> Any:
        return np.array([True, False])


class Raising(Ambiguous):
    """Equality that fails."""

    __hash__ = Ambiguous.__hash__

    def __eq__(self, other: object) -> Any:
        raise RuntimeError("no equality")


class Unhashable:
    """A hash that fails."""

    def __hash__(self) -> int:
        raise ValueError("no hash")


@pytest.mark.parametrize("kind", [Ambiguous, Raising])
def test_values_that_cannot_be_compared_are_different(kind: Any) -> None:
    f = compiled(lambda x, s: x + s.v)
    one, two = kind(1), kind(2)
    for _ in range(2):
        assert float(f(pl.constant(0.0), one)) == 1
        assert float(f(pl.constant(0.0), two)) == 2
    assert len(f._specializer) == 2


def test_a_hash_that_fails_is_named() -> None:
    with pytest.raises(pl.errors.SignatureError, match=r"argument s is a Unhashable.*no hash"):
        compiled(lambda x, s: x)(x32(1), Unhashable())


def test_complex_numbers_differ_by_the_sign_of_zero() -> None:
    f = compiled(lambda k: (k.real, k.imag), static="k")
    for k in (complex(0.0, -0.0), complex(-0.0, 0.0), 0j):
        assert str(f(k)) == str((k.real, k.imag))


def test_callables_of_every_kind() -> None:
    class Model:
        def plain(self, x: Any) -> Any:
            return x + 1

        @classmethod
        @pl.graph_function(backend="planned")
        def of_class(cls, x: Any) -> Any:
            return x + 2

        @staticmethod
        @pl.graph_function(backend="planned")
        def static(x: Any) -> Any:
            return x + 3

        def __call__(self, x: Any, *, k: int = 4) -> Any:
            return x + k

    def many(x: Any, /, y: Any, *rest: Any, k: int = 1, **more: Any) -> Any:
        return x + y + sum(rest) + k + sum(more.values())

    twice = compiled(compiled(lambda x: x + 1))

    @functools.wraps(twice)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return twice(*args, **kwargs) * 2

    one = pl.ones((1,))
    results = {
        compiled(Model().plain): 2,
        Model.of_class: 3,
        Model().of_class: 3,
        Model.static: 4,
        Model().static: 4,
        compiled(Model()): 5,
        twice: 2,
        compiled(wrapped): 4,
        compiled(abs): 1,
        compiled(np.negative): -1,
        compiled(pl.negative): -1,
        compiled(functools.partial(np.add, 2.0)): 3,
    }
    for function, result in results.items():
        for _ in range(2):
            assert function(one).numpy().tolist() == [result]
    f = compiled(functools.partial(many, one, k=2))
    for k in (1.0, 2.0, 3.0):
        assert f(k, 2.0, 3.0, z=4.0).numpy().tolist() == [1 + k + 2 + 3 + 2 + 4]
        assert f(y=k).numpy().tolist() == [1 + k + 2]


def test_static_names_groups_of_arguments() -> None:
    for static, calls in ((("args",), 3), (("options",), 3), (("x",), 2)):
        f = compiled(lambda x, *args, **options: x * args[0] * options["k"], static=static)
        for k in (1.0, 2.0, 3.0):
            arguments = (k, 1.0) if static == ("args",) else (1.0, k)
            assert float(f(pl.constant(1.0), arguments[0], k=arguments[1])) == k
        assert len(f._specializer) == calls


@pytest.mark.parametrize("static", [5, -1, True, [1.5]])
def test_static_that_names_nothing_is_an_error(static: Any) -> None:
    with pytest.raises(pl.errors.SignatureError, match="static"):
        pl.graph_function(lambda x, k: x, static=static)
    pl.graph_function(lambda x, *args: x, static=5)


def test_the_graph_of_a_call_method_has_the_name_of_its_class() -> None:
    class Scale:
        @pl.graph_function(backend="reference")
        def __call__(self, x: Any) -> Any:
            return x * 2

    def __call__(x: Any) -> Any:
        return x

    assert Scale().__call__.graph("f32[2]").name == "Scale"
    assert pl.graph_function(Scale(), backend="reference").graph("f32[2]").name == "Scale"
    assert pl.graph_function(__call__, backend="reference").graph("f32[2]").name == "call"
