"""Text with traced tensors, and prints in order when the graph runs."""

# ruff: noqa: UP031, UP032 - old ways to format are to be captured, too
from __future__ import annotations

import dataclasses
import sys
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.ir.errors import TraceError
from tests.tracer.control.same import ops_of, outcome, same

X = pl.asarray([1.0, -2.5])
ONE, TWO = pl.asarray(1.0), pl.asarray(-2)


@dataclasses.dataclass
class Pair:
    first: Any
    second: Any


class Named:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"<named {self.value}>"


def formats(x: Any) -> Any:
    print(f"{x}", f"{x!r:>50}|{x!s:<50}|", f"{x[0]:.3f} {x[1]:+08.2f}", f"{x.shape} {{}}")
    print("{} and {:.1e}".format(x, x[0]))
    print("%s|%.2f|%5d|%-8.1f|%%|%r" % (x, x[0], x[1], x[0], [x[0]]))
    print("%(a)s" % {"a": x}, "%s" % x[1])
    return x


def containers(x: Any) -> Any:
    print([x, x[0]], (x,), {"key": x}, Pair(x, 3), Named(x[0]), {1: Named(x)})
    print(str(x) + "!", "<" + repr(x[0]) + ">", str([x[0]]) * 2, ", ".join([str(x), "end"]))
    return x


def separators(x: Any) -> Any:
    print("a", x[0], "b", sep=" | ", end=".\n")
    print(x[0], sep="", end=f" {x[1]}\n")
    print()
    print("plain {braces}", None, 1.5, end="")
    print("", end="\n")
    return x


def numbers(x: Any, n: Any) -> Any:
    print(n, [n], f"{n} {n:.2f} {n!r:>8}", n * 2, int(x[0]), float(x[1]))
    return x * n


@pytest.mark.parametrize("function", [formats, containers, separators])
def test_prints_show_what_eager_prints_show(function: Any) -> None:
    same(function, X, X * 2)


def test_prints_of_arrays_show_what_numpy_shows() -> None:
    def show(x: Any) -> Any:
        print(x, [x], f"{x} {x!r}", x.sum())
        return x

    same(show, np.arange(3.0), np.ones((2, 2), np.float32))


def test_prints_of_runtime_numbers_keep_them_runtime() -> None:
    compiled = same(numbers, (X, 1.5), (X, 2.5), (X, 1 / 3))
    assert len(compiled._specializer) == 2


def test_prints_of_variables_and_outside_tensors() -> None:
    variable, weight = pl.Variable(pl.asarray([1.0, 2.0]), name="v"), pl.asarray([5])

    def show(x: Any) -> Any:
        print(variable, weight, f"{weight[0]:d}")
        return x

    same(show, X)
    compiled = pl.graph_function(show, backend="planned")
    compiled(X)
    variable.assign(pl.asarray([7.0, 8.0]))
    weight[0] = 6
    assert outcome(compiled, (X,)) == outcome(show, (X,))


def branches(x: Any) -> Any:
    print("start")
    if x > 0:
        print("positive", x)
        if x > 2:
            print("large")
    else:
        print("negative", x)
    while x > 0:
        print("loop", x)
        x = x - 1
    for i in range(2):
        print("for", i, x)
    print("end", x)
    return x


def test_prints_in_branches_and_loops_keep_their_order() -> None:
    compiled = same(branches, ONE, ONE * 3, -ONE)
    names = ops_of(compiled, ONE)
    assert names.count("create_token") == 1
    assert {"cond", "while"} <= set(names)


def test_prints_on_xla_keep_their_order() -> None:
    same(branches, ONE * 3, -ONE, backends=("xla",))


def test_a_print_of_python_values_prints_at_every_call() -> None:
    @pl.graph_function(backend="planned")
    def f(x: Any) -> Any:
        print("called")
        return x

    assert [outcome(f, (X,))[1] for _ in range(3)] == ["called\n"] * 3


def test_a_print_to_another_file_is_no_part_of_a_graph() -> None:
    def f(x: Any) -> Any:
        print(x, file=sys.stderr)
        return x

    with pytest.raises(TraceError, match=r"file other than sys\.stdout"):
        pl.graph_function(f, backend="planned", fullgraph=True)(X)


def test_wrong_separators_are_refused_as_eager() -> None:
    def f(x: Any) -> Any:
        print(x, sep=3)  # type: ignore[call-overload]
        return x

    with pytest.raises(TypeError, match="sep must be None or a string, not int"):
        pl.graph_function(f, backend="planned", fullgraph=True)(X)


@pytest.mark.parametrize(
    "use",
    [
        lambda x: {f"{x}": 1},
        lambda x: f"{x}" == "1",
        lambda x: len(f"{x}"),
        lambda x: f"{x}".upper(),
        lambda x: f"{f'{x} and'!s:>30}",
        lambda x: f"{x}"[0],
        lambda x: "a" in f"{x}",
        lambda x: list(f"{x}"),
    ],
)
def test_what_needs_the_text_itself_is_no_part_of_a_graph(use: Any) -> None:
    with pytest.raises(TraceError, match="text that holds the value of a tensor"):
        pl.graph_function(lambda x: (use(x), x)[1], backend="planned", fullgraph=True)(X)


def test_a_text_is_a_string_as_far_as_code_can_tell() -> None:
    def f(x: Any) -> Any:
        text = f"{x}"
        return x, isinstance(text, str), type(text) is str, bool(f"x {x}")

    same(f, X)


def test_the_public_print_joins_or_formats() -> None:
    def f(x: Any) -> Any:
        pl.print("x", x, sep=": ", end="\n\n")
        pl.print("{} of {n:.2f} {{}}", x, n=x[0])
        pl.print("{}")
        pl.print("{1} {0}", 1, x)
        pl.print()
        return x

    same(f, X)
    assert outcome(f, (ONE[None],))[1].startswith("x: pl.Tensor([1.], dtype=float32, shape=(1,))")


def test_the_public_print_says_what_is_wrong() -> None:
    with pytest.raises(IndexError):
        pl.print("{} {}", 1)
    with pytest.raises(KeyError, match="n"):
        pl.print("{n}", m=1)


def test_a_dump_shows_the_template() -> None:
    compiled = pl.graph_function(lambda x: (pl.print("x", x, end=""), x)[1], backend="planned")
    text = compiled.trace(X).as_text()
    assert 'print(%0, %x) {template = "x {0!r}", end = ""}' in text
