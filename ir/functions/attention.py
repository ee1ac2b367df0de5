"""Attention of queries to keys, composed of products and a softmax."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plait.ir import ops
from plait.ir.errors import DTypeError, ShapeError
from plait.ir.functions.axes import as_array
from plait.ir.functions.diagonals import triangle_mask
from plait.ir.functions.einsum import einsum
from plait.ir.functions.elementwise import add, multiply
from plait.ir.functions.logic import where
from plait.ir.functions.payload import broadcast_to, cast, promote
from plait.ir.types import bool_, float32, is_floating

__all__ = ["dot_product_attention"]


def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    *,
    scale: Any = None,
    is_causal: bool = False,
) -> Any:
    """Weighted means of values: ``softmax(query @ key * scale + bias) @ value`` for each head.

    Arguments and layout are those of ``jax.nn.dot_product_attention``.

    Parameters
    ----------
    query : array_like
        Shape (batch, targets, heads, features), or without the batch.
    key, value : array_like
        Shape (batch, sources, groups, features); each group serves ``heads / groups`` heads.
    bias : array_like, optional
        Added to the products; broadcasts to (batch, heads, targets, sources).
    mask : array_like of bool, optional
        Which sources a target may look at; broadcasts as ``bias`` does. A target that may look
        at none gets the mean of all.
    scale : number, optional
        1 / sqrt(features) by default.
    is_causal : bool, optional
        Target ``i`` looks at sources up to ``i`` only.

    Returns
    -------
    Tensor
        Shape of ``query``. float16 and bfloat16 are weighted in float32.

    Raises
    ------
    ShapeError
        Shapes that do not fit together.
    DTypeError
        Operands that are not floating, or a mask that is not bool.

    Examples
    --------
    >>> x = pl.ones((1, 2, 1, 4))
    >>> pl.dot_product_attention(x, x, x, is_causal=True).shape
    (1, 2, 1, 4)
    """
    query, key, value = promote(query, key, value)
    if not is_floating(query.dtype):
        raise DTypeError(f"dot_product_attention: expected floats, got {query.dtype.name}")
    whole = query.shape
    if query.ndim == 3:
        query, key, value = (ops.reshape(x, shape=(1, *x.shape)) for x in (query, key, value))
    _check_shapes(query.shape, key.shape, value.shape)
    batch, targets, heads, features = query.shape
    sources, groups = key.shape[1:3]
    each = (batch, targets, groups, heads // groups, features)
    work = float32 if query.dtype.itemsize == 2 else query.dtype
    grouped = ops.reshape(cast(query, work), shape=each)
    scores = einsum("btkgh,bskh->bkgts", grouped, cast(key, work))
    shape = (batch, heads, targets, sources)
    scores = multiply(ops.reshape(scores, shape=shape), _scale(scale, features))
    if bias is not None:
        scores = add(scores, _fitting("bias", cast(as_array(bias), work), shape))
    scores = _masked(scores, mask, is_causal)
    weights = cast(ops.softmax(scores, axis=3), query.dtype)
    weights = ops.reshape(weights, shape=(batch, groups, heads // groups, targets, sources))
    return ops.reshape(einsum("bkgts,bskh->btkgh", weights, value), shape=whole)


def _scale(scale: Any, features: Any) -> Any:
    return 1 / math.sqrt(features) if scale is None else scale


def _check_shapes(query: Any, key: Any, value: Any) -> None:
    fine = len(query) == len(key) == 4 and key == value
    fine = fine and query[0] == key[0] and query[3] == key[3]
    if not fine or key[2] == 0 or query[2] % key[2]:
        raise ShapeError(
            f"dot_product_attention: query {query}, key {key} and value {value} do not fit: "
            "expected (batch, length, heads, features), equal batch and features, the shape of "
            "key for value, and heads that the heads of key divide"
        )


def _fitting(name: str, x: Any, shape: Any) -> Any:
    """A bias or mask stretched to the shape of the products."""
    fits = [n in (1, wanted) for n, wanted in zip(reversed(x.shape), reversed(shape), strict=False)]
    if x.ndim > 4 or not all(fits):
        raise ShapeError(f"dot_product_attention: {name} of shape {x.shape} does not fit {shape}")
    return broadcast_to(x, shape)


def _masked(scores: Any, mask: Any, is_causal: bool) -> Any:
    """Very negative numbers in place of the products that do not count."""
    low = float(np.finfo(scores.dtype).max) * -0.7
    if mask is not None:
        mask = as_array(mask)
        if mask.dtype != bool_:
            raise DTypeError(f"dot_product_attention: mask must be bool, got {mask.dtype.name}")
        scores = where(_fitting("mask", mask, scores.shape), scores, low)
    if is_causal:
        rows, columns = scores.shape[2:]
        scores = where(triangle_mask(rows, columns, 0), scores, low)
    return scores
