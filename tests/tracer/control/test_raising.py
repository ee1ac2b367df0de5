"""Errors and assertions whose condition is traced: class, message and line of eager code."""

from __future__ import annotations

import traceback
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.tracer.control.raising import Maker
from tests.tracer.control.failing import (
    Coded,
    Failure,
    asserts,
    asserts_a_chain,
    asserts_number,
    asserts_with_message,
    grows_with_check,
    prints_around_errors,
    raises_builtin,
    raises_class,
    raises_in_helper,
    raises_in_loop,
    raises_own,
    raises_values,
    raises_with_cause,
    shows_many,
    shows_scalar,
)
from tests.tracer.control.same import ops_of, outcome, same

ONE = pl.asarray(1.0)


FUNCTIONS = [
    raises_builtin,
    raises_own,
    raises_class,
    raises_values,
    raises_with_cause,
    raises_in_helper,
    asserts,
    asserts_with_message,
    asserts_a_chain,
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_errors_are_those_of_eager_code(function: Any) -> None:
    same(function, ONE, -ONE, ONE * 200, -ONE * 3)


def test_errors_in_loops_are_those_of_eager_code() -> None:
    same(raises_in_loop, ONE, ONE * 20, ONE * 9)


def test_errors_on_xla() -> None:
    same(raises_own, ONE, -ONE, backends=("xla",))
    same(raises_in_loop, ONE, ONE * 20, backends=("xla",))


@pytest.mark.parametrize("backend", ["planned", "xla"])
def test_nothing_is_printed_after_an_error(backend: str) -> None:
    same(prints_around_errors, ONE, ONE * 60, ONE * 200, ONE * 5, backends=(backend,))


def test_attributes_and_cause_are_there() -> None:
    compiled = pl.graph_function(raises_own, backend="planned", fullgraph=True)
    with pytest.raises(Failure) as caught:
        compiled(ONE)
    assert repr(caught.value.code) == repr(ONE)
    compiled = pl.graph_function(raises_with_cause, backend="planned", fullgraph=True)
    with pytest.raises(OSError, match="no such thing") as failed:
        compiled(ONE)
    assert failed.value.errno == 2
    assert isinstance(failed.value.__cause__, Coded)


def test_the_traceback_ends_at_the_users_line() -> None:
    compiled = pl.graph_function(raises_builtin, backend="planned", fullgraph=True)
    with pytest.raises(ValueError, match=r"x is 1\.00") as caught:
        compiled(ONE)
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert last.filename.endswith("failing.py")
    assert last.name == "raises_builtin"
    assert last.line == 'raise ValueError(f"x is {x:.2f}, twice {x * 2}")'


def test_each_call_makes_an_error_of_its_own() -> None:
    compiled = pl.graph_function(raises_own, backend="planned", fullgraph=True)
    found = []
    for value in (1.0, 2.0):
        with pytest.raises(Failure) as caught:
            compiled(pl.asarray(value))
        found.append(caught.value)
    assert found[0] is not found[1]
    assert [str(e)[:27] for e in found] == [
        "failed with pl.Tensor(1., d",
        "failed with pl.Tensor(2., d",
    ]


@pytest.mark.parametrize(
    "value",
    [True, np.int8(-3), np.uint64(2**63 + 5), np.float16(0.1), np.float32(0.1), 1 / 3, -np.inf],
)
def test_messages_show_scalars_of_any_real_dtype(value: Any) -> None:
    same(shows_scalar, pl.asarray(value))


def test_beyond_three_scalars_a_message_shows_types() -> None:
    x = pl.asarray([1, 2, 3, 4])
    found, _, _ = outcome(pl.graph_function(shows_many, backend="planned"), (x,))
    one, two, three = (f"pl.Tensor({i}, dtype=int32)" for i in (1, 2, 3))
    assert found == f"AssertionError: <i32[4]> {one} {two} {three} <i32[]> <i32[]>"


def test_a_known_condition_raises_while_tracing() -> None:
    same(asserts_number, (ONE, 1), (ONE, 3))


def test_variables_keep_their_values_when_a_check_fails() -> None:
    total = pl.Variable(pl.asarray(0.0))

    @pl.graph_function(backend="planned")
    def f(x: Any) -> Any:
        total.assign(total + x)
        if x <= 0:
            raise Coded("negative")
        return x

    f(ONE)
    with pytest.raises(Coded, match="negative"):
        f(-ONE)
    assert total.numpy() == 1.0


def test_checks_that_are_off_raise_nothing() -> None:
    compiled = pl.graph_function(asserts, backend="planned", checks="off")
    assert compiled(ONE).numpy() == 1.0


def test_a_dump_names_the_class_and_shows_the_message() -> None:
    text = pl.graph_function(raises_own, backend="planned").trace(ONE).as_text()
    name = f"{Failure.__module__}:Failure"
    message = "failed with {0!r}: too large"
    assert f'{{error = python "{name}", message = "{message}"}}' in text


def test_a_maker_outside_of_a_trace_gives_the_same_error() -> None:
    maker = Maker(Failure(3, why="so"))
    made = maker()
    assert (type(made), str(made), made.code) == (Failure, "failed with 3: so", 3)  # type: ignore[attr-defined]
    assert maker.message == "failed with 3: so"


def test_makers_of_equal_errors_are_equal() -> None:
    one, other, third = (Maker(Failure(code, why="so")) for code in (3, 3, 4))
    assert one == other
    assert hash(one) == hash(other)
    assert one != third


def test_a_check_in_a_loop_does_not_keep_it_from_being_one_op() -> None:
    compiled = same(grows_with_check, pl.asarray([[1.0, 2.0]] * 20))
    assert "scan" in ops_of(compiled, pl.asarray([[1.0, 2.0]] * 20))
