"""Prints and callbacks of jax as callbacks in program order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from plait.backends.jax.importing.rules import Site, rule
from plait.ir import TensorType, ops

__all__: list[str] = []


def call_back(
    operands: Sequence[Any], function: Callable[..., Any], results: tuple[TensorType, ...] = ()
) -> tuple[Any, ...]:
    """Call a Python function in program order; gives its results."""
    token = ops.create_token()
    found: tuple[Any, ...] = ops.callback(token, *operands, function=function, result_types=results)
    return found[1:]


@rule("debug_callback")
def _debug_callback(at: Site, *operands: Any) -> Any:
    callback = at.params["callback"]

    def debug(*arrays: Any) -> None:
        callback(*arrays)

    return call_back(operands, debug)


@rule("io_callback")
def _io_callback(at: Site, *operands: Any) -> Any:
    callback, types = at.params["callback"], at.results

    def call(*arrays: Any) -> tuple[Any, ...]:
        found = jax.tree_util.tree_leaves(callback(*arrays))
        return tuple([np.asarray(x, t.dtype) for x, t in zip(found, types, strict=True)])

    return call_back(operands, call, types)


@rule("debug_print")
def _debug_print(at: Site, *operands: Any) -> Any:
    params = at.params
    template, tree = params["fmt"], params["in_tree"]
    static = dict(params.get("static_args") or ())

    def show(*arrays: Any) -> None:
        dynamic = iter(arrays)
        total = tree.num_leaves
        leaves = [static[i] if i in static else next(dynamic) for i in range(total)]
        args, kwargs = jax.tree_util.tree_unflatten(tree, leaves)
        if params.get("has_placeholders", True):
            print(template.format(*args, **kwargs))
        else:
            print(template, *args, *kwargs.values())

    return call_back(operands, show)
