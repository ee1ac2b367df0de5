"""What a call gives: the function's result, and the changes outside that it makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from plait.ir import template
from plait.runtime.watch import Found
from plait.tracer import Making, Output, TracedFunction, unflatten, wrap


def make_result(
    traced: TracedFunction, results: Sequence[Any], leaves: Sequence[Any], found: Found
) -> Any:
    """The result of a call, whose changes outside are made.

    Parameters
    ----------
    traced : TracedFunction
    results : sequence
        What its graph gave.
    leaves : sequence
        The leaves of the arguments.
    found : tuple
        What the program's paths led to when the call began.
    """
    found = found[len(traced.captures) :]
    made: list[Any] = []
    for output in traced.outputs:
        again = output.kind == "result"
        made.append(made[output.index] if again else value_of(output, results, leaves, found))
    if not traced.effects and traced.recipe is None:
        return unflatten(traced.out_tree, made)
    making = Making(lambda output: value_of(output, results, leaves, found), found, made)
    for effect in traced.effects:  # all values before the first change
        if effect.value is not None:
            making.make(effect.value)
    if traced.recipe is None:
        result = unflatten(traced.out_tree, made)
    else:
        result = making.make(traced.recipe)
    for effect in traced.effects:
        effect.apply(making)
    return result


def value_of(
    output: Output, results: Sequence[Any], leaves: Sequence[Any], found: Sequence[Any]
) -> Any:
    """The value of one leaf."""
    kind = output.kind
    if kind == "tensor":
        return wrap(results[output.index])
    if kind == "argument":
        return leaves[output.index]
    if kind == "outside":
        return found[output.index]
    if kind in ("static", "made"):
        return output.value
    if kind == "array":
        return output.value.copy()
    if kind == "text":
        text, count = output.value
        return template.fill(text, results[output.index : output.index + count])
    if kind == "jax":
        return results[output.index]
    array = np.asarray(results[output.index])
    if kind == "number":
        return array.item()
    return np.array(array) if array.ndim or output.value else array[()]


__all__ = ["make_result", "value_of"]
