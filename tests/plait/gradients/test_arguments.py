"""What may be given to functions that differentiate, and what they say about the rest."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import plait as pl
from plait import errors


def vector(*values: float) -> pl.Tensor:
    return pl.asarray(np.array(values))


def check(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(np.asarray(found), wanted, rtol=1e-6)


def plain(f: Any) -> Any:
    return f


both = pytest.mark.parametrize("compiled", [plain, pl.graph_function])


@both
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "complex64"])
def test_gradients_have_the_dtype_of_the_argument(compiled: Any, dtype: str) -> None:
    x = pl.asarray([1.0, 2.0], dtype=dtype)

    def weighed(x: pl.Tensor) -> pl.Tensor:
        return pl.sum(pl.real(x * x * pl.asarray([1.0, 2.0], dtype="float64")))

    f = compiled(weighed)
    for found in (pl.grad(f)(x), compiled(pl.grad(f))(x), pl.gradients_function(f)(x)[0]):
        assert found.dtype == x.dtype
        check(np.asarray(found).astype(complex), [2.0, 8.0])
    value, tangent = pl.jvp(f, (x,), (x,))
    assert value.dtype == tangent.dtype


@both
@pytest.mark.parametrize("make", [float, np.float64, np.float32, np.array, pl.asarray])
def test_numbers_and_arrays_are_arguments(compiled: Any, make: Any) -> None:
    f = compiled(lambda x, y: x * y * y)
    first, second = pl.grad(f, argnums=(0, 1))(make(2.0), make(5.0))
    check(first, 25.0)
    check(second, 20.0)
    check(pl.grad(f)(make(2.0), 5), 25.0)
    check(pl.vjp(f, make(2.0), make(5.0))[1](1)[0], 25.0)
    check(pl.jvp(f, (make(2.0), make(5.0)), (make(1.0), make(0.0)))[1], 25.0)
    check(pl.jacobian(f, argnums=1)(make(2.0), make(5.0)), 20.0)


def test_jax_arrays_are_arguments() -> None:
    x, y = jnp.array([1.0, 2.0]), jnp.array([3.0, 4.0])

    def f(x: Any, y: Any) -> Any:
        return pl.sum(x * y * y)

    check(pl.grad(f)(x, y), [9.0, 16.0])
    check(pl.grad(pl.graph_function(f), argnums=1)(x, y), [6.0, 16.0])
    check(pl.grad(lambda y: pl.sum(pl.asarray(x) * y * y))(y), [6.0, 16.0])
    with pytest.raises(pl.errors.TraceError, match=r"operator of jax(.|\n)*test_arguments"):
        pl.grad(f, argnums=1)(x, y)  # jax multiplies, and would give a constant
    assert isinstance(x * pl.asarray(2.0), type(x))


@both
def test_empty_tensors(compiled: Any) -> None:
    empty, square = pl.zeros((0,)), compiled(lambda x: x * x)
    total = compiled(lambda x: pl.sum(x * x))
    assert pl.grad(total)(pl.zeros((0, 3))).shape == (0, 3)
    assert pl.jacobian(square)(empty).shape == (0, 0)
    assert pl.hessian(total)(empty).shape == (0, 0)
    assert pl.vmap(pl.grad(total))(pl.zeros((0, 3))).shape == (0, 3)
    assert pl.jvp(square, (empty,), (empty,))[1].shape == (0,)


@both
def test_other_arguments_beside_those_that_are_differentiated(compiled: Any) -> None:
    def mixed(p: Any, i: Any, flag: Any, none: None, name: str, *, scale: float = 1.0) -> Any:
        shift = 0.0 if none is None and name == "a" else 1.0
        return pl.sum(p["w"] * p["w"]) * i * scale + pl.where(flag, 1.0, shift)

    f = compiled(mixed)
    p = {"w": vector(1.0, 2.0), "nothing": None}
    for i, flag in ((3, True), (pl.asarray(3), pl.asarray(True)), (np.int64(3), np.True_)):
        found = pl.grad(f)(p, i, flag, None, "a", scale=2.0)
        check(found["w"], [12.0, 24.0])
        assert found["nothing"] is None


@both
def test_none_in_arguments_and_results(compiled: Any) -> None:
    f = compiled(lambda p: (p[0] * 2, None))
    p = (vector(1.0, 2.0), None)
    (found,) = pl.gradients_function(f)(p)
    check(found[0], [2.0, 2.0])
    value, pull = pl.vjp(f, p)
    assert value[1] is None
    ((found, none),) = pull((vector(1.0, 3.0), None))
    check(found, [2.0, 6.0])
    assert none is None
    value, tangent = pl.jvp(f, (p,), ((vector(1.0, 3.0), None),))
    check(tangent[0], [2.0, 6.0])
    assert tangent[1] is None
    (rows, none), nothing = pl.jacobian(f)(p)
    check(rows, 2 * np.eye(2))
    assert none is None
    assert nothing is None


def test_arguments_may_be_written_to_before_the_way_back() -> None:
    a, v = np.array([1.0, 2.0]), pl.Variable(np.array([1.0, 2.0]))
    pulls = [pl.vjp(lambda x: x * x, x)[1] for x in (a, v)]
    a[:] = 7.0
    v.assign([7.0, 7.0])
    for pull in pulls:
        check(pull(vector(1.0, 1.0))[0], [2.0, 4.0])


X, INTEGERS = vector(1.0, 2.0), pl.asarray([1, 2])


def made(result: Any) -> Any:
    """A function with a gradient of its own."""
    return pl.custom_gradient(lambda x: (pl.sum(x), lambda g: result))


WRONG: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: pl.grad(lambda x: x)(X), errors.ShapeError, r"0-d tensor.*\(2,\)"),
    (lambda: pl.grad(pl.argmax)(X), errors.DTypeError, "int64"),
    (lambda: pl.grad(lambda x: None)(X), errors.DTypeError, "NoneType"),
    (lambda: pl.grad(lambda x: pl.sum(x) * 1j)(X), errors.DTypeError, "real number"),
    (lambda: pl.grad(pl.sum, has_aux=True)(X), errors.SignatureError, "a pair"),
    (lambda: pl.grad(lambda x: x)(3), errors.DTypeError, "argument 0: only floating .* int32"),
    (lambda: pl.grad(lambda x: x)("a"), errors.DTypeError, "argument 0: .* got str"),
    (lambda: pl.grad(lambda x: x)({"w": INTEGERS}), errors.DTypeError, r"argument 0\['w'\]"),
    (lambda: pl.grad(lambda x: x, argnums=5)(X), errors.SignatureError, "argument 5; 1 were"),
    (lambda: pl.grad(lambda x: x, argnums=None)(X), errors.SignatureError, "None"),  # type: ignore[arg-type]
    (lambda: pl.grad(pl.multiply, argnums=(0, -2))(X, X), errors.SignatureError, "twice"),
    (lambda: pl.grad(lambda x: x)(x=X), errors.SignatureError, "given by name"),
    (lambda: pl.grad(lambda x: x)(X, X), errors.SignatureError, "takes 1 positional"),
    (lambda: pl.grad(3), errors.SignatureError, "grad: expected a function, got int"),  # type: ignore[arg-type]
    (lambda: pl.vjp(3, X), errors.SignatureError, "vjp: expected a function"),  # type: ignore[arg-type]
    (lambda: pl.vjp(lambda x: x, X)[1](vector(1.0)), errors.ShapeError, r"\(2,\), got \(1,\)"),
    (lambda: pl.vjp(lambda x: x, X)[1]((X, X)), errors.SignatureError, "structure"),
    (lambda: pl.vjp(lambda x: x, X)[1](X * 1j), errors.DTypeError, "complex128"),
    (lambda: pl.jvp(3, (X,), (X,)), errors.SignatureError, "jvp: expected a function"),  # type: ignore[arg-type]
    (lambda: pl.jvp(lambda x: x, X, X), errors.SignatureError, "tuples"),  # type: ignore[arg-type]
    (lambda: pl.jvp(lambda x: x, (X,), (X, X)), errors.SignatureError, "structure"),
    (
        lambda: pl.jvp(lambda x: x, (INTEGERS,), (INTEGERS,)),
        errors.DTypeError,
        r"primals\[0\].*int",
    ),
    (lambda: pl.jacobian(3), errors.SignatureError, "jacobian: expected a function"),  # type: ignore[arg-type]
    (lambda: pl.jacobian(lambda x: x, mode="up"), errors.UnknownNameError, "mode"),
    (lambda: pl.jacobian(pl.argmax)(X), errors.DTypeError, "int64"),
    (lambda: pl.hessian(lambda x: x)(X), errors.ShapeError, "0-d"),
    (lambda: pl.custom_gradient(3), errors.SignatureError, "custom_gradient: expected"),  # type: ignore[arg-type]
    (lambda: pl.custom_gradient(lambda x: x)(X), errors.TraceError, "must return a pair"),
    (lambda: pl.grad(made((X, X)))(X), errors.TraceError, "one gradient for each of 1"),
    (lambda: pl.grad(made(vector(1.0)))(X), errors.ShapeError, r"shape \(1,\).*\(2,\)"),
    (lambda: pl.grad(made("a"))(X), errors.DTypeError, "must be a tensor, got str"),
    (lambda: pl.remat(3), errors.SignatureError, "remat: expected"),  # type: ignore[arg-type]
    (lambda: pl.gradients_function(pl.sum, ["z"])(X), errors.SignatureError, "argument 'z'"),
    (lambda: pl.gradients_function(pl.sum, [None])(X), errors.SignatureError, "argument None"),  # type: ignore[list-item]
    (lambda: pl.gradients_function(pl.sum, 0)(X), errors.SignatureError, "a list"),  # type: ignore[arg-type]
    (lambda: pl.gradients_function(pl.sum, [0, -1])(X), errors.SignatureError, "twice"),
    (lambda: pl.gradients_function(lambda x: None)(X), errors.DTypeError, "got None"),
    (lambda: pl.implicit_gradients(lambda: 3)(), errors.DTypeError, "got int"),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_wrong_arguments_are_explained_at_the_users_line(number: int) -> None:
    call, kind, message = WRONG[number]
    with pytest.raises(kind, match=message) as found:
        call()
    assert {frame.filename for frame in traceback.extract_tb(found.tb)} == {__file__}
    assert "test_arguments.py" in str(found.value)
    assert "payload" not in str(found.value)


def test_wrong_targets_and_sources_of_a_tape() -> None:
    with pl.GradientTape(persistent=True) as tape:
        tape.watch(X)
        y, k = pl.sum(X * X), pl.argmax(X)
        for wrong in (INTEGERS, 3.0, "a", None, np.array([1.0])):
            with pytest.raises(errors.DTypeError, match="watch"):
                tape.watch(wrong)
    calls: list[tuple[Callable[[], Any], type[Exception], str]] = [
        (lambda: tape.gradient(k, X), errors.DTypeError, "int64"),
        (lambda: tape.gradient("a", X), errors.DTypeError, "got str"),
        (lambda: tape.gradient(None, X), errors.DTypeError, "got None"),
        (lambda: tape.gradient(y, INTEGERS), errors.DTypeError, "int32"),
        (lambda: tape.gradient(y, "a"), errors.DTypeError, "got str"),
        (lambda: tape.gradient(y * 1j, X), errors.DTypeError, "complex"),
        (lambda: tape.gradient(y, X, X), errors.ShapeError, r"\(2,\)"),
        (lambda: tape.gradient(y, X, [y, y]), errors.ShapeError, "one for each target"),
        (lambda: tape.gradient(y, X, 1j), errors.DTypeError, "complex64"),
        (lambda: tape.gradient(y), errors.SignatureError, "sources"),  # type: ignore[call-arg]
        (lambda: tape.jacobian([y, y], X), errors.DTypeError, "got list"),
    ]
    for call, kind, message in calls:
        with pytest.raises(kind, match=message) as found:
            call()
        assert {frame.filename for frame in traceback.extract_tb(found.tb)} == {__file__}
