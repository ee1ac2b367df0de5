"""Functions with gradients of their own, and functions that the backward pass computes again."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from plait.ir import dispatch, functions, ops
from plait.ir.autodiff.closure import close
from plait.ir.autodiff.forward import type_of
from plait.ir.autodiff.function import Apply, Pull
from plait.ir.autodiff.graphs import joint, replay
from plait.ir.derivatives.define import like
from plait.ir.errors import SignatureError
from plait.ir.frames import boundary
from plait.runtime.graph_function import graph_function
from plait.runtime.variable import Variable
from plait.tracer import (
    Tensor,
    current,
    fitting_gradients,
    flatten,
    freeze,
    pair,
    recorder,
    stage_call,
    stage_custom,
    unflatten,
    unwrap,
    wrap,
)


@boundary
def custom_gradient(f: Callable[..., tuple[Any, Callable[..., Any]]]) -> Callable[..., Any]:
    """Give a function a gradient of its own.

    Parameters
    ----------
    f : callable
        Takes tensors, and anything else, as positional arguments. Returns a pair: its result, a
        tensor or a nest of them, and a function that takes one gradient for each tensor of the
        result and gives one for each tensor among the arguments (one alone, or a sequence; None
        for zero). Tensors and variables that it takes from outside are constants to it.

    Returns
    -------
    callable
        Gives the result.

    Raises
    ------
    TraceError, ShapeError
        When it is called or differentiated: something else was returned; a gradient that does not
        fit its argument.

    Examples
    --------
    >>> @pl.custom_gradient
    ... def clipped(x):
    ...     return x * x, lambda g: pl.clip(g * 2 * x, -1.0, 1.0)
    >>> pl.grad(clipped)(5.0)
    pl.Tensor(1., dtype=float32)
    """
    if not callable(f):
        raise SignatureError(f"custom_gradient: expected a function, got {type(f).__name__}")

    @functools.wraps(f)
    @boundary
    def call(*args: Any) -> Any:
        name = getattr(f, "__name__", "custom")
        if (running := recorder()) is not None:
            running.flush()
        trace = current()
        if trace is not None and not trace.is_lazy:
            return stage_custom(f, args, name)
        if not dispatch.recording or not dispatch.tapes():
            return pair(f(*args), name)[0]
        function = _Custom(f, args, name)
        results = dispatch.apply(function, function.operands)
        return function.result(results)

    return call


class _Custom:
    """A call of an eager function with its own gradient, as tapes see it."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], name: str) -> None:
        self.name = name
        self._f = f
        self._leaves, self._tree = flatten(args)
        self._positions = [
            i for i, x in enumerate(self._leaves) if isinstance(x, (Tensor, Variable))
        ]
        self.operands = tuple([unwrap(self._leaves[i]) for i in self._positions])
        self._made: list[Any] = []
        self._places: list[int] = []
        self._out_tree: Any = None

    def _run(self, operands: Sequence[Any]) -> tuple[list[Any], Any]:
        leaves = list(self._leaves)
        for i, x in zip(self._positions, operands, strict=True):
            leaves[i] = wrap(x)
        result, gradient = pair(self._f(*unflatten(self._tree, leaves)), self.name)
        self._made, self._out_tree = flatten(result)
        self._places = [i for i, x in enumerate(self._made) if isinstance(x, (Tensor, Variable))]
        payloads = [unwrap(self._made[i]) for i in self._places]
        own = {id(x) for x in operands}  # a result that is an argument is a value of its own
        return [functions.astype(x, x.dtype) if id(x) in own else x for x in payloads], gradient

    def result(self, payloads: Sequence[Any]) -> Any:
        """What the function returned, around the results' payloads."""
        leaves = list(self._made)
        for i, x in zip(self._places, payloads, strict=True):
            leaves[i] = wrap(x)
        return unflatten(self._out_tree, leaves)

    def apply(self, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        """The results."""
        return tuple(self._run(operands)[0])

    def linearize(
        self, operands: tuple[Any, ...], needs: tuple[bool, ...], apply: Apply
    ) -> tuple[tuple[Any, ...], Pull]:
        """The results, and the user's way back."""
        results, gradient = self._run(operands)

        def pull(cotangents: Sequence[Any], wanted: tuple[bool, ...]) -> Sequence[Any]:
            given = [
                wrap(like(x, 0) if g is None else g)
                for x, g in zip(results, cotangents, strict=True)
            ]
            found = iter(fitting_gradients(gradient(*given), operands, self.name))
            made = [next(found) if x.dtype.kind in "fcV" else None for x in operands]
            return [
                g._data if g is not None and need else None
                for g, need in zip(made, wanted, strict=True)
            ]

        return tuple(results), pull

    def push_forward(
        self, operands: tuple[Any, ...], tangents: tuple[Any, ...], apply: Apply
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The results, and their tangents by transposing the user's way back."""
        active = [i for i, t in enumerate(tangents) if t is not None]
        needs = tuple([t is not None for t in tangents])
        results, pull = self.linearize(operands, needs, apply)
        smooth = [i for i, x in enumerate(results) if x.dtype.kind in "fcV"]

        def back(*cotangents: Any) -> list[Any]:
            given = dict(zip(smooth, cotangents, strict=True))
            found = pull([given.get(i) for i in range(len(results))], needs)
            return [found[i] for i in active]

        way = close(self.name, [type_of(results[i]) for i in smooth], back)
        turned = joint(way.graph, range(len(smooth)))
        zeros = [like(results[i], 0) for i in smooth]
        pushed = [tangents[active[k]] for k in turned.outputs]
        found = replay(turned.graph, [*zeros, *way.captured, *pushed])[turned.num_outputs :]
        made = dict(zip([smooth[i] for i in turned.inputs], found, strict=True))
        return results, tuple([made.get(i) for i in range(len(results))])


def stop_gradient(x: Any) -> Any:
    """The same tensor, or nest of tensors, as a constant to every derivative.

    Examples
    --------
    >>> pl.grad(lambda x: x * pl.stop_gradient(x))(3.0)
    pl.Tensor(3., dtype=float32)
    """
    leaves, tree = flatten(x)
    return unflatten(tree, [_stop(leaf) for leaf in leaves])


@boundary
def remat(fun: Callable[..., Any]) -> Callable[..., Any]:
    """Let derivatives compute a function again instead of keeping what they need of it.

    Less memory for more time: of the function, only its arguments are kept for the backward pass.
    Under a tape it is captured as a compiled function is. It may assign variables and draw random
    numbers, which are the same when it is computed again, and must change nothing else outside.

    Examples
    --------
    >>> block = pl.remat(lambda x: pl.tanh(pl.sin(x)))
    >>> pl.grad(lambda x: block(x))(0.0)
    pl.Tensor(1., dtype=float32)
    """
    if not callable(fun):
        raise SignatureError(f"remat: expected a function, got {type(fun).__name__}")
    name = getattr(fun, "__name__", "block")

    @functools.wraps(fun)
    def staged(*args: Any, **kwargs: Any) -> Any:
        trace = current()
        if trace is None or trace.is_lazy:
            return fun(*args, **kwargs)
        return stage_call(functools.partial(fun, **kwargs) if kwargs else fun, args, name)

    captured = graph_function(staged, backend="planned", name=name)

    @functools.wraps(fun)
    @boundary
    def call(*args: Any, **kwargs: Any) -> Any:
        is_taped = dispatch.recording and bool(dispatch.tapes()) and dispatch.is_eager()
        return captured(*args, **kwargs) if is_taped else staged(*args, **kwargs)

    return call


def _stop(leaf: Any) -> Any:
    if not isinstance(leaf, (Tensor, Variable)):
        return leaf
    base = leaf.value if isinstance(leaf, Variable) else leaf
    payload = unwrap(base)
    made = wrap(ops.stop_gradient(payload))
    if type(payload) is np.ndarray:  # both read one buffer
        freeze(base)
        freeze(made)
    return made


__all__ = ["custom_gradient", "remat", "stop_gradient"]
