"""Attention, and what neural networks normalize with, against formulas written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special

from plait.ir import as_dtype, functions
from plait.ir.errors import DTypeError, PlaitError, ShapeError
from tests.payloads import run

BATCH, TARGETS, SOURCES, HEADS, FEATURES = 2, 3, 5, 4, 6


def numbers(*shape: int) -> Any:
    return np.cos(np.arange(np.prod(shape)) * 1.7).reshape(shape)


def attention(q: Any, k: Any, v: Any, bias: Any, mask: Any, scale: Any, causal: bool) -> Any:
    """One head and one target at a time."""
    out = np.zeros_like(q)
    group = q.shape[2] // k.shape[2]
    full = (q.shape[0], q.shape[2], q.shape[1], k.shape[1])
    bias, mask = np.broadcast_to(bias, full), np.broadcast_to(mask, full)
    for b, h, t in np.ndindex(*full[:3]):
        scores = k[b, :, h // group] @ q[b, t, h] * scale + bias[b, h, t]
        allowed = mask[b, h, t] & (np.arange(full[3]) <= t if causal else True)
        weights = scipy.special.softmax(np.where(allowed, scores, -1e300))
        out[b, t, h] = weights @ v[b, :, h // group]
    return out


@pytest.mark.parametrize("groups", [4, 2, 1])
@pytest.mark.parametrize("is_causal", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_attention(groups: int, is_causal: bool, masked: bool) -> None:
    q = numbers(BATCH, TARGETS, HEADS, FEATURES)
    k, v = numbers(2, BATCH, SOURCES, groups, FEATURES) * 2
    wanted = attention(q, k, v, 0.0, True, FEATURES**-0.5, is_causal)
    options: dict[str, Any] = {"is_causal": is_causal}
    if masked:
        bias, mask = numbers(HEADS, 1, SOURCES), numbers(BATCH, 1, TARGETS, SOURCES) > 0
        mask[..., 0] = True
        options |= {"bias": bias, "mask": mask, "scale": 0.7}
        wanted = attention(q, k, v, bias, mask, 0.7, is_causal)
    found = run(lambda *x: functions.dot_product_attention(*x, **options), q, k, v)
    np.testing.assert_allclose(found, wanted, atol=1e-12)
    single = functions.dot_product_attention(q[0], k[0], v[0], is_causal=is_causal)
    assert single.shape == q[0].shape


# One rounding of weights and one of the result.
@pytest.mark.parametrize(
    ("dtype", "atol"), [("float32", 1e-6), ("float16", 2e-3), ("bfloat16", 2e-2)]
)
def test_attention_in_other_dtypes(dtype: str, atol: float) -> None:
    arrays = [numbers(1, 4, 2, 8).astype(as_dtype(dtype)) for _ in range(3)]
    q, k, v = (x.astype("float64") for x in arrays)
    found = run(functions.dot_product_attention, *arrays)
    assert found.dtype == arrays[0].dtype
    wanted = attention(q, k, v, 0.0, True, 8**-0.5, False)
    np.testing.assert_allclose(found.astype("float64"), wanted, atol=atol)


def test_a_target_that_may_look_at_nothing_gets_the_mean() -> None:
    x = numbers(1, 3, 1, 4)
    found = functions.dot_product_attention(x, x, x, mask=np.zeros((3, 3), bool))
    np.testing.assert_allclose(found, np.broadcast_to(x.mean(1, keepdims=True), x.shape))


Q = numbers(1, 3, 4, 2)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: functions.dot_product_attention([1], [1], [1]), DTypeError, "floats"),
        (lambda: functions.dot_product_attention(Q, Q[:, :, :3], Q[:, :, :3]), ShapeError, "fit"),
        (lambda: functions.dot_product_attention(Q, Q, Q[:, :2]), ShapeError, "value"),
        (lambda: functions.dot_product_attention(Q, Q, Q, bias=Q), ShapeError, "bias"),
        (lambda: functions.dot_product_attention(Q, Q, Q, mask=[1.0]), DTypeError, "bool"),
        (lambda: functions.standardize(1j), DTypeError, "complex"),
    ],
)
def test_bad_operands(call: Any, error: type[PlaitError], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("axis", [-1, 0, (0, 1), None])
def test_standardize(axis: Any) -> None:
    x = numbers(3, 4)
    middle, spread = x.mean(axis, keepdims=True), x.var(axis, keepdims=True)
    found = run(lambda a: functions.standardize(a, axis), x)
    np.testing.assert_allclose(found, (x - middle) / np.sqrt(spread + 1e-5), rtol=1e-12)
    found = run(lambda a: functions.standardize(a, axis, mean=0.5, variance=4.0, epsilon=0.0), x)
    np.testing.assert_allclose(found, (x - 0.5) / 2)
    mask = x > -0.9
    middle = x.mean(axis, keepdims=True, where=mask)
    spread = x.var(axis, keepdims=True, where=mask)
    found = run(lambda a: functions.standardize(a, axis, where=mask), x)
    np.testing.assert_allclose(found, (x - middle) / np.sqrt(spread + 1e-5), rtol=1e-12)


@pytest.mark.parametrize("axis", [-1, 0, (0, 1), None])
def test_logarithm_of_a_mean(axis: Any) -> None:
    x = numbers(3, 4) * 500
    big = x.max()
    mask = x < 400
    for where in (None, mask):
        chosen = True if where is None else where
        wanted = np.log(np.exp(x - big).mean(axis, where=chosen)) + big
        found = run(lambda a, w=where: functions.logmeanexp(a, axis, w), x)
        np.testing.assert_allclose(found, wanted, rtol=1e-12)
    assert functions.logmeanexp(x, axis, keepdims=True).ndim == 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_logarithm_of_one_less_an_exponential(dtype: Any) -> None:
    x = np.asarray([1e-30, 1e-6, 0.5, 0.69, 0.7, 3.0, 80.0], dtype)
    wide = x.astype("float64")
    with np.errstate(all="ignore"):
        wanted = np.where(wide < 1, np.log(-np.expm1(-wide)), np.log1p(-np.exp(-wide)))
    rtol = 1e-6 if dtype == "float32" else 1e-14
    np.testing.assert_allclose(run(functions.log1mexp, x), wanted, rtol=rtol)
    with np.errstate(all="ignore"):
        assert np.isneginf(functions.log1mexp(0.0))
        assert np.isnan(functions.log1mexp(-1.0))
