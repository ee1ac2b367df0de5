"""Run functions of plait.ir.functions eagerly and as a graph, which must agree bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from plait.ir import GraphBuilder, TensorType, evaluate


def run(function: Callable[..., Any], *arrays: Any, **options: Any) -> Any:
    """The eager result on ndarrays, after checking that the traced one equals it."""
    with np.errstate(all="ignore"):
        eager = function(*arrays, **options)
    builder = GraphBuilder("traced")
    values = [builder.input(TensorType(x.dtype, x.shape)) for x in arrays]
    with builder:
        traced = function(*values, **options)
    graph = builder.build(leaves(traced))
    for found, wanted in zip(evaluate(graph, arrays), leaves(eager), strict=True):
        assert_same(found, np.asarray(wanted))
    return eager


def leaves(result: Any) -> list[Any]:
    """The tensors of a result."""
    return list(result) if isinstance(result, tuple | list) else [result]


def assert_same(found: Any, wanted: Any) -> None:
    """Equal dtype, shape and elements; NaN equals NaN, and 0 equals -0."""
    assert type(found) is np.ndarray, f"{type(found)} is no payload"
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    equal = (found == wanted) | ((found != found) & (wanted != wanted))
    assert np.all(equal), f"{found[~equal]} is not {wanted[~equal]}"


def assert_equals_numpy(
    function: Callable[..., Any], model: Callable[..., Any], *arrays: Any, **options: Any
) -> None:
    """Both ways of running agree with a function of NumPy, called with the same arguments."""
    with np.errstate(all="ignore"):
        wanted = model(*arrays, **options)
    found = run(function, *arrays, **options)
    for a, b in zip(leaves(found), leaves(wanted), strict=True):
        assert_same(a, np.asarray(b))
