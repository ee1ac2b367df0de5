"""The border to jax: containers as jax sees them, a function traced at types, the graph of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from plait.backends.jax.importing.rules import config, key_implementation
from plait.backends.jax.importing.translate import to_graph
from plait.backends.jax.lowerings.common import shape_struct
from plait.ir import Graph, TensorType, dispatch
from plait.ir.errors import DTypeError, ShapeError
from plait.ir.types import SHORT_NAMES

#: Constants of more elements are inputs of the graph.
MOST_INLINE = 16
_WIDE = frozenset(("float64", "complex128"))
_NARROWER = {"int64": "int32", "uint64": "uint32", "float64": "float32", "complex128": "complex64"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf of the arguments, as the function is traced for it.

    Attributes
    ----------
    type : TensorType or None
        Of a tensor; None for a value that is part of the signature.
    is_weak : bool
        Whether it is a Python number, which follows the dtypes that it meets.
    keys : Any
        The dtype of random keys of jax, whose data is the tensor.
    value : Any
        The value, where it is no tensor.
    """

    type: TensorType | None = None
    is_weak: bool = False
    keys: Any = None
    value: Any = None


@dataclass(frozen=True, slots=True, eq=False)
class Imported:
    """A function of jax at some types, as a graph.

    Attributes
    ----------
    graph : Graph
        Inputs: the tensors among the leaves, then the constants.
    constants : tuple of ndarray
        What the function uses from outside.
    out_tree : Any
        How jax nests the result.
    outputs : tuple
        For each leaf of the result ``(index, None)``, an output of the graph, or
        ``(None, value)``, a value that is no tensor.
    """

    graph: Graph
    constants: tuple[Any, ...]
    out_tree: Any
    outputs: tuple[tuple[int | None, Any], ...]


def flatten(tree: Any) -> tuple[list[Any], Any]:
    """Leaves and structure of a nest, as jax sees containers: those of models among them."""
    leaves, structure = jax.tree_util.tree_flatten(tree)
    return leaves, structure


def unflatten(structure: Any, leaves: Sequence[Any]) -> Any:
    """The nest of a structure around leaves."""
    return jax.tree_util.tree_unflatten(structure, list(leaves))


def leaf_names(tree: Any) -> list[str]:
    """The place of each leaf: ``dense/kernel``."""
    return [
        jax.tree_util.keystr(path, simple=True, separator="/")
        for path, _ in jax.tree_util.tree_leaves_with_path(tree)
    ]


def argument_names(structure: Any, parameters: Sequence[str]) -> list[str]:
    """An identifier for each leaf of ``(args, kwargs)``, as ``params_dense_kernel``.

    Parameters
    ----------
    structure : Any
    parameters : sequence of str
        Names of the positional ones.
    """
    numbered = unflatten(structure, range(structure.num_leaves))
    found: dict[int, str] = {}
    for path, i in jax.tree_util.tree_leaves_with_path(numbered):
        group, place, *rest = [re.sub(r"\W+", "_", jax.tree_util.keystr((p,))) for p in path]
        place = place.strip("_")
        if group.strip("_") == "0":
            at = int(place)
            place = parameters[at] if at < len(parameters) else f"arg{at}"
        name = "_".join([place, *[r.strip("_") for r in rest]])
        found[i] = name if name not in found.values() else f"{name}_{i}"
    return [found[i] for i in range(structure.num_leaves)]


def configuration() -> tuple[Any, ...]:
    """What tracing depends on besides the arguments."""
    return (
        bool(config.jax_enable_x64),
        bool(config.jax_threefry_partitionable),
        str(config.jax_numpy_dtype_promotion),
    )


def array_payload(x: Any) -> tuple[Any, Any]:
    """An array of jax as one that ops take, and the dtype of the keys that it holds, or None."""
    if not isinstance(x, jax.Array):
        return None, None
    if key_implementation(x.dtype) is not None:
        return np.asarray(jax.random.key_data(x)), x.dtype
    return x, None


def x64_scope(x64: bool | None) -> AbstractContextManager[Any]:
    """Where jax computes in the wide dtypes or does not; by default as it is configured."""
    scope: AbstractContextManager[Any] = jax.enable_x64(
        bool(config.jax_enable_x64) if x64 is None else x64
    )
    return scope


