"""Methods, views and copies of tensors, and NumPy's functions of them, under a tape."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import plait as pl

ADD: Any = np.add  # whose methods' types differ between versions of NumPy

Function = Callable[[Any], Any]
START = np.asarray([[1.1, 2.2, 3.3], [4.4, 5.5, 6.6]])


def written(change: Callable[[Any, Any], Any]) -> Function:
    """A change of a tensor of zeros by the argument, as a function."""

    def call(x: Any) -> Any:
        y = pl.zeros((2, 3), dtype="float64")
        change(y, x)
        return y

    return call


def changed(change: Callable[[Any, Any], Any]) -> Function:
    """A change of a copy of the argument, as a function."""

    def call(x: Any) -> Any:
        y = x.copy()
        change(y, x)
        return y

    return call


def parts(x: Any) -> Any:
    """Writes to the parts of complex numbers."""
    z = x + 1j * x * x
    real, imaginary = z.real, z.imag.T
    z.real = x * 3
    z.imag[0] = x[1]
    z[0] = z[1] * (1 + 2j)
    real[:, 1] = x[:, 0]
    return real * imaginary.T + abs(z)


def parts_of_views(x: Any) -> Any:
    """The same in a view with strides."""
    z = (x + 1j * x * x).T[::2]
    imaginary = z.imag
    imaginary += x.T[::2]
    z *= z
    return abs(z) + imaginary


#: What keeps a tensor's elements, or moves them; in-place changes; leaving and coming back.
USES: dict[str, Function] = {
    "copy": lambda x: x.copy(),
    "deepcopy": lambda x: copy.deepcopy({"a": x})["a"],
    "flatten": lambda x: x.flatten(),
    "at get": lambda x: x.at[0].get(),
    "at set": lambda x: x.at[0].set(2 * x[1]),
    "flat": lambda x: pl.stack(list(x.flat)),
    "flat item": lambda x: x.flat[2],
    "astype": lambda x: x.astype("float64"),
    "astype without a copy": lambda x: x.astype("float64", copy=False),
    "view": lambda x: x.view(),
    "view of the same dtype": lambda x: x.view("float64"),
    "to the same device": lambda x: x.to("cpu:0"),
    "asarray": pl.asarray,
    "asarray of rows": lambda x: pl.asarray([x[0], x[1]]),
    "asarray of elements": lambda x: pl.asarray([[x[0, 0], 2], [0.1, x[1, 1]]]),
    "asarray, copied": lambda x: pl.asarray(x, copy=True),
    "sum of a list": lambda x: pl.sum([x[0], x[1]]),
    "mean of a list": lambda x: pl.mean([x[0, 0], x[1, 0]]),
    "from_dlpack": pl.from_dlpack,
    "from_dlpack, copied": lambda x: pl.from_dlpack(x, copy=True),
    "reshape, copied": lambda x: pl.reshape(x, (6,), copy=True),
    "real": lambda x: (x + 1j * x).real,
    "imag": lambda x: (x + 2j * x).imag,
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "rows": lambda x: sum(r for r in x),
    "max of elements": lambda x: max(x[0, 0], x[1, 1]),
    "sorted elements": lambda x: pl.stack(sorted(x[0], key=lambda v: float(np.asarray(v)))),
    "parts": parts,
    "parts of views": parts_of_views,
    "real of reals": changed(lambda y, x: y.real.__setitem__(1, x[0] * x[1])),
    "setitem": written(lambda y, x: y.__setitem__(0, x[0])),
    "fill": written(lambda y, x: y.fill(x[0, 0])),
    "out": written(lambda y, x: np.add(x, x, out=y)),
    "masks": changed(lambda y, x: y.__setitem__(y > 3, x[0, 0])),
    "positions": changed(lambda y, x: y.__setitem__(([0, 1], [0, 0]), x[0, :2])),
    "in place": changed(lambda y, x: y.__imul__(x)),
    "a row in place": changed(lambda y, x: y[1].__iadd__(x[0])),
    "a transposed row in place": changed(lambda y, x: y.T[1].__iadd__(x[:, 0])),
    "numpy function": lambda x: np.concatenate([np.sin(x), np.ones((1, 3))]),
    "numpy operator": lambda x: np.ones((2, 3)) + x,
    "numpy reduce": ADD.reduce,
    "numpy accumulate": ADD.accumulate,
    "numpy where": lambda x: np.where(x > 2, x, -x),
    "numpy matmul": lambda x: np.ones((1, 2)) @ x,
    "variable": lambda x: pl.Variable(np.zeros((2, 3))).assign(x) * x,
}  # fmt: skip


def total(use: Function) -> Function:
    return lambda x: pl.sum(pl.sin(use(x)))


@pytest.mark.parametrize("name", USES)
def test_the_tape_follows(name: str) -> None:
    function = total(USES[name])
    along = np.random.default_rng(0).normal(size=START.shape)
    ahead, back = (float(function(pl.asarray(START + h * along))) for h in (1e-6, -1e-6))
    x = pl.asarray(START)
    (found,) = pl.gradients_function(function)(x)
    assert found is not None, "the tape has lost it"
    slope = float(np.sum(found.numpy() * along))
    assert slope == pytest.approx((ahead - back) / 2e-6, rel=1e-6, abs=1e-6)
    np.testing.assert_array_equal(x.numpy(), START)


@pytest.mark.parametrize("name", sorted(set(USES) - {"variable", "sorted elements"}))
def test_graphs_follow(name: str) -> None:
    function, x = total(USES[name]), pl.asarray(START)
    found = pl.graph_function(pl.grad(function), backend="reference", fullgraph=True)(x)
    np.testing.assert_allclose(found.numpy(), pl.grad(function)(x).numpy(), rtol=1e-12)


def test_a_tape_in_a_loop_watches_what_is_around_it() -> None:
    @pl.graph_function(backend="planned", fullgraph=True)
    def inner(p: Any, x: Any) -> Any:
        return pl.sum(pl.tanh(x * p))

    def outer(p: Any, xs: Any) -> Any:
        total: Any = 0.0
        for x in xs:
            with pl.GradientTape() as tape:
                tape.watch(p)
                k = pl.asarray(0)
                y = x
                while k < 2:
                    y = y * p
                    k += 1
                found = inner(p, y)
            total = total + pl.sum(tape.gradient(found, p) ** 2)
        return total

    p, xs = pl.asarray(np.asarray([0.5, -0.3, 0.2])), pl.asarray(START)
    wanted = pl.grad(outer)(p, xs).numpy()
    assert float(pl.graph_function(outer, backend="planned", fullgraph=True)(p, xs)) == (
        pytest.approx(float(outer(p, xs)))
    )
    made = pl.graph_function(pl.grad(outer), backend="planned", fullgraph=True)(p, xs)
    np.testing.assert_allclose(made.numpy(), wanted, rtol=1e-12)


def test_writes_to_arguments_in_segments() -> None:
    def function(x: Any, m: Any) -> Any:
        m[0] = x
        row = m[1]
        if x.any():  # of another shape: one graph cannot hold it
            x = m
        x *= 0.5
        row += 1
        return pl.sum(m * m)

    x, m = pl.asarray(START[0]), pl.asarray(START)
    wanted = pl.grad(function, (0, 1))(x, m)
    compiled = pl.graph_function(pl.grad(function, (0, 1)), backend="reference")
    with pytest.warns(pl.errors.GraphBreakWarning):
        found = compiled(x, m)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-12)
    assert not wanted[1][0].numpy().any()


def test_lists_assigned_to_variables_keep_their_digits() -> None:
    v = pl.Variable(np.zeros(2))
    v.assign([0.1, -0.3])
    assert v.numpy().tolist() == [0.1, -0.3]
