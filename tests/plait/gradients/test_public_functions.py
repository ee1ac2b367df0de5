"""Every public function of floating tensors passes derivatives on: by tape as in graphs."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import plait as pl
from tests.gradients import spread_values

Function = Callable[..., Any]

X, Y = spread_values((3, 4), 0.2, 0.9, 1), spread_values((3, 4), 0.3, 0.95, 2)
SQUARE, LINE = spread_values((3, 3), 0.2, 0.9, 3), spread_values((4,), 0.2, 0.9, 4)
IMAGE, KERNEL = spread_values((1, 6, 6, 2), 0, 1, 5), spread_values((3, 3, 2, 3), 0, 1, 6)
QUERY = spread_values((1, 3, 2, 4), 0, 1, 7)
INDEX, PLACES = np.asarray([2, 0, 2]), np.argsort(Y, axis=1)

#: Calls that need more than one or two matrices.
CALLS: dict[str, tuple[Function, tuple[Any, ...]]] = {
    "acosh": (lambda x: pl.acosh(x + 1), (X,)),
    "append": (lambda x, y: pl.append(x, y, axis=0), (X, Y)),
    "array_split": (lambda x: pl.array_split(x, 3, axis=1), (X,)),
    "asarray": (lambda x: pl.asarray([x[0], x[1]]), (X,)),
    "astype": (lambda x: pl.astype(x, "float64"), (X,)),
    "avg_pool": (lambda x: pl.avg_pool(x, 2), (IMAGE,)),
    "bincount": (lambda x: pl.bincount(INDEX, x, 4), (LINE[:3],)),
    "broadcast_to": (lambda x: pl.broadcast_to(x, (2, 3, 4)), (X,)),
    "choose": (lambda x, y: pl.choose([[1, 0, 1, 1]], [x, y]), (X, Y)),
    "compress": (lambda x: pl.compress([True, False, True], x, axis=0), (X,)),
    "clip": (lambda x, y: pl.clip(x, y * 0.5, 0.8), (X, Y)),
    "concat": (lambda x, y: pl.concat([x, y]), (X, Y)),
    "conv_transpose": (
        lambda x, k: pl.conv_transpose(x, pl.swapaxes(k, 2, 3), 2), (IMAGE, KERNEL)
    ),
    "convolution": (lambda x, k: pl.convolution(x, k, padding="SAME"), (IMAGE, KERNEL)),
    "cross": (lambda x, y: pl.cross(x[:, :3], y[:, :3]), (X, Y)),
    "delete": (lambda x: pl.delete(x, 1, axis=0), (X,)),
    "dot": (lambda x, y: pl.dot(x, y.T), (X, Y)),
    "dot_product_attention": (pl.dot_product_attention, (QUERY, QUERY + 1, QUERY * 2)),
    "dynamic_slice": (lambda x: pl.dynamic_slice(x, (1, 2), (2, 2)), (X,)),
    "dynamic_update_slice": (
        lambda x, y: pl.dynamic_update_slice(x, y[:2, :2], (1, 1)), (X, Y)
    ),
    "einsum": (lambda x, y: pl.einsum("ij,kj->ik", x, y), (X, Y)),
    "expand_dims": (lambda x: pl.expand_dims(x, 1), (X,)),
    "flip": (lambda x: pl.flip(x, 0), (X,)),
    "full": (lambda x: pl.full((2, 3), x[0, 0]), (X,)),
    "full_like": (lambda x: pl.full_like(x, x[0, 0]), (X,)),
    "gather": (lambda x: pl.gather(x, INDEX), (X,)),
    "geomspace": (lambda x: pl.geomspace(x[0, 0], x[0, 1], 4), (X,)),
    "getitem": (lambda x: pl.getitem(x, (slice(None, None, -2), 1)), (X,)),
    "insert": (lambda x, y: pl.insert(x, 1, y[0], axis=0), (X, Y)),
    "intersect1d": (lambda x: pl.intersect1d(x, X[:2]), (X,)),
    "interp": (lambda x, y: pl.interp(x, np.linspace(0, 1, 4), y), (X, LINE)),
    "linspace": (lambda x: pl.linspace(x[0, 0], x[0, 1], 4), (X,)),
    "logspace": (lambda x: pl.logspace(x[0, 0], x[0, 1], 4), (X,)),
    "matmul": (lambda x, y: x @ y.T, (X, Y)),
    "matrix_power": (lambda x: pl.matrix_power(x, 3), (SQUARE,)),
    "max_pool": (lambda x: pl.max_pool(x, 2), (IMAGE,)),
    "meshgrid": (lambda x, y: pl.meshgrid(x[0], y[1]), (X, Y)),
    "moveaxis": (lambda x: pl.moveaxis(x, 0, 1), (X,)),
    "nanpercentile": (lambda x: pl.nanpercentile(x, 30), (X,)),
    "nanquantile": (lambda x: pl.nanquantile(x, 0.3), (X,)),
    "one_hot": (
        lambda x: pl.one_hot(INDEX, 3, on_value=x[0, 0], off_value=x[0, 1], dtype="float64"), (X,)
    ),
    "pad": (lambda x: pl.pad(x, ((1, 2), (0, 1)), mode="reflect"), (X,)),
    "partition": (lambda x: pl.partition(x, 2), (X,)),
    "percentile": (lambda x: pl.percentile(x, 30), (X,)),
    "permute_dims": (lambda x: pl.permute_dims(x, (1, 0)), (X,)),
    "piecewise": (lambda x: pl.where(x > 0.5, x * 2, x), (X,)),
    "put": (lambda x, y: pl.put(x, [0, 5], y[0, :2]), (X, Y)),
    "put_along_axis": (lambda x, y: pl.put_along_axis(x, PLACES, y, 1), (X, Y)),
    "quantile": (lambda x: pl.quantile(x, 0.3), (X,)),
    "remainder": (lambda x, y: pl.remainder(x + 2, y), (X, Y)),
    "repeat": (lambda x: pl.repeat(x, 3, axis=1), (X,)),
    "reshape": (lambda x: pl.reshape(x, (2, 6)), (X,)),
    "roll": (lambda x: pl.roll(x, 2, axis=1), (X,)),
    "scatter": (lambda x, y: pl.scatter(x, INDEX[:2], y[:2]), (X, Y)),
    "select": (lambda x, y: pl.select([Y > 0.6, Y > 0.4], [x, y], 0.5), (X, Y)),
    "setdiff1d": (lambda x: pl.setdiff1d(x, X[0]), (X,)),
    "setitem": (lambda x, y: pl.setitem(x, (0, slice(1, 3)), y[0, 1:3]), (X, Y)),
    "split": (lambda x: pl.split(x, 2, axis=1), (X,)),
    "stack": (lambda x, y: pl.stack([x, y], axis=1), (X, Y)),
    "swapaxes": (lambda x: pl.swapaxes(x, 0, 1), (X,)),
    "take": (lambda x: pl.take(x, INDEX, axis=0), (X,)),
    "take_along_axis": (lambda x: pl.take_along_axis(x, PLACES, 1), (X,)),
    "tile": (lambda x: pl.tile(x, (2, 1)), (X,)),
    "top_k": (lambda x: pl.top_k(x, 2)[0], (X,)),
    "trapezoid": (lambda x, y: pl.trapezoid(x, y, axis=1), (X, Y)),
    "vander": (lambda x: pl.vander(x, 3), (LINE,)),
    "where": (lambda x, y: pl.where(Y > 0.6, x, y), (X, Y)),
}  # fmt: skip

#: Functions whose results depend on no floating argument, or only in steps.
_STEPS = (
    "around ceil copysign divmod equal fix floor floor_divide fmod frexp heaviside modf nextafter "
    "remainder mod rint round sign signbit trunc ones_like zeros_like empty_like histogram "
    "digitize imag isclose stop_gradient float_power"
)
STEPS = frozenset(_STEPS.split())

#: Functions whose results have shapes that depend on values: they run in segments.
_UNSHAPED = (
    "bincount intersect1d setdiff1d union1d unique unique_all unique_counts unique_inverse "
    "unique_values"
)
UNSHAPED = frozenset(_UNSHAPED.split())


def tried() -> Iterator[tuple[str, Function, tuple[Any, ...]]]:
    """The calls above, and those of every other public function of one or two matrices."""
    for name, (function, given) in CALLS.items():
        yield name, function, given
    seen = {id(getattr(pl, name, None)) for name in CALLS}
    for name in pl.__all__:
        function = getattr(pl, name)
        if not inspect.isfunction(function) or id(function) in seen:
            continue
        if not function.__module__.startswith("plait.ir.functions"):
            continue
        seen.add(id(function))
        for given in ((X,), (X, Y), (SQUARE,), (LINE,), (LINE, LINE + 1)):
            if gives_floats(function, given):
                yield name, function, given
                break


def gives_floats(function: Function, given: tuple[Any, ...]) -> bool:
    """Whether something floating comes out."""
    try:
        with np.errstate(all="ignore"):
            return bool(floats(function(*[pl.asarray(x) for x in given])))
    except Exception:  # not for such arguments
        return False


def floats(found: Any) -> list[Any]:
    """The floating and complex tensors in a result."""
    if isinstance(found, (tuple, list)):
        return [x for item in found for x in floats(item)]
    return [found] if isinstance(found, pl.Tensor) and found.dtype.kind in "fc" else []


EVERY = {name: (function, given) for name, function, given in tried()}


def weighted(function: Function) -> Function:
    """A number that depends on all elements of what a function gives."""

    def total(*given: Any) -> Any:
        parts = [pl.real(x * pl.sin(pl.arange(x.size) + 1.0).reshape(x.shape)) for x in
                 floats(function(*given))]  # fmt: skip
        return sum(pl.sum(part) for part in parts)

    return total


def test_most_functions_are_seen() -> None:
    assert len(EVERY) > 210


@pytest.mark.parametrize("name", EVERY)
def test_the_tape_follows_as_the_graph_does(name: str) -> None:
    function, given = EVERY[name]
    total, numbers = weighted(function), tuple(range(len(given)))
    tensors = [pl.asarray(x) for x in given]
    with pl.GradientTape() as tape:
        tape.watch(tensors)
        value = total(*tensors)
    eager = tape.gradient(value, tensors)
    graph = pl.graph_function(pl.grad(total, numbers), backend="reference")
    with warnings.catch_warnings():
        if name in UNSHAPED:
            warnings.simplefilter("ignore", pl.errors.GraphBreakWarning)
        found = graph(*tensors)
    for x, mine, theirs in zip(tensors, eager, found, strict=True):
        if name in STEPS:
            mine = pl.zeros_like(x) if mine is None else mine
        assert mine is not None, "the tape has lost it"
        np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", sorted(set(EVERY) - STEPS - {"intersect1d", "setdiff1d"}))
def test_the_gradient_is_that_of_differences(name: str) -> None:
    function, given = EVERY[name]
    total, random = weighted(function), np.random.default_rng(0)
    along = [random.normal(size=x.shape) for x in given]
    ahead, back = (
        float(total(*[pl.asarray(x + h * d) for x, d in zip(given, along, strict=True)]))
        for h in (1e-6, -1e-6)
    )
    found = pl.grad(total, tuple(range(len(given))))(*[pl.asarray(x) for x in given])
    slope = sum(float(np.sum(g.numpy() * d)) for g, d in zip(found, along, strict=True))
    assert slope == pytest.approx((ahead - back) / 2e-6, rel=1e-5, abs=1e-6)
