"""Derivatives at the edges of domains, at kinks, ties, zeros, infinities and masked elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from plait.ir import Op, ops
from plait.ir import functions as F
from plait.ir.derivatives.define import like
from tests.gradients import check_gradients, pullback, push_forward

INF, NAN = np.inf, np.nan


def floats(*values: Any) -> Any:
    return np.asarray(values, np.float64)


def gradients(function: Callable[..., Any], *operands: Any, of: Any = 1.0) -> list[Any]:
    """Cotangents of the operands for a cotangent of ``of`` everywhere."""
    with np.errstate(all="ignore"):
        result = np.asarray(function(*operands))
        return pullback(function, operands, [np.full_like(result, of)])


def gradient(function: Callable[..., Any], *operands: Any, of: Any = 1.0) -> Any:
    return gradients(function, *operands, of=of)[0]


def tangent(function: Callable[..., Any], *operands: Any) -> Any:
    """Tangent of the result for tangents of 1 everywhere."""
    with np.errstate(all="ignore"):
        (found,) = push_forward(function, operands, [np.ones_like(x) for x in operands])
    return found


def is_all(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-15)


# Each function, and points where it or its derivative is infinite or undefined.
SINGULAR: list[tuple[Op, Any]] = [
    (ops.sqrt, floats(0, -1)),
    (ops.rsqrt, floats(0, -1)),
    (ops.cbrt, floats(0)),
    (ops.reciprocal, floats(0)),
    (ops.log, floats(0, -1)),
    (ops.log1p, floats(-1, -2)),
    (ops.log2, floats(0, -1)),
    (ops.log10, floats(0, -1)),
    (ops.exp, floats(1e4, INF)),
    (ops.exp2, floats(1e5, INF)),
    (ops.expm1, floats(1e4, INF)),
    (ops.sinh, floats(1e4, -1e4)),
    (ops.cosh, floats(1e4, -1e4)),
    (ops.asin, floats(1, -1, 2)),
    (ops.acos, floats(1, -1, 2)),
    (ops.acosh, floats(1, 0)),
    (ops.atanh, floats(1, -1, 2)),
    (ops.erfinv, floats(1, -1, 2)),
    (ops.lgamma, floats(0, -1)),
    (ops.digamma, floats(0, -1)),
]
each_singular = pytest.mark.parametrize(("op", "points"), SINGULAR, ids=lambda x: str(x)[:30])


@each_singular
def test_what_select_masks_has_a_gradient_of_zero(op: Op, points: Any) -> None:
    hidden = np.zeros(points.shape, np.bool_)

    def masked(x: Any) -> Any:
        return ops.select(hidden, op(x), like(x, 0))

    def slope(x: Any) -> Any:
        return gradient(masked, x)

    is_all(gradient(masked, points), 0)
    is_all(tangent(masked, points), 0)
    is_all(gradient(slope, points), 0)


@pytest.mark.parametrize(("x", "y"), [(1, 0), (0, 0), (INF, 0), (-1, 0), (NAN, 0)])
def test_a_masked_quotient_has_gradients_of_zero(x: float, y: float) -> None:
    hidden = np.zeros(1, np.bool_)
    found = gradients(
        lambda a, b: ops.select(hidden, ops.divide(a, b), like(a, 0)), floats(x), floats(y)
    )
    is_all(found, 0)


def test_roots_at_zero() -> None:
    assert gradient(ops.sqrt, floats(0)) == INF
    assert gradient(ops.sqrt, floats(0), of=0.0) == 0
    assert gradient(ops.cbrt, floats(0)) == INF
    assert gradient(ops.rsqrt, floats(0)) == -INF


@pytest.mark.parametrize("order", [None, 1, 2, 3, INF])
def test_norms_at_zero(order: Any) -> None:
    is_all(gradient(lambda x: F.norm(x, ord=order), np.zeros(3)), 0)
    is_all(tangent(lambda x: F.norm(x, ord=order), np.zeros(3)), 0)


def test_the_norm_of_a_complex_zero() -> None:
    is_all(gradient(F.norm, np.zeros(3, np.complex128)), 0)


def test_a_deviation_of_nothing() -> None:
    is_all(gradient(F.std, np.full(4, 2.5)), 0)


def test_sizes_at_zero() -> None:
    is_all(gradient(ops.absolute, floats(0.0, -0.0, 2, -2)), [0, 0, 1, -1])
    is_all(gradients(ops.hypot, floats(0), floats(0)), 0)
    is_all(gradients(ops.atan2, floats(0), floats(0)), 0)
    zero = np.zeros(1, np.complex128)
    is_all(gradient(ops.absolute, zero), 0)
    is_all(gradient(ops.angle, zero), 0)
    is_all(gradient(ops.sign, zero), 0)


def test_relu_at_zero() -> None:
    is_all(gradient(ops.relu, floats(0.0, -0.0, 1, -1)), [0, 0, 1, 0])


def test_equal_operands_share() -> None:
    x = floats(1, 2, -INF, INF)
    y = floats(1, 3, -INF, INF)
    is_all(gradients(ops.maximum, x, y), [[0.5, 0, 0.5, 0.5], [0.5, 1, 0.5, 0.5]])
    is_all(gradients(ops.minimum, x, y), [[0.5, 1, 0.5, 0.5], [0.5, 0, 0.5, 0.5]])


def test_the_largest_elements_share() -> None:
    x = floats(3, 1, 3, 3, 0, -2)
    is_all(gradient(lambda v: ops.reduce_max(v, axes=(0,)), x), floats(1, 0, 1, 1, 0, 0) / 3)
    is_all(gradient(lambda v: ops.reduce_min(v, axes=(0,)), x), [0, 0, 0, 0, 0, 1])
    nothing = gradient(lambda v: ops.reduce_max(v, axes=(0,)), floats(1, NAN, 2))
    is_all(nothing, 0)


def test_running_extremes_share() -> None:
    x = floats(1, 2, 2, 1, 3)
    # Running maxima: 1, 2, 2, 2, 3; the first 2 has one element, the others share between two.
    is_all(gradient(lambda v: ops.cummax(v, axis=0), x), [1, 2, 1, 0, 1])
    is_all(gradient(lambda v: ops.cummin(v, axis=0), x), [4, 0, 0, 1, 0])
    is_all(gradient(lambda v: ops.cummax(v, axis=0, reverse=True), x), [0, 0, 0, 0, 5])
    later = gradient(lambda v: ops.cummax(v, axis=0), floats(1, 2, NAN, 3))
    is_all(later, [1, 1, 0, 0])


def power_slopes(x: float, y: float) -> list[float]:
    return [float(g[0]) for g in gradients(ops.power, floats(x), floats(y))]


@pytest.mark.parametrize(
    ("x", "y", "wanted"),
    [
        (0, 0, [0, 0]),
        (0, 1, [1, 0]),
        (0, 2, [0, 0]),
        (0, 0.5, [INF, 0]),
        (0, -1, [-INF, 0]),
        (-2, 0, [0, 0]),
        (-2, 2, [-4, 0]),
        (-2, 3, [12, 0]),
        (-2, -1, [-0.25, 0]),
        (2, 0, [0, np.log(2)]),
        (1, 5, [5, 0]),
        (INF, 0, [0, INF]),
    ],
)
def test_powers(x: float, y: float, wanted: list[float]) -> None:
    is_all(power_slopes(x, y), wanted)


@pytest.mark.parametrize(("y", "wanted"), [(0, 0), (1, 0), (2, 2), (3, 0), (4, 0)])
def test_second_derivatives_of_powers_at_zero(y: float, wanted: float) -> None:
    def slope(x: Any) -> Any:
        return gradient(lambda v: ops.power(v, floats(y)), x)

    is_all(gradient(slope, floats(0)), wanted)


def test_mixed_derivative_of_a_power_of_zero() -> None:
    def slope(y: Any) -> Any:
        return gradient(lambda v: ops.power(v, y), floats(2))

    is_all(gradient(slope, floats(0)), 0.5)


def test_powers_of_complex_zero() -> None:
    zero, two = np.zeros(1, np.complex128), np.full(1, 2, np.complex128)
    is_all(gradients(ops.power, zero, two), 0)


def test_logsumexp_of_minus_infinity() -> None:
    def total(x: Any) -> Any:
        return ops.logsumexp(x, axes=(0,), keepdims=False)

    is_all(gradient(total, floats(-INF, -INF)), 0)
    is_all(gradient(total, floats(-INF, 1.0, 1.0)), [0, 0.5, 0.5])
    is_all(gradient(lambda x: gradient(total, x), floats(-INF, -INF)), 0)


def test_logaddexp_of_infinities() -> None:
    x, y = floats(-INF, INF, -INF, 1), floats(-INF, INF, 1, -INF)
    is_all(gradients(ops.logaddexp, x, y), [[0.5, 0.5, 0, 1], [0.5, 0.5, 1, 0]])


def test_softmax_of_masked_scores() -> None:
    x = floats(-INF, 0, 0)
    weights = floats(5, 1, 3)

    def mean(v: Any) -> Any:
        return ops.multiply(ops.softmax(v, axis=0), weights)

    is_all(gradient(mean, x), [0, -0.5, 0.5])
    is_all(gradient(lambda v: gradient(mean, v), x), 0)
    chosen = floats(0, 1, 0)
    found = pullback(lambda v: ops.log_softmax(v, axis=0), [x], [chosen])[0]
    is_all(found, [0, 0.5, -0.5])


def test_saturated_activations() -> None:
    x = floats(-INF, INF, -800, 800)
    is_all(gradient(ops.tanh, x), 0)
    is_all(gradient(ops.sigmoid, x), 0)
    is_all(gradient(ops.softplus, x), [0, 1, 0, 1])
    is_all(gradient(ops.gelu, x), [0, 1, 0, 1])
    is_all(gradient(ops.atan, x), np.divide(1, 1 + x * x))


@pytest.mark.parametrize("zeros", [(), (2,), (0, 3), (0, 1, 2, 3, 4)])
def test_products_with_zeros(zeros: tuple[int, ...]) -> None:
    x = floats(1.5, -0.5, 2.0, 0.75, -1.25)
    x[list(zeros)] = 0
    check_gradients(lambda v: ops.reduce_prod(v, axes=(0,)), x)
    check_gradients(lambda v: ops.cumprod(v, axis=0), x)
    check_gradients(lambda v: ops.cumprod(v, axis=0, reverse=True), x)
    pairs = np.stack([x, x[::-1]])
    check_gradients(lambda v: ops.reduce_prod(v, axes=(0, 1)), pairs)


def test_third_derivative_of_a_product_with_zeros() -> None:
    check_gradients(lambda v: ops.reduce_prod(v, axes=(0,)), floats(0, 2, 0, 3), order=3)


def test_sorting_ties_loses_nothing() -> None:
    found = pullback(lambda v: ops.sort(v, axis=0), [floats(2, 1, 2, 1)], [floats(1, 2, 3, 4)])[0]
    is_all(np.sort(found), [1, 2, 3, 4])
    assert set(found[[1, 3]]) == {1.0, 2.0}


def test_single_precision_stays_single() -> None:
    x = np.asarray([0.5, 2], np.float32)
    for op in (ops.tanh, ops.square, ops.log2, ops.gelu, ops.rsqrt):
        assert gradient(op, x).dtype == np.float32


def test_rounding_has_no_gradient() -> None:
    assert gradients(ops.floor, floats(1.5)) == [None]
    assert gradients(lambda x: ops.cast(x, dtype=np.dtype("int32")), floats(1.5)) == [None]
