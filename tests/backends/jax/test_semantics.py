"""NumPy's meaning where XLA's own differs, beyond what the contract cases hold."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from plait import ir
from plait.backends.jax import compile
from plait.backends.jax.lowerings.indexing import lower_scatter
from plait.backends.jax.lowerings.order import sort_key
from plait.ir import ops
from tests.backends.agreement import disagreement
from tests.backends.jax.cases import failures
from tests.backends.jax.graphs import graph_of
from tests.ir.op_cases import Case

INTEGERS = [t for t in ir.DTYPES if t.kind in "iu"]
FLOATS = (ir.float32, ir.float64)


def pairs(values: Any, dtype: Any) -> tuple[Any, Any]:
    """Every value with every value."""
    flat = np.array(values).astype(dtype)
    x, y = np.meshgrid(flat, flat)
    return x.reshape(-1), y.reshape(-1)


def edges(dtype: Any) -> Any:
    limits = np.iinfo(dtype)
    middle = [0, 1, 2, 3, 7] if dtype.kind == "u" else [-7, -3, -2, -1, 0, 1, 2, 3, 7]
    return np.array([limits.min, *middle, limits.max - 1, limits.max], dtype)


def test_integer_division_at_the_edges() -> None:
    divisions = (ops.floor_divide, ops.remainder, ops.fmod)
    cases = [Case(op, pairs(edges(d), d), tolerance=0) for d in INTEGERS for op in divisions]
    assert failures(cases) == []


def test_float_division_at_the_edges() -> None:
    values = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.3, -0.3, 7.5, 1e30, 1e-30]
    divisions = (ops.floor_divide, ops.remainder, ops.fmod, ops.power, ops.hypot, ops.logaddexp)
    cases = [Case(op, pairs(values, d)) for d in FLOATS for op in divisions]
    # x ** y overflows in one and is just below the largest number in the other.
    assert failures(cases) == []


def test_shifts_at_and_past_the_width() -> None:
    cases = []
    for dtype in INTEGERS:
        width = 8 * dtype.itemsize
        x, y = pairs(edges(dtype), dtype)
        by = np.resize(np.array([0, 1, width - 1, width, width + 1, 100], dtype), x.shape)
        cases += [Case(op, (x, by), tolerance=0) for op in (ops.shift_left, ops.shift_right)]
        cases += [Case(op, (x, y), tolerance=0) for op in (ops.shift_left, ops.shift_right)]
    assert failures(cases) == []


def test_powers_of_integers_wrap() -> None:
    cases = []
    for dtype in INTEGERS:
        base = edges(dtype)
        for exponent in (0, 1, 2, 3, 5, 8, 31, 64, 127):
            cases.append(Case(ops.power, (base, np.full_like(base, exponent)), tolerance=0))
    assert failures(cases) == []


def test_a_negative_power_of_an_integer_truncates() -> None:
    x = np.array([-2, -1, -1, 0, 1, 5], np.int32)
    y = np.array([-1, -3, -2, -1, -4, -1], np.int32)
    (found,) = compile(graph_of(ops.power, "i32[6]", "i32[6]"))(x, y)
    assert np.asarray(found).tolist() == [0, -1, 1, 0, 1, 0]


def test_signs_of_zeros() -> None:
    x = np.array([0.0, -0.0, -0.3, 0.3, -1.0], np.float32)
    graph = graph_of(
        lambda x: [ops.signbit(op(x)) for op in (ops.trunc, ops.ceil, ops.round_, ops.negative)],
        "f32[5]",
    )
    wanted: Any = (np.trunc, np.ceil, np.round, np.negative)
    for op, found in zip(wanted, compile(graph)(x), strict=True):
        assert np.asarray(found).tolist() == np.signbit(op(x)).tolist()


def test_floats_outside_of_an_integer_dtype_saturate() -> None:
    x = np.array([np.nan, np.inf, -np.inf, 300.0, -1.0, 2.9, -2.9])
    graph = graph_of(
        lambda x: [ops.cast(x, dtype=d) for d in (ir.int8, ir.uint8, ir.int32, ir.bool_)],
        "f64[7]",
    )
    narrow, unsigned, wide, boolean = (np.asarray(y).tolist() for y in compile(graph)(x))
    assert narrow == [0, 127, -128, 127, -1, 2, -2]
    assert unsigned == [0, 255, 0, 255, 0, 2, 0]
    assert wide == [0, 2**31 - 1, -(2**31), 300, -1, 2, -2]
    assert boolean == [True] * 7


def test_half_precision_contracts_in_float32() -> None:
    # In bfloat16 alone the sum would stop at 256.
    for dtype in (ir.float16, ir.bfloat16):
        x, y = np.ones((1, 1000), dtype), np.ones((1000, 1), dtype)
        cases = [Case(ops.matmul, (x, y), tolerance=0)]
        cases.append(Case(ops.reduce_sum, (x,), {"axes": (0, 1)}, tolerance=0))
        assert failures(cases) == []


@pytest.mark.parametrize("side", ["left", "right"])
def test_search_among_nan_and_zeros(side: str) -> None:
    x = np.array([-np.inf, -1.0, -0.0, 0.0, 0.0, 2.0, np.inf, np.nan, np.nan], np.float32)
    values = np.array([-np.inf, -2.0, 0.0, -0.0, 1.0, np.inf, np.nan, 5.0], np.float32)
    assert failures([Case(ops.searchsorted, (x, values), {"side": side}, tolerance=0)]) == []


def test_sort_keys_order_as_numpy_sorts() -> None:
    for dtype in (ir.float16, ir.float32, ir.float64):
        x = np.array([np.nan, 1.5, -np.inf, np.inf, -1.5, 0.0, -0.0, 1e-7, -1e-7], dtype)
        with jax.enable_x64(True):
            key = np.asarray(sort_key(jax.device_put(x)))
        order = np.argsort(x, kind="stable")
        assert np.argsort(key, kind="stable").tolist() == order.tolist()
        assert key[5] == key[6]


@pytest.mark.parametrize("shape", [(5,), (5, 2)])
def test_the_last_of_several_updates_wins_on_every_platform(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        jax.lax, "platform_dependent", lambda *operands, default, **_: default(*operands)
    )
    random = np.random.default_rng(0)
    x = random.normal(size=shape).astype(np.float32)
    index = np.array([3, 0, 3, 9, 3, -1, 0])
    updates = random.normal(size=(7, *shape[1:])).astype(np.float32)
    found = jax.jit(lambda *a: lower_scatter(*a, axes=(0,)))(x, updates, index)
    wanted = ops.scatter.reference(x, updates, index, axes=(0,))
    assert disagreement(found, wanted, 0) == ""
