"""Forward mode, and the matrices of derivatives: Jacobians and Hessians."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from plait.ir import Graph, dispatch, functions, ops
from plait.ir.autodiff.closure import Closure, close
from plait.ir.autodiff.forward import ForwardRecording, type_of
from plait.ir.autodiff.graphs import Joint, joint
from plait.ir.autodiff.liveness import live_part
from plait.ir.autodiff.recording import Recording
from plait.ir.batching.define import to_axis
from plait.ir.batching.graphs import replay_batched
from plait.ir.derivatives.define import like
from plait.ir.errors import SignatureError, UnknownNameError
from plait.ir.frames import boundary
from plait.runtime.gradients import grad
from plait.runtime.played import (
    Derived,
    Played,
    checked_argnums,
    demand_callable,
    fresh_tensor,
    play,
    split_aux,
    with_graph,
)
from plait.runtime.tape import (
    eager_from_here,
    eagerly,
    fitting,
    payload_of_target,
    payloads_of_targets,
)
from plait.tracer import TreeDef, call_captured, flatten, leaf_paths, unflatten, wrap

MODES = ("forward", "reverse")


@boundary
def jvp(
    fun: Callable[..., Any],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    has_aux: bool = False,
) -> Any:
    """The value of a function, and how it changes along a direction.

    Forward mode: no trajectory is kept, also not of loops.

    Parameters
    ----------
    fun : callable
    primals : tuple or list
        Its arguments: floating or complex tensors, or nests of them.
    tangents : tuple or list
        The direction: as the primals, in structure, shapes and dtypes.
    has_aux : bool, default False
        Whether ``fun`` returns a pair of a result and anything else.

    Returns
    -------
    value, tangent : as ``fun`` gives it
    aux : Any
        With ``has_aux`` only.

    Raises
    ------
    SignatureError, ShapeError, DTypeError
        Tangents that do not fit the primals.

    Examples
    --------
    >>> pl.jvp(lambda x, y: x * y, (2.0, 5.0), (1.0, 0.0))
    (pl.Tensor(10., dtype=float32), pl.Tensor(5., dtype=float32))
    """
    demand_callable(fun, "jvp")
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise SignatureError("jvp: primals and tangents are tuples, one item for each argument")
    return _jvp(fun, tuple(primals), tuple(tangents), has_aux)


def _jvp(fun: Any, primals: tuple[Any, ...], tangents: tuple[Any, ...], has_aux: bool) -> Any:
    leaves, tree = flatten(primals)
    given, given_tree = flatten(tangents)
    if given_tree != tree:
        raise SignatureError(
            f"jvp: the tangents must have the structure of the primals, {len(leaves)} tensor(s); "
            f"found {len(given)}"
        )
    names = leaf_paths(tree, "primals")
    result, found = push(fun, leaves, tree, names, given, has_aux)
    value, aux = split_aux(result, has_aux)
    made = unflatten(flatten(value)[1], found)
    return (value, made, aux) if has_aux else (value, made)


def push(
    fun: Callable[..., Any],
    leaves: Sequence[Any],
    tree: TreeDef,
    names: Sequence[str],
    tangents: Sequence[Any],
    has_aux: bool = False,
) -> tuple[Any, list[Any]]:
    """The result of a function, and the tangents of its leaves."""
    with ExitStack() as scopes:
        eager_from_here(scopes)
        fresh = [fresh_tensor(leaf, name) for leaf, name in zip(leaves, names, strict=True)]
        recording = ForwardRecording()
        for handle, tangent, name in zip(fresh, tangents, names, strict=True):
            if handle is None:
                continue
            wanted = handle._data
            recording.watch(wanted, fitting(tangent, wanted, name.replace("primals", "tangents")))
        with recording.recording():
            result = call_captured(fun, *unflatten(tree, fresh))
        value, _ = split_aux(result, has_aux)
        made: list[Any] = []
        for leaf in flatten(value)[0]:
            if leaf is None:
                made.append(None)
                continue
            payload = payload_of_target(leaf)
            tangent = recording.tangent_of(payload)
            made.append(wrap(like(payload, 0) if tangent is None else tangent))
    return result, made


# Matrices of derivatives.


@boundary
def jacobian(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    mode: str | None = None,
) -> Derived[Any]:
    """The function that gives the derivatives of all results with respect to all elements.

    Parameters
    ----------
    fun : callable
        Gives a floating tensor, or a nest of them.
    argnums : int or sequence of int, default 0
    has_aux : bool, default False
    mode : {"forward", "reverse"}, optional
        By default forward where the arguments have fewer elements than the results.

    Returns
    -------
    callable
        Takes the arguments of ``fun``. For a result of shape ``s`` and an argument of shape ``t``
        it gives a tensor of shape ``s + t``; for nests, a nest of those of the arguments in the
        nest of the results.

    Examples
    --------
    >>> pl.jacobian(lambda x: x * x)(pl.constant([1.0, 2.0]))
    pl.Tensor([[2., 0.],
               [0., 4.]], dtype=float32, shape=(2, 2))
    """
    demand_callable(fun, "jacobian")
    if mode is not None and mode not in MODES:
        raise UnknownNameError(f"mode must be one of {', '.join(MODES)}, got {mode!r}")

    def _asked(row: list[Any]) -> Any:
        return row[0] if isinstance(argnums, int) else tuple(row)

    @functools.wraps(fun, updated=())
    @boundary
    @eagerly
    def _matrix(*args: Any, **kwargs: Any) -> Any:
        positions = checked_argnums(argnums, args)
        played = play(fun, args, kwargs, positions)
        value, aux = split_aux(played.result, has_aux)
        leaves, tree = flatten(value)
        targets = payloads_of_targets(value)
        inputs = sum(x.size for x in played.payloads)
        forward = mode == "forward" or (mode is None and inputs < sum(x.size for x in targets))
        matrices = _by_columns if forward else _by_rows
        rows = [matrices(played, target) for target in targets]
        nested = iter([played.nest([wrap(x) for x in row]) for row in rows])
        found = unflatten(tree, [None if x is None else _asked(next(nested)) for x in leaves])
        return (found, aux) if has_aux else found

    return with_graph(_matrix, "jacobian")


def _by_rows(played: Played, target: Any) -> list[Any]:
    """The Jacobians of a target with respect to a function's arguments."""
    return by_rows(played.recording, target, played.payloads)[0]


