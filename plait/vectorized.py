"""``vmap``: a function of one row as a function of many."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from plait.ir import dispatch, functions
from plait.ir.errors import PlaitError, ShapeError, SignatureError
from plait.ir.frames import boundary, hide_internals
from plait.ir.location import user_location
from plait.runtime import GraphFunction, RowFunction, Rows, graph_function, is_array
from plait.tracer import Trace, TreeDef, flatten, leaf_paths, lift, unflatten

Axes = list[int | None]


class VectorizedFunction:
    """A function of one row, called for all rows of its arguments. Made by ``vmap``.

    Its signature takes anything: which arguments are mapped depends on how they are given.
    """

    __signature__ = inspect.signature(lambda *args, **kwargs: None)

    def __init__(
        self, function: Callable[..., Any], in_axes: Any, out_axes: Any, axis_size: int | None
    ) -> None:
        self.__wrapped__ = function
        self._name = _name_of(function)
        self.__name__ = self.__qualname__ = f"vmap_{self._name}"
        self.__doc__ = getattr(function, "__doc__", None)
        self._in_axes, self._out_axes, self._axis_size = in_axes, out_axes, axis_size
        self._names = _parameter_names(function)
        self._row = RowFunction(function, self._name)
        self._compiled: GraphFunction = graph_function(
            self._in_trace, name=self.__name__, fullgraph=True
        )

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        try:
            if isinstance(dispatch.current(), Trace):
                return self._in_trace(*args, **kwargs)
            if os.environ.get("PLAIT_DISABLE_GRAPH", "") not in ("", "0"):
                return self._one_by_one(self._rows(args, kwargs))
            return self._run(args, kwargs)
        except Exception as error:
            shown = error.at(user_location()) if isinstance(error, PlaitError) else error
            try:
                raise shown
            except Exception as found:
                hide_internals(found)
                raise

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return self._compiled(*args, **kwargs)
        except Exception:
            self._rows(args, kwargs)  # raises what is wrong with the axes, where that is it
            raise

    def _in_trace(self, /, *args: Any, **kwargs: Any) -> Any:
        trace: Any = dispatch.current()
        return self._row.call(trace, self._rows(args, kwargs), self._out)

    def _out(self, tree: TreeDef) -> Axes:
        return spread_axes("out_axes", self._out_axes, tree, "the result")

    def _rows(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Rows:
        """The arguments, with the axis of each leaf and the number of rows."""
        leaves, tree = flatten((args, kwargs))
        positional, named = tree.children
        axes = self._positional_axes(positional)
        axes += [0] * named.count
        paths = [
            path
            for i, child in enumerate(positional.children)
            for path in leaf_paths(child, self._names[i] if i < len(self._names) else f"arg{i}")
        ]
        for name, child in zip(kwargs, named.children, strict=True):
            paths += leaf_paths(child, name)
        found = [
            _axis_of(leaf, axis, path) for leaf, axis, path in zip(leaves, axes, paths, strict=True)
        ]
        return Rows(leaves, tree, found, _size(leaves, found, paths, self._axis_size))

    def _positional_axes(self, tree: TreeDef) -> Axes:
        given = self._in_axes
        if not isinstance(given, tuple):
            return [given] * tree.count
        if len(given) != len(tree.children):
            raise SignatureError(
                f"vmap: in_axes has {len(given)} entries for {len(tree.children)} positional "
                "argument(s); give one for each (arguments that are named are mapped over axis 0)"
            )
        found: Axes = []
        for i, (axes, child) in enumerate(zip(given, tree.children, strict=True)):
            name = self._names[i] if i < len(self._names) else f"arg{i}"
            found += spread_axes("in_axes", axes, child, f"argument {name}")
        return found

    def _one_by_one(self, rows: Rows) -> Any:
        """Without graphs: a loop over the rows, whose results are stacked."""
        results = []
        for k in range(rows.size):
            leaves = [
                leaf if axis is None else _part(leaf, axis, k)
                for leaf, axis in zip(rows.leaves, rows.axes, strict=True)
            ]
            args, kwargs = unflatten(rows.tree, leaves)
            results.append(flatten(self.__wrapped__(*args, **kwargs)))
        if not results:
            raise ShapeError("vmap: no rows, and graphs are disabled: the result has no shape")
        tree = results[0][1]
        stacks = [
            items[0] if axis is None or not is_array(items[0]) else _stack(items, axis=axis)
            for axis, *items in zip(self._out(tree), *[r for r, _ in results], strict=True)
        ]
        return unflatten(tree, stacks)

    def __repr__(self) -> str:
        return f"<{self.__name__}, in_axes={self._in_axes}, out_axes={self._out_axes}>"


_stack = lift(functions.stack)


def _part(leaf: Any, axis: int, index: int) -> Any:
    return leaf[(*[slice(None)] * axis, index)]


def _name_of(function: Any) -> str:
    name = getattr(function, "__name__", type(function).__name__)
    return "lambda_" if name == "<lambda>" else str(name)


def _parameter_names(function: Any) -> list[str]:
    """Names of the positional parameters, for messages."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters if p.kind in kinds]


