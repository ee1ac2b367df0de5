"""Calls of functions under a recording, and what the gradient functions share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np

from plait.ir import dispatch, functions, is_complex, is_inexact, ops
from plait.ir.autodiff.recording import Recording
from plait.ir.derivatives.define import like
from plait.ir.errors import DTypeError, ShapeError, SignatureError
from plait.runtime.graph_function import graph_function
from plait.runtime.tape import cotangents_for, eager_from_here, payload_of_target
from plait.runtime.variable import Variable
from plait.tracer import (
    Tensor,
    TreeDef,
    call_captured,
    flatten,
    freeze,
    leaf_paths,
    recorded,
    unflatten,
    unwrap,
    wrap,
)


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """A call of a function under a recording.

    Attributes
    ----------
    recording : Recording
    result : Any
        What the function returned.
    payloads : list
        Of the tensors that are differentiated with respect to.
    tree : TreeDef
        Their structure.
    """

    recording: Recording
    result: Any
    payloads: list[Any]
    tree: TreeDef

    def pull(self, targets: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
        """Cotangents of ``payloads``, as payloads; None where nothing depends on one."""
        return self.recording.pullback(targets, cotangents, self.payloads)


def play(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    positions: Sequence[int | str],
    *,
    variables: bool = False,
) -> Played:
    """Call a function, recording what depends on some of its arguments.

    Parameters
    ----------
    f : callable
    args, kwargs
        Its arguments; the tensors in those that are differentiated are replaced by new ones.
    positions : sequence of int or str
        The arguments that are differentiated with respect to: nests of tensors.
    variables : bool
        Whether trainable variables are watched too.
    """
    with ExitStack() as scopes:
        eager_from_here(scopes)
        mine = [kwargs[p] if isinstance(p, str) else args[p] for p in positions]
        leaves, tree = flatten(mine)
        names = leaf_paths(tree, "arguments")
        fresh = [fresh_tensor(leaf, name) for leaf, name in zip(leaves, names, strict=True)]
        recording = Recording()
        recording.watches_variables = variables
        for handle in fresh:
            recording.watch(handle._data)
        replaced = unflatten(tree, fresh)
        given, named = list(args), dict(kwargs)
        for p, value in zip(positions, replaced, strict=True):
            if isinstance(p, str):
                named[p] = value
            else:
                given[p] = value
        payloads = [handle._data for handle in fresh]
        with recording.recording():
            result = call_captured(f, *given, **named)
    return Played(recording, result, payloads, tree)


def fresh_tensor(leaf: Any, name: str) -> Tensor:
    """A tensor of its own with the elements of an argument, to be differentiated with respect to.

    Raises
    ------
    DTypeError
        It is not floating or complex.
    """
    payload = unwrap(leaf)
    if not hasattr(payload, "dtype") or not hasattr(payload, "shape"):
        payload = functions.constant(payload)
    if not is_inexact(payload.dtype):
        raise DTypeError(
            f"{name}: only floating and complex values have gradients, this one is "
            f"{payload.dtype.name}; pass a float, or leave the argument out"
        )
    if dispatch.depth():
        return wrap(ops.cast(payload, dtype=payload.dtype))
    if type(leaf) is Tensor:
        freeze(leaf)
    made = payload.view() if type(payload) is np.ndarray else payload.copy()
    for tape in recorded.tapes():
        tape.alias(made, payload)
    handle = wrap(made)
    freeze(handle)
    return handle


def gradients_or_zeros(played: Played, found: Sequence[Any]) -> list[Tensor]:
    """Tensors for cotangents, zeros where there is none."""
    return [
        wrap(like(x, 0) if g is None else g) for x, g in zip(played.payloads, found, strict=True)
    ]


def all_gradients(function: Any) -> Any:
    """The compiled function that gives a function's value, and all its gradients.

    Parameters
    ----------
    function : GraphFunction

    Returns
    -------
    GraphFunction
        Gives the value, and a list of the gradients of its sum with respect to each floating tensor
        among the arguments, then to each trainable variable that was read.
    """

    def both(*args: Any, **kwargs: Any) -> Any:
        leaves, tree = flatten((args, kwargs))
        smooth = [i for i, x in enumerate(leaves) if type(x) is Tensor and is_inexact(x.dtype)]

        def call(*given: Any) -> Any:
            replaced = list(leaves)
            for i, x in zip(smooth, given, strict=True):
                replaced[i] = x
            again, named = unflatten(tree, replaced)
            return call_captured(function, *again, **named)

        mine = tuple([leaves[i] for i in smooth])
        played = play(call, mine, {}, range(len(mine)), variables=True)
        targets = [payload_of_target(t) for t in flatten(played.result)[0]]
        variables = [payload for _, payload in played.recording.variables.values()]
        sources = [*played.payloads, *variables]
        found = played.recording.pullback(
            targets, cotangents_for(played.result, targets, None), sources
        )
        zeros = zip(sources, found, strict=True)
        return played.result, [wrap(like(x, 0) if g is None else g) for x, g in zeros]

    return graph_function(both, name=f"{getattr(function, '__name__', 'function')}_gradients")


def with_graph(made: Callable[..., Any], what: str) -> Callable[..., Any]:
    """A function that gives derivatives, with ``.graph`` as compiled functions have it."""
    twin = _twin(made)  # no cycle, which would keep what the user's function holds

    def graph(*args: Any, stage: str = "optimized", **kwargs: Any) -> Any:
        """The graph, forward and backward, for these arguments or specs, at a stage."""
        name = f"{getattr(twin, '__name__', 'function')}_{what}"
        return graph_function(twin, name=name).graph(*args, stage=stage, **kwargs)

    made.graph = graph  # type: ignore[attr-defined]
    return made


def _twin(function: Any) -> Any:
    """Another function of the same code."""
    made = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    made.__kwdefaults__ = function.__kwdefaults__
    made.__dict__.update(function.__dict__)
    return made


# Arguments.


def checked_argnums(argnums: int | Sequence[int], args: tuple[Any, ...]) -> list[int]:
    """Positions of arguments, counted from the front.

    Raises
    ------
    SignatureError
        There is no such argument.
    """
    asked = [argnums] if isinstance(argnums, int) else list(argnums)
    for i in asked:
        if not isinstance(i, int) or not -len(args) <= i < len(args):
            raise SignatureError(
                f"argnums: there is no positional argument {i!r}; {len(args)} were given"
            )
    return [i % len(args) for i in asked]


def checked_params(
    params: Sequence[int | str], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[int | str]:
    """Positions, counted from the front, and names of arguments.

    Raises
    ------
    SignatureError
        There is no such argument.
    """
    for p in params:
        known = p in kwargs if isinstance(p, str) else -len(args) <= p < len(args)
        if not known:
            raise SignatureError(f"params: the call has no argument {p!r}")
    return [p if isinstance(p, str) else p % len(args) for p in params]


def split_aux(result: Any, has_aux: bool) -> tuple[Any, Any]:
    """The differentiated part of a result, and the rest."""
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise SignatureError("has_aux: the function must return a pair (result, anything else)")
    return result


def scalar_payload(value: Any) -> Any:
    """The payload of a result that must be a real floating tensor of one element.

    Raises
    ------
    ShapeError, DTypeError
        It is not.
    """
    if not isinstance(value, (Tensor, Variable, float)):
        raise DTypeError(
            f"grad: the function must return a floating tensor, it gave {type(value).__name__}"
        )
    payload = payload_of_target(value)
    if is_complex(payload.dtype):
        raise DTypeError("grad: the function must return a real number; take real() or abs()")
    if payload.shape != ():
        raise ShapeError(
            f"grad: the function must return a 0-d tensor, it gave shape {tuple(payload.shape)}; "
            "sum it, or use pl.vjp or pl.jacobian"
        )
    return payload


def demand_callable(f: Any, what: str) -> None:
    """Demand a function."""
    if not callable(f):
        raise SignatureError(f"{what}: expected a function, got {type(f).__name__}")


__all__ = [
    "Played",
    "all_gradients",
    "checked_argnums",
    "checked_params",
    "demand_callable",
    "fresh_tensor",
    "gradients_or_zeros",
    "play",
    "scalar_payload",
    "split_aux",
    "with_graph",
]
