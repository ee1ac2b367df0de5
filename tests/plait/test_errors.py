"""Errors as users meet them: what was wrong, at their line, with no frame of Plait's own."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.tracer import lift

X = pl.ones((3, 3))
E = pl.errors

WRONG: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: pl.round(X, np.ones(2)), E.DTypeError, "round: decimals must be an integer"),  # type: ignore[arg-type]
    (lambda: pl.diag(X, "a"), E.DTypeError, "diagonal: offset|diag: k|diag: offset"),  # type: ignore[arg-type]
    (lambda: pl.diagonal(X, 1.5), E.DTypeError, "diagonal: offset must be an integer"),  # type: ignore[arg-type]
    (lambda: pl.trace(X, "x"), E.DTypeError, "trace: offset must be an integer, got 'x'"),  # type: ignore[arg-type]
    (lambda: pl.rot90(X, axes=(0,)), E.ShapeError, "rot90: axes must be two axes"),  # type: ignore[arg-type]
    (lambda: pl.argwhere(X, size="x"), E.DTypeError, "argwhere: size must be an integer"),  # type: ignore[call-overload, unused-ignore, arg-type]
    (lambda: pl.nonzero(X, size=-1), E.ShapeError, "nonzero: size must not be negative, got -1"),
    (lambda: pl.unique(X, size="x"), E.DTypeError, "unique: size must be an integer"),  # type: ignore[arg-type]
    (lambda: pl.arange(np.ones(3)), E.ShapeError, "arange: start, stop and step are numbers"),
    (lambda: pl.roll(X, 1.5), E.DTypeError, "roll: shift must be an integer, got 1.5"),
    (lambda: pl.tril(X, 1.5), E.DTypeError, "tril: k must be an integer, got 1.5"),  # type: ignore[arg-type]
    (lambda: pl.eye("x"), E.DTypeError, "eye: the number of rows must be an integer"),  # type: ignore[arg-type]
    (lambda: pl.top_k(X, "x"), E.DTypeError, "top_k: k must be an integer"),  # type: ignore[arg-type]
    (lambda: pl.random.seed("x"), E.DTypeError, "seed: the seed must be an integer"),  # type: ignore[arg-type]
    (lambda: pl.random.normal("x"), E.DTypeError, "normal: a shape is made of integers"),
    (lambda: pl.sum(X, foo=1), E.SignatureError, r"sum: .*'foo'; call it as sum\(x, axis"),  # type: ignore[call-arg]
    (lambda: X.sum(foo=1), E.SignatureError, r"sum: .*'foo'; call it as sum\(axis"),  # type: ignore[call-arg]
    (lambda: pl.where(1), E.SignatureError, "where: missing 2 required"),  # type: ignore[call-arg]
    (lambda: X[::0], E.ShapeError, r"x\[::0\] on a tensor of shape \(3, 3\)"),
    (lambda: X["x"], E.IndexOutOfRangeError, r"x\['x'\] on a tensor"),
    (lambda: pl.asarray([[1, 2], [3, "a"]]), E.DTypeError, r"asarray: element \[1\]\[1\].*'a'"),
    (lambda: pl.asarray([[1, 2], [3]]), E.ShapeError, r"row \[0\] has shape \(2,\), row \[1\]"),
    (lambda: pl.asarray([[[1], [2, 3]]]), E.ShapeError, r"row \[0\]\[0\] has shape \(1,\), row"),
    (lambda: pl.asarray([10**30]), E.DTypeError, r"element \[0\].*does not fit in 64 bits"),
    (lambda: pl.tanh("a"), E.DTypeError, "^tanh: expected a tensor"),
    (lambda: pl.zeros("x"), E.DTypeError, "^zeros: a shape"),  # type: ignore[arg-type]
    (lambda: pl.constant(300, dtype="int8"), E.DTypeError, "int8: it holds -128 to 127; use a"),
    (lambda: pl.max(pl.ones(0)), E.ShapeError, r"no elements in a tensor of shape \(0,\)"),
    (lambda: pl.reshape(X, (5,)), E.ShapeError, r"shape \(5,\)"),
    (lambda: pl.reshape(X, (5, -1)), E.ShapeError, r"shape \(3, 3\) does not fit \(5, -1\)"),
    (
        lambda: pl.convolution(pl.ones((1, 8, 8, 3)), pl.ones((3, 3, 4, 5))),
        E.ShapeError,
        r"x of shape \(1, 8, 8, 3\) has 3 .*kernel of shape \(3, 3, 4, 5\), meaning \(\*window",
    ),
    (
        lambda: pl.einsum("ij,jk->ik", pl.ones((2, 3)), pl.ones((4, 5))),
        E.ShapeError,
        r"'j' of 'ij,jk->ik' has sizes 3 and 4 in operands of shapes \(2, 3\) and \(4, 5\)",
    ),
    (lambda: bool(X), E.ShapeError, "one element"),
    (lambda: len(pl.ones(())), E.DTypeError, "0-d"),
    (lambda: pl.finfo("x"), E.UnknownNameError, "^finfo: unknown dtype 'x'"),
    (lambda: pl.from_dlpack(3), E.DTypeError, "^from_dlpack"),
    (lambda: pl.Variable("a"), E.DTypeError, "^Variable: expected a tensor"),
    (
        lambda: pl.TensorSpec(),  # type: ignore[call-arg]
        E.SignatureError,
        r"^TensorSpec: missing .* TensorSpec\(shape, dtype",
    ),
    (lambda: pl.TensorSpec((-1,)), E.ShapeError, "^TensorSpec: a size cannot be negative"),
    (lambda: pl.einsum("ij->k", X), E.ParseError, "^einsum: the result's letter 'k'"),
    (lambda: np.add(X, "a"), E.DTypeError, "np.add"),
    (lambda: X @ pl.ones(4), E.ShapeError, "matmul"),
]


@pytest.mark.parametrize(("wrong", "kind", "message"), WRONG)
def test_bad_input_raises_at_the_users_line(
    wrong: Callable[[], Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message) as caught:
        wrong()
    error: Any = caught.value
    assert error.location.file == "tests/plait/test_errors.py"
    assert error.location.line >= wrong.__code__.co_firstlineno
    assert modules(error.__traceback__) == {__name__}
    assert isinstance(error, (TypeError, ValueError, IndexError))


def modules(trace: TracebackType | None) -> set[str]:
    """The modules of the frames of a traceback."""
    return {frame.f_globals["__name__"] for frame, _ in traceback.walk_tb(trace)}


class Unlucky:
    """An object of the user's whose conversion fails."""

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise ValueError("the sensor is off")