# Axes.


def spread_axes(option: str, axes: Any, tree: TreeDef, what: str) -> Axes:
    """An axis for each leaf of a tree, from axes for its first levels.

    Raises
    ------
    SignatureError
        The axes have another structure than the tree.
    """
    if axes is None or _is_axis(axes):
        return [axes] * tree.count
    parts, structure = flatten_once(axes)
    same = structure is not None and _fits(structure, tree)
    if not same:
        raise SignatureError(
            f"vmap: {option} {axes!r} does not fit {what}: give an int, None, or a container like "
            "it with one entry for each of its own"
        )
    order = range(len(parts))
    if structure is not None and structure.kind is dict:
        order = [list(structure.rest).index(key) for key in tree.rest]  # type: ignore[assignment]
    found: Axes = []
    for position, child in zip(order, tree.children, strict=True):
        found += spread_axes(option, parts[position], child, what)
    return found


def flatten_once(container: Any) -> tuple[list[Any], TreeDef | None]:
    """The children of a container and its structure; None for what is no container."""
    leaves, tree = flatten(container)
    if tree.kind is None:
        return leaves, None
    parts, rest = [], iter(leaves)
    for child in tree.children:
        parts.append(unflatten(child, [next(rest) for _ in range(child.count)]))
    return parts, tree


def _fits(axes: TreeDef, tree: TreeDef) -> bool:
    """Whether two containers have the same entries; lists and tuples stand for each other."""
    if len(axes.children) != len(tree.children):
        return False
    if axes.kind in (list, tuple):
        return tree.kind in (list, tuple)
    if axes.kind is not tree.kind:
        return False
    return axes.rest == tree.rest or (axes.kind is dict and {*axes.rest} == {*tree.rest})


def _is_axis(x: Any) -> bool:
    return isinstance(x, int) and not isinstance(x, bool)


def _axis_of(leaf: Any, axis: int | None, path: str) -> int | None:
    """The axis of a leaf's rows, counted from the front; None for a leaf that all rows share."""
    if axis is None:
        return None
    if not is_array(leaf):
        return None
    shape = getattr(leaf, "shape", ())
    if not -len(shape) <= axis < len(shape):
        raise ShapeError(
            f"vmap: argument {path} has shape {tuple(shape)} and no axis {axis} to map over; "
            "use None in in_axes for what all rows share"
        )
    return axis % len(shape)


def _size(leaves: Sequence[Any], axes: Axes, paths: Sequence[str], given: int | None) -> Any:
    """The number of rows.

    Raises
    ------
    ShapeError
        Sizes that differ, or none at all.
    """
    sizes = {
        path: (leaf.shape[axis], axis)
        for leaf, axis, path in zip(leaves, axes, paths, strict=True)
        if axis is not None
    }
    found = {size for size, _ in sizes.values()} | (set() if given is None else {given})
    if len(found) == 1:
        return found.pop()
    if not found:
        raise ShapeError(
            "vmap: no argument is mapped; give an axis of one in in_axes, or axis_size"
        )
    shown = [f"{path} has {size} along axis {axis}" for path, (size, axis) in sizes.items()]
    shown += [] if given is None else [f"axis_size is {given}"]
    raise ShapeError(f"vmap: sizes of the mapped axes differ: {'; '.join(shown)}")