def by_rows(
    recording: Recording, target: Any, sources: Sequence[Any]
) -> tuple[list[Any], list[int]]:
    """The Jacobians of a target, its elements' cotangents pulled back together.

    Also gives the positions of the sources that it depends on.
    """
    way, reached = _way_back(recording, target, sources)
    basis = identity(target)
    dims = (0, *[None] * len(way.captured))
    arguments = (basis, *way.captured)
    found, axes = replay_batched(way.graph, arguments, dims, target.size)
    rows = dict(zip(reached, map(_front, found, axes, [target.size] * len(axes)), strict=True))
    made = [
        functions.reshape(rows[i], (*target.shape, *x.shape)) if i in rows else _zeros(target, x)
        for i, x in enumerate(sources)
    ]
    return made, reached


def _by_columns(played: Played, target: Any) -> list[Any]:
    """The Jacobians of a target, the directions of each source pushed forward together.

    The way back is linear, and is transposed.
    """
    way, reached = _way_back(played.recording, target, played.payloads)
    turned = joint(way.graph, (0,))
    graph = live_part(Graph(way.graph.name, *_parts(turned)))
    made: list[Any] = []
    for i, x in enumerate(played.payloads):
        if i not in reached or not turned.inputs:
            made.append(_zeros(target, x))
            continue
        others = [played.payloads[k] for k in (reached[j] for j in turned.outputs)]
        tangents = [identity(x) if other is x else like(other, 0) for other in others]
        dims = [0 if other is x else None for other in others]
        (column,), (axis,) = replay_batched(
            graph,
            (like(target, 0), *way.captured, *tangents),
            (None, *[None] * len(way.captured), *dims),
            x.size,
        )
        front = _front(column, axis, x.size)
        last = ops.transpose(front, permutation=(*range(1, front.ndim), 0))
        made.append(functions.reshape(last, (*target.shape, *x.shape)))
    return made


def _parts(turned: Joint) -> tuple[Any, Any, Any]:
    """Inputs, nodes and the cotangent of a joint graph."""
    graph = turned.graph
    return graph.inputs, graph.nodes, graph.outputs[turned.num_outputs :]


def _way_back(
    recording: Recording, target: Any, sources: Sequence[Any]
) -> tuple[Closure, list[int]]:
    """What pulls a cotangent of a target back, as a graph, and the sources that it reaches."""
    reached: list[int] = []

    def pull(cotangent: Any) -> list[Any]:
        found = recording.pullback([target], [cotangent], sources)
        reached.extend(i for i, g in enumerate(found) if g is not None)
        return [g for g in found if g is not None]

    return close("pullback", [type_of(target)], pull), reached


def _front(x: Any, axis: int | None, size: int) -> Any:
    """Rows along the first axis."""
    return to_axis(x, axis, size, 0)


def _zeros(target: Any, source: Any) -> Any:
    return functions.zeros((*target.shape, *source.shape), target.dtype)


def identity(x: Any) -> Any:
    """For each element of a payload, in a first axis, 1 at its place and 0 elsewhere."""
    made = np.eye(x.size, dtype=x.dtype).reshape((x.size, *x.shape))
    return ops.cast(made, dtype=made.dtype) if dispatch.depth() else made


@boundary
def hessian(
    fun: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Derived[Any]:
    """The function that gives the second derivatives of a scalar function.

    Forward mode over reverse mode.

    Parameters
    ----------
    fun : callable
        Gives a floating tensor of one element.
    argnums : int or sequence of int, default 0
    has_aux : bool, default False

    Returns
    -------
    callable
        For an argument of shape ``t`` it gives a tensor of shape ``t + t``.

    Examples
    --------
    >>> pl.hessian(lambda x: pl.sum(x * x * x))(pl.constant([1.0, 2.0]))
    pl.Tensor([[ 6.,  0.],
               [ 0., 12.]], dtype=float32, shape=(2, 2))
    """
    return jacobian(grad(fun, argnums, has_aux), argnums, has_aux, mode="forward")


__all__ = ["hessian", "jacobian", "jvp"]