def trace(
    function: Callable[..., Any],
    structure: Any,
    leaves: Sequence[Leaf],
    names: Sequence[str],
    name: str,
    x64: bool | None = None,
) -> Imported:
    """Trace a function of jax and translate it.

    Parameters
    ----------
    function : callable
    structure : Any
        How ``(args, kwargs)`` nest.
    leaves : sequence of Leaf
    names : sequence of str
        Of the tensors among the leaves.
    name : str
        Of the graph.
    x64 : bool, optional

    Raises
    ------
    DTypeError, ShapeError
        An argument that jax, as it is configured, does not take.
    """
    held: list[tuple[Any, list[Any]]] = []

    def flat(*tensors: Any) -> list[Any]:
        given = iter(tensors)
        made = [leaf.value if leaf.type is None else next(given) for leaf in leaves]
        args, kwargs = unflatten(structure, made)
        found, out_tree = flatten(function(*args, **kwargs))
        held.append((out_tree, [None if is_tensor(x) else (x,) for x in found]))
        return [x for x in found if is_tensor(x)]

    with dispatch.suspended(), x64_scope(x64):
        wide = bool(config.jax_enable_x64)
        specs = [spec_of(leaf, n, wide) for leaf, n in zip(_tensors(leaves), names, strict=True)]
        closed = jax.make_jaxpr(flat)(*specs)
        types = [leaf.type for leaf in _tensors(leaves) if leaf.type is not None]
        graph, constants = graph_of(closed, types, names, name)
    out_tree, static = held[-1]
    counter = iter(range(len(static)))
    outputs = tuple([(next(counter), None) if s is None else (None, s[0]) for s in static])
    return Imported(graph, constants, out_tree, outputs)


def _tensors(leaves: Sequence[Leaf]) -> list[Leaf]:
    return [leaf for leaf in leaves if leaf.type is not None]


def is_tensor(x: Any) -> bool:
    """Whether a leaf of a result is an array."""
    return isinstance(x, (jax.Array, np.ndarray, np.generic))


def spec_of(leaf: Leaf, name: str, wide: bool) -> Any:
    """The description for jax of a tensor.

    Raises
    ------
    DTypeError
        A float of 64 bits where jax computes in 32.
    ShapeError
        A size that is not known.
    """
    type_ = leaf.type
    assert type_ is not None
    if not type_.is_static:
        raise ShapeError(f"{name} is {type_}: a function of jax needs sizes that are numbers")
    if leaf.keys is not None:
        own = len(key_implementation(leaf.keys).key_shape)
        return shape_struct(type_.shape[: type_.ndim - own], leaf.keys)
    dtype = type_.dtype
    if not wide and dtype.name in _NARROWER:
        if dtype.name in _WIDE and not leaf.is_weak:
            raise DTypeError(
                f"{name} is {type_}, but jax computes in 32 bits; convert it with "
                f'x.astype("{_NARROWER[dtype.name]}"), or import the function with '
                "pl.from_jax(fn, x64=True)"
            )
        dtype = np.dtype(_NARROWER[dtype.name])
    return shape_struct(type_.shape, dtype, weak_type=leaf.is_weak)


def graph_of(
    closed: Any, types: Sequence[TensorType], names: Sequence[str], name: str
) -> tuple[Graph, tuple[Any, ...]]:
    """The graph of a closed jaxpr, and the large constants that are its last inputs."""
    large: list[tuple[int, Any]] = []
    for i, x in enumerate(closed.consts):
        array = x if key_implementation(x.dtype) is None else jax.random.key_data(x)
        if array.size > MOST_INLINE and np.dtype(array.dtype) in SHORT_NAMES:
            large.append((i, np.asarray(array)))
    kinds = [TensorType(x.dtype, x.shape) for _, x in large]
    named = [*names, *[f"constant{i}" for i in range(len(large))]]
    places = tuple([i for i, _ in large])
    graph = to_graph(name, closed, [*types, *kinds], named, places)
    return graph, tuple([x for _, x in large])
