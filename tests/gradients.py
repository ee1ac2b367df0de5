"""Derivatives of functions of payloads, and their check by central differences in both modes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from plait.ir.autodiff.forward import ForwardRecording
from plait.ir.autodiff.recording import Recording
from plait.ir.types import is_complex, is_inexact

Function = Callable[..., Any]

#: Step of the differences in float64: truncation and rounding are both near 1e-10.
STEP = 1e-5
#: Largest difference, relative to the sum of the terms' absolute values.
TOLERANCE = 2e-6


def as_tuple(found: Any) -> tuple[Any, ...]:
    """Results of a function as a tuple."""
    return found if type(found) is tuple else (found,)


def differentiable(x: Any) -> bool:
    """Whether a payload is a tensor of a floating or complex dtype."""
    return hasattr(x, "dtype") and is_inexact(x.dtype)


def pullback(function: Function, operands: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
    """Cotangents of the operands; None where there is none.

    Parameters
    ----------
    function : callable
    operands : sequence of payload
    cotangents : sequence of payload
        One for each result; None for zero.
    """
    recording = Recording()
    for x in operands:
        if differentiable(x):
            recording.watch(x)
    with recording.recording():
        results = as_tuple(function(*operands))
    return recording.pullback(results, cotangents, operands)


def push_forward(function: Function, operands: Sequence[Any], tangents: Sequence[Any]) -> list[Any]:
    """Tangents of the results; None for zero. Operands without tangent have None."""
    recording = ForwardRecording()
    for x, tangent in zip(operands, tangents, strict=True):
        if tangent is not None:
            recording.watch(x, tangent)
    with recording.recording():
        results = as_tuple(function(*operands))
    return [recording.tangent_of(x) for x in results]


def spread_values(shape: Any, low: float, high: float, seed: int) -> Any:
    """Different numbers, equally far from each other, in a random order."""
    count = math.prod(shape)
    places = (np.arange(count) + 0.37 + 0.09 * (seed % 5)) / max(count, 1)
    values = np.random.default_rng(seed).permutation(places)
    return np.asarray(low + (high - low) * values).reshape(shape)


def random_like(x: Any, random: np.random.Generator) -> Any:
    """Normal numbers of the dtype and shape of ``x``; None when it is not inexact."""
    if not differentiable(x):
        return None
    values = np.asarray(random.normal(size=x.shape))
    if is_complex(x.dtype):
        values = values + 1j * random.normal(size=x.shape)
    return np.asarray(values, x.dtype)


def pairing(xs: Sequence[Any], ys: Sequence[Any]) -> tuple[float, float]:
    """Sum of ``real(x * y)`` over all elements, and of the absolute values; None is zero."""
    total, size = 0.0, 0.0
    for x, y in zip(xs, ys, strict=True):
        if x is not None and y is not None:
            product = np.asarray(x * y)
            total += float(np.sum(product.real))
            size += float(np.sum(np.abs(product)))
    return total, size


def moved(operands: Sequence[Any], tangents: Sequence[Any], step: float) -> list[Any]:
    """The operands, a step further along their tangents."""
    return [
        x if t is None else np.asarray(x + step * t)
        for x, t in zip(operands, tangents, strict=True)
    ]


def differences(function: Function, operands: Sequence[Any], tangents: Sequence[Any]) -> list[Any]:
    """Change of the results along tangents, by central differences; None for integers."""
    ahead, back = (as_tuple(function(*moved(operands, tangents, s))) for s in (STEP, -STEP))
    return [
        _difference(np.asarray(a), np.asarray(b)) if differentiable(a) else None
        for a, b in zip(ahead, back, strict=True)
    ]


def _difference(ahead: Any, back: Any) -> Any:
    """The slope; an infinity that stays has none."""
    return np.asarray(np.where(ahead == back, 0, (ahead - back) / (2 * STEP)))


def check_gradients(
    function: Function, *operands: Any, order: int = 2, seed: int = 0, tolerance: float = TOLERANCE
) -> None:
    """Compare both modes with central differences, and so for the derivatives up to an order.

    Parameters
    ----------
    function : callable
        Takes payloads, gives one or a tuple of them; smooth within a step around the operands.
    *operands : ndarray
        float64, complex128, or of a dtype that has no derivative.
    order : int, optional
        2 also checks the pullback and the push-forward as functions of the operands, cotangents
        and tangents.
    seed : int, optional
        Of the directions.
    tolerance : float, optional
    """
    random = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        results = as_tuple(function(*operands))
        tangents = [random_like(x, random) for x in operands]
        cotangents = [random_like(y, random) for y in results]
        changes = differences(function, operands, tangents)
        wanted, size = pairing(cotangents, changes)
        back = pullback(function, operands, cotangents)
        ahead = push_forward(function, operands, tangents)
    check_types(operands, back)
    check_types(results, ahead)
    size = max(size, pairing(back, tangents)[1], 1.0)
    reverse, forward = pairing(back, tangents)[0], pairing(cotangents, ahead)[0]
    assert abs(reverse - wanted) <= tolerance * size, f"reverse {reverse}, differences {wanted}"
    assert abs(forward - wanted) <= tolerance * size, f"forward {forward}, differences {wanted}"
    if order > 1:
        again: dict[str, Any] = {"order": order - 1, "seed": seed + 1, "tolerance": 10 * tolerance}
        count = len(operands)

        def first(*values: Any) -> Any:
            return _present(pullback(function, values[:count], values[count:]))

        def second(*values: Any) -> Any:
            return _present(push_forward(function, values[:count], values[count:]))

        check_gradients(first, *operands, *cotangents, **again)
        check_gradients(second, *operands, *tangents, **again)


def _present(found: list[Any]) -> tuple[Any, ...]:
    return tuple([x for x in found if x is not None])


def check_types(values: Sequence[Any], derivatives: Sequence[Any]) -> None:
    """Demand the dtypes and shapes of the values; None stands for zero."""
    for x, d in zip(values, derivatives, strict=True):
        if d is not None:
            assert (d.dtype, d.shape) == (x.dtype, x.shape)