@boundary
def vmap(
    fun: Callable[..., Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    axis_size: int | None = None,
) -> VectorizedFunction:
    """A function of one row as a function of many, which runs as one batched program.

    ``fun`` is captured for one row, with its control flow, as a compiled function is; every
    operation then works on all rows at once. Where rows part at a branch on their values, both
    sides are computed and each row takes its own; a loop goes on until no row does, and a row that
    is done keeps its values. Checks, prints and callbacks in a branch or a loop count for those
    rows only that are in it; prints run row by row.

    Works eagerly, inside compiled functions and around them, and nests.

    Random numbers: each row draws from a stream of its own, whose seed the generator draws; the
    generator goes on as after one draw. Draw outside what all rows are to share.

    Parameters
    ----------
    fun : callable
        Takes and returns any nest of containers of tensors. Writing into a mapped argument writes
        into its rows.
    in_axes : int, None or tuple
        Which axis of the positional arguments is mapped over: one for all of them, or a tuple with
        an entry for each: an int, None (all rows share it), or a container of these like the
        argument. Named arguments are mapped over axis 0. Strings, None and other objects that are
        no numbers are shared.
    out_axes : int, None or container
        Along which axis of each result the rows lie; None for a result that does not differ.
    axis_size : int, optional
        The number of rows, where no argument is mapped.

    Returns
    -------
    callable

    Raises
    ------
    SignatureError, ShapeError
        When called: axes that do not fit the arguments, or sizes that differ.
    TraceError
        When called: ``fun`` keeps a value that differs by row outside of it.

    Examples
    --------
    >>> norms = pl.vmap(lambda v: pl.sqrt(v @ v))
    >>> norms(pl.asarray([[3.0, 4.0], [6.0, 8.0]]))
    pl.Tensor([ 5., 10.], dtype=float32, shape=(2,))
    >>> pl.vmap(pl.add, in_axes=(0, None))(pl.arange(3), 10)
    pl.Tensor([10, 11, 12], dtype=int32, shape=(3,))
    """
    if not callable(fun):
        raise SignatureError(f"vmap takes a callable, got {type(fun).__name__}")
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    if not (in_axes is None or _is_axis(in_axes) or isinstance(in_axes, tuple)):
        raise SignatureError(
            f"vmap: in_axes is an int, None, or a tuple with an entry for each argument, "
            f"got {in_axes!r}"
        )
    if axis_size is not None and not (_is_axis(axis_size) and axis_size >= 0):
        raise SignatureError(f"vmap: axis_size is a number of rows, got {axis_size!r}")
    if type(fun) in _KEPT and not dispatch.interpreters():
        keys = [flatten(axes) for axes in (in_axes, out_axes)]
        first, last = [(tuple(leaves), tree) for leaves, tree in keys]
        if type(fun) is FunctionType and fun.__closure__:
            return _known_to(fun, axis_size, first, last)
        return _known(fun, axis_size, first, last)
    return VectorizedFunction(fun, in_axes, out_axes, axis_size)


#: Kinds of functions that are equal when they are the same.
_KEPT = (FunctionType, MethodType, BuiltinFunctionType, GraphFunction)


def _known_to(fun: FunctionType, *key: Any) -> VectorizedFunction:
    """Likewise, kept with a function that holds variables, so that they do not outlive it."""
    kept: dict[Any, VectorizedFunction] = fun.__dict__.setdefault(_ROWS, {})
    found = kept.get(key)
    if found is None or found.__wrapped__ is not fun:  # ``wraps`` has copied what another one knew
        kept = fun.__dict__[_ROWS] = {k: v for k, v in kept.items() if v.__wrapped__ is fun}
        found = kept[key] = _known.__wrapped__(fun, *key)
    return found


_ROWS = "__plait_rows__"


@lru_cache(maxsize=64)
def _known(fun: Any, axis_size: int | None, in_axes: Any, out_axes: Any) -> VectorizedFunction:
    """One object for one function and axes, which keeps what it has compiled."""
    first, last = (unflatten(tree, leaves) for leaves, tree in (in_axes, out_axes))
    return VectorizedFunction(fun, first, last, axis_size)


__all__ = ["VectorizedFunction", "vmap"]
