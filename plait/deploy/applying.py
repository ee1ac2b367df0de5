"""One call of a loaded function, eager or traced: its graph on the arguments and its state."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from plait.deploy.manifest import COMPUTED, KINDS, Leaf, Manifest, Parameter, Result
from plait.deploy.matching import Matched, match
from plait.deploy.saving import Saved
from plait.deploy.trees import Classes, Tree
from plait.deploy.values import Weight
from plait.ir import Graph, Value, ops, specialize, user_location
from plait.ir.errors import PlaitError, SignatureError
from plait.runtime import Stream, Variable, value_of
from plait.tracer import NUMBER_TYPES, Output, Tensor, TensorSpec, Text, unwrap, wrap


class Fixed:
    """Stands, in a signature, for the types of an argument that can be one value only."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"fixed at {self.value!r}"


class Application:
    """The saved function as a Python function of handles, which is captured again.

    Attributes
    ----------
    state : list of Variable and Tensor
        What the graph's last inputs are.
    classes : Classes
        What results are made of.
    """

    def __init__(self, saved: Saved, classes: Classes) -> None:
        self.saved = saved
        self.manifest: Manifest = saved.manifest
        self.__name__ = self.__qualname__ = self.manifest.name
        self.__doc__ = f"{self.manifest.name}, as it was saved."
        self.__signature__ = signature_of(saved)
        self.state = [
            _held(s.kind, s.name, saved.weights[s.weight], s.trainable) for s in self.manifest.state
        ]
        self.classes = classes
        self._fixed = {
            i: made(r.value, saved.weights)
            for i, r in enumerate(self.manifest.results)
            if r.kind == "fixed"
        }

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            matched = self._matched(args, kwargs)
            graph = self._graph(matched)
        except PlaitError as error:
            raise error.at(user_location()) from None
        operands = [*matched.operands, *[unwrap(one) for one in self.state]]
        results: Any = ops.call(*operands, regions=(graph,), name=graph.name)
        results = results if isinstance(results, tuple) else (results,)
        self._change(matched, results)
        found: list[Any] = []
        for i, result in enumerate(self.manifest.results):
            found.append(self._result(result, i, results, matched.leaves, found))
        return self.classes.build(self.manifest.result, iter(found))

    def _matched(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Matched:
        try:
            bound = self.__signature__.bind(*args, **kwargs)
        except TypeError as error:
            raise SignatureError(f"{self.__name__}{self.__signature__}: {error}") from None
        bound.apply_defaults()
        return match(self.manifest, bound.args, bound.kwargs)

    def _graph(self, matched: Matched) -> Graph:
        """The graph for the sizes of a call."""
        sizes = {dim: size for dim, size in matched.sizes.items() if dim != size}
        if not sizes:
            return self.saved.graph
        try:
            return specialize(self.saved.graph, sizes)
        except PlaitError as error:
            shown = ", ".join([f"{dim} = {size}" for dim, size in sizes.items()])
            message = f"{self.manifest.name} cannot be made for {shown}: {error.message}"
            raise type(error)(message).at(error.location) from None

    def _change(self, matched: Matched, results: tuple[Any, ...]) -> None:
        """Give variables and arguments their new values."""
        manifest = self.manifest
        written = len(results) - len(manifest.written)
        start = written - len(manifest.assigned)
        for place, value in zip(manifest.assigned, results[start:written], strict=True):
            self.state[place].assign(wrap(value))
        for place, value in zip(manifest.written, results[written:], strict=True):
            leaf = matched.leaves[place]
            leaf[...] = wrap(value) if isinstance(leaf, (Tensor, Variable)) else value

    def _result(
        self, result: Result, i: int, results: Any, leaves: list[Any], found: list[Any]
    ) -> Any:
        """One leaf of the result."""
        kind, index = result.kind, result.index
        if kind == "argument":
            return leaves[index]
        if kind == "result":
            return found[index]
        if kind == "fixed":
            value = self._fixed[i]
            return value.copy() if type(value) is np.ndarray else value
        if index < len(results) and type(results[index]) is Value:
            if kind in COMPUTED:
                return wrap(results[index], kind)
            template, count = result.value
            return Text(template, results[index : index + count])
        return value_of(Output(kind, index, result.value), results, leaves, ())


def _held(kind: str, name: str, array: Any, trainable: bool) -> Any:
    """A variable, or a tensor, that holds a value of its own."""
    if kind == "variable":
        return Variable(array, name, trainable)
    if kind == "random":
        return Stream(array, name, trainable)
    return wrap(np.array(array))


def made(value: Any, weights: Mapping[str, Any]) -> Any:
    """A fixed value; of a weight a tensor, an array or one of NumPy's scalars."""
    if type(value) is not Weight:
        return value
    array = np.array(weights[value.name])
    if value.kind == "tensor":
        return wrap(array)
    return array if value.kind == "ndarray" else array[()]


# The signature.


def signature_of(saved: Saved) -> inspect.Signature:
    """The parameters of a saved function, annotated with their types."""
    manifest = saved.manifest
    leaves = iter(manifest.leaves)
    named = [p for p in manifest.parameters if p.kind.startswith("positional_")]
    types = {}
    for i, tree in enumerate(manifest.positional):
        shown = _annotation(tree, leaves)
        if i < len(named):
            types[named[i].name] = shown
    for name, tree in manifest.keyword.items():
        types[name] = _annotation(tree, leaves)
    parameters = [_parameter(p, types, saved.weights) for p in manifest.parameters]
    return inspect.Signature(parameters)


def _parameter(
    p: Parameter, types: Mapping[str, Any], weights: Mapping[str, Any]
) -> inspect.Parameter:
    default = made(p.default[0], weights) if p.default else inspect.Parameter.empty
    annotation = types.get(p.name, inspect.Parameter.empty)
    return inspect.Parameter(p.name, KINDS[p.kind], default=default, annotation=annotation)


def _annotation(tree: Tree, leaves: Any) -> Any:
    """The types of an argument, in the containers that hold them."""
    found = []
    for _ in range(tree.count):
        found.append(_shown_leaf(next(leaves)))
    if tree.kind == "leaf":
        return found[0]
    return Classes({}).build(_shown(tree), iter(found))


def _shown_leaf(leaf: Leaf) -> Any:
    if leaf.type is None:
        return Fixed(leaf.value)
    if leaf.kind == "number":
        return next(kind for kind, type_ in NUMBER_TYPES.items() if type_ == leaf.type)
    return TensorSpec(leaf.type.shape, leaf.type.dtype)


def _shown(tree: Tree) -> Tree:
    """A structure without the user's classes."""
    kind = "list" if tree.kind == "class" else tree.kind
    name = "" if tree.kind == "class" else tree.name
    rest = None if tree.kind == "class" else tree.rest
    return Tree(kind, tuple([_shown(child) for child in tree.children]), name, rest)


__all__ = ["Application", "Fixed", "signature_of"]