def test_errors_of_the_users_own_code_stay_what_they_are() -> None:
    with pytest.raises(ValueError, match=r"^the sensor is off$") as caught:
        pl.tanh(Unlucky())
    assert type(caught.value) is ValueError
    assert modules(caught.value.__traceback__) == {__name__}


def test_an_error_in_a_traced_function_ends_at_the_users_line() -> None:
    def helper(x: Any) -> Any:
        found: dict[str, Any] = {}
        return found["missing"] + x

    @pl.graph_function(backend="reference")
    def f(x: Any) -> Any:
        try:
            return helper(x)
        except KeyError as error:
            raise RuntimeError("while helping") from error

    with pytest.raises(RuntimeError, match="while helping") as caught:
        f(X)
    assert modules(caught.value.__traceback__) == {__name__}
    names = [frame.f_code.co_name for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert names[-1] == "f"
    assert isinstance(caught.value.__cause__, KeyError)
    cause = traceback.walk_tb(caught.value.__cause__.__traceback__)
    assert [frame.f_code.co_name for frame, _ in cause] == ["f", "helper"]


def test_our_error_in_a_traced_function_keeps_the_users_frames() -> None:
    @pl.graph_function(backend="reference")
    def f(x: Any) -> Any:
        return pl.reshape(x, (5,))

    for run in (lambda: f(X), lambda: f.trace(X), lambda: f.graph(X)):
        with pytest.raises(E.ShapeError) as caught:
            run()
        trace = caught.value.__traceback__
        assert [g.f_code.co_name for g, _ in traceback.walk_tb(trace)][-1] == "f"
        assert modules(trace) == {__name__}


def test_an_index_is_refused_with_the_words_of_eager_code() -> None:
    with pytest.raises(E.IndexOutOfRangeError, match=r"x\[5\] on a tensor of shape \(3, 3\)"):
        pl.graph_function(lambda x: x[5], backend="reference")(X)


def test_all_frames_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAIT_FULL_TRACEBACK", "1")
    with pytest.raises(E.DTypeError) as caught:
        pl.median(X, axis=object())  # type: ignore[arg-type]
    assert "plait.tracer.tensor_handle" in modules(caught.value.__traceback__)


def test_our_own_faults_are_pointed_out() -> None:
    space: dict[str, Any] = {"__name__": "plait.ir.fault"}  # as if it were one of our modules
    exec("def fault(x):\n    return x.nothing_of_that_name\n", space)
    with pytest.raises(AttributeError) as caught:
        lift(space["fault"])(1)
    assert modules(caught.value.__traceback__) == {__name__}
    assert any("PLAIT_FULL_TRACEBACK=1" in note for note in caught.value.__notes__)


def test_recursion_without_end_says_so() -> None:
    @pl.graph_function(backend="reference", fullgraph=True)
    def forever(x: Any) -> Any:
        return forever(x) + 1

    with pytest.raises(E.TraceError, match="forever calls itself without end"):
        forever(X)


def test_the_users_own_recursion_error_stays_one() -> None:
    def helper(x: Any) -> Any:
        return helper(x)

    with pytest.warns(E.GraphBreakWarning, match="without end"), pytest.raises(RecursionError):
        pl.graph_function(lambda x: helper(x), backend="reference")(X)


def test_a_compiled_call_says_which_argument_differs() -> None:
    f = pl.graph_function(lambda x, k: x * k["a"], backend="reference")
    compiled = f.trace(pl.TensorSpec((8, 8)), {"a": 2}).optimize().lower().compile()
    with pytest.raises(E.SignatureError, match=r"x: compiled for f32\[8,8\], got f32\[8,9\]"):
        compiled(pl.ones((8, 9)), {"a": 2})
    with pytest.raises(E.SignatureError, match=r"k\['a'\]: compiled for 2, got 3"):
        compiled(pl.ones((8, 8)), {"a": 3})
    wanted = r"compiled as lambda_\(f32\[8,8\], {'a': 2}\), called as lambda_\(f32\[8,8\]\)"
    with pytest.raises(E.SignatureError, match=wanted) as caught:
        compiled(pl.ones((8, 8)))
    assert modules(caught.value.__traceback__) == {__name__}


def test_names_of_the_front_door_are_public() -> None:
    assert set(dir(pl)) == {*pl.__all__, "__version__", "inspect"}
    assert dir(E) == E.__all__
    leaked = {name for name in vars(E) if not name.startswith("_")} - {*E.__all__, "annotations"}
    assert not leaked


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_not_our_fault() -> None:
    command = [sys.executable, "-m", "plait.cli", "show", "examples/lstm.py:lstm_cell"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "cannot write to standard output: No space left on device" in done.stderr
    assert "internal" not in done.stderr
