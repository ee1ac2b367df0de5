"""Calls of functions under a recording, and what the gradient functions share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from types import FunctionType
from typing import Any, Protocol, TypeVar

import numpy as np

from plait.ir import dispatch, functions, is_complex, is_inexact, ops
from plait.ir.autodiff.recording import Recording
from plait.ir.derivatives.define import like
from plait.ir.errors import DTypeError, ShapeError, SignatureError
from plait.runtime.explain import definition
from plait.runtime.graph_function import graph_function
from plait.runtime.tape import cotangents_for, eagerly, payload_of_target
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
    wrap_shared,
)

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


@dataclass(slots=True, eq=False)
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
        The structure of the arguments that they are in.
    there : list of bool
        For each leaf of it whether it is one of them, and not None; None: all are.
    """

    recording: Recording
    result: Any
    payloads: list[Any]
    tree: TreeDef
    there: list[bool] | None

    def nest(self, values: Sequence[Any]) -> Any:
        """Values for ``payloads`` in the structure of the arguments, None where these have None."""
        if self.there is None:
            return unflatten(self.tree, values)
        rest = iter(values)
        return unflatten(self.tree, [next(rest) if there else None for there in self.there])

    def pull(self, targets: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
        """Cotangents of ``payloads``, as payloads; None where nothing depends on one."""
        return self.recording.pullback(targets, cotangents, self.payloads)


def play_here(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    positions: Sequence[int | str],
    *,
    variables: bool = False,
) -> Played:
    """Call a function where ops run at once, recording what depends on some of its arguments.

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
    is_plain, takes_all = dispatch.is_plain(), positions == range(len(args))
    mine = [*args] if takes_all else [_argument(p, args, kwargs) for p in positions]
    leaves, tree = flatten(mine)
    there = None
    fresh = _views(leaves) if is_plain else None
    if fresh is None:
        paths = [
            path
            for p, child in zip(positions, tree.children, strict=True)
            for path in leaf_paths(child, f"argument {p}")
        ]
        fresh = [fresh_tensor(leaf, path) for leaf, path in zip(leaves, paths, strict=True)]
        there = [handle is not None for handle in fresh]
    payloads = list(map(_DATA, fresh if there is None else filter(_is_there, fresh)))
    recording = Recording()
    recording.watches_variables = variables
    recording.watch_smooth(payloads)
    given, named = list(args), kwargs
    if takes_all:
        given = unflatten(tree, fresh)
    else:
        named = dict(kwargs)
        for p, value in zip(positions, unflatten(tree, fresh), strict=True):
            if isinstance(p, str):
                named[p] = value
            else:
                given[p] = value
    with recording.recording():
        result = f(*given, **named) if is_plain else call_captured(f, *given, **named)
    return Played(recording, result, payloads, tree, there)


play = eagerly(play_here)


_DATA = attrgetter("_data")


def _is_there(handle: Any) -> bool:
    return handle is not None


def _argument(p: int | str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return kwargs[p] if isinstance(p, str) else args[p]


def _views(leaves: Sequence[Any]) -> list[Any] | None:
    """As ``fresh_tensor`` of each, where all are floating tensors on the host; else None."""
    made = []
    for leaf in leaves:
        if type(leaf) is not Tensor or type(leaf._data) is not np.ndarray:
            return None
        data = leaf._data
        if not is_inexact(data.dtype):
            return None
        freeze(leaf)
        made.append(wrap_shared(data.view()))
    return made


def fresh_tensor(leaf: Any, name: str) -> Tensor | None:
    """A tensor of its own with the elements of an argument, to be differentiated with respect to.

    None for None.

    Raises
    ------
    DTypeError
        It is not floating or complex.
    """
    if leaf is None:
        return None
    if isinstance(leaf, Variable):
        leaf = leaf.value
    payload = unwrap(leaf)
    if not hasattr(payload, "dtype") or not hasattr(payload, "shape"):
        if not isinstance(payload, (int, float, complex)):
            raise DTypeError(
                f"{name}: expected a tensor, an array or a number, got {type(leaf).__name__}; "
                "leave it out of what is differentiated"
            )
        payload = functions.constant(payload)
    if not is_inexact(payload.dtype):
        raise DTypeError(
            f"{name}: only floating and complex values have gradients, this one is "
            f"{payload.dtype.name}; pass a float, or leave it out of what is differentiated"
        )
    if not dispatch.is_eager():
        return wrap(ops.cast(payload, dtype=payload.dtype))
    if type(leaf) is Tensor:
        freeze(leaf)
    is_own = type(payload) is np.ndarray and type(leaf) is Tensor
    made = payload.view() if is_own else payload.copy()
    for tape in recorded.tapes():
        tape.alias(made, payload)
    handle = wrap(made)
    freeze(handle)
    return handle


def gradients_or_zeros(played: Played, found: Sequence[Any]) -> list[Tensor]:
    """Tensors for cotangents, zeros where there is none."""
    return [
        wrap_shared(like(x, 0) if g is None else g)
        for x, g in zip(played.payloads, found, strict=True)
    ]


def all_gradients(function: Any) -> Any:
    """The compiled function that gives a function's value, and all its gradients.

    Parameters
    ----------
    function : GraphFunction

    Returns
    -------
    GraphFunction
        Gives the value, and a list of the gradients of the sum of its floating parts with respect
        to each floating tensor among the arguments, then to each trainable variable that was read.
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
        results = flatten(played.result)[0]
        floating = [x for x in results if type(x) is Tensor and is_inexact(x.dtype)]
        targets = [payload_of_target(t) for t in floating or results]
        variables = [payload for _, payload in played.recording.variables.values()]
        sources = [*played.payloads, *variables]
        trace: Any = dispatch.current()
        with trace.at(place):
            ones = cotangents_for(floating or results, targets, None)
            found = played.recording.pullback(targets, ones, sources)
            zeros = zip(sources, found, strict=True)
            return played.result, [wrap(like(x, 0) if g is None else g) for x, g in zeros]

    name = getattr(function, "__name__", "function")
    place = replace(definition(function), function=name)
    both.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return graph_function(both, name=f"{name}_gradients")


class Derived(Protocol[R_co]):
    """A function that gives derivatives, with ``.graph`` as compiled functions have it."""

    def __call__(self, *args: Any, **kwargs: Any) -> R_co:
        """The derivatives, for arguments as the function itself takes them."""
        ...

    def graph(self, *args: Any, stage: str = "optimized", **kwargs: Any) -> Any:
        """The graph, forward and backward, for these arguments or specs, at a stage."""
        ...


def with_graph(made: Callable[..., R], what: str) -> Derived[R]:
    """A function that gives derivatives, with its ``.graph``."""
    twin = _twin(made)  # no cycle, which would keep what the user's function holds

    def graph(*args: Any, stage: str = "optimized", **kwargs: Any) -> Any:
        """The graph, forward and backward, for these arguments or specs, at a stage."""
        name = f"{getattr(twin, '__name__', 'function')}_{what}"
        return graph_function(twin, name=name).graph(*args, stage=stage, **kwargs)

    found: Any = made
    found.graph = graph
    derived: Derived[R] = found
    return derived


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
    several = isinstance(argnums, (list, tuple, range))
    asked: list[Any] = list(argnums) if several else [argnums]  # type: ignore[arg-type]
    for i in asked:
        if not _is_position(i, args):
            raise SignatureError(
                f"argnums: there is no positional argument {i!r}; {len(args)} were given (those "
                "that are given by name are not differentiated)"
            )
    found = [i % len(args) for i in asked]
    if len({*found}) != len(found):
        raise SignatureError(f"argnums: an argument is given twice in {tuple(asked)}")
    return found


def checked_params(
    params: Sequence[int | str], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[int | str]:
    """Positions, counted from the front, and names of arguments.

    Raises
    ------
    SignatureError
        There is no such argument.
    """
    if not isinstance(params, (list, tuple, range)):
        raise SignatureError(f"params: expected a list of positions and names, got {params!r}")
    for p in params:
        known = p in kwargs if isinstance(p, str) else _is_position(p, args)
        if not known:
            raise SignatureError(f"params: the call has no argument {p!r}")
    found = [p if isinstance(p, str) else p % len(args) for p in params]
    if len({*found}) != len(found):
        raise SignatureError(f"params: an argument is given twice in {params!r}")
    return found


def _is_position(p: Any, args: tuple[Any, ...]) -> bool:
    return isinstance(p, int) and -len(args) <= p < len(args)


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
    "Derived",
    "Played",
    "all_gradients",
    "checked_argnums",
    "checked_params",
    "demand_callable",
    "fresh_tensor",
    "gradients_or_zeros",
    "play",
    "play_here",
    "scalar_payload",
    "split_aux",
    "with_graph",
]
