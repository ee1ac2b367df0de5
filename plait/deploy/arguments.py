"""The parameters of a function as a file holds them: what is given at calls, what is fixed."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from plait.deploy.manifest import Leaf, Parameter
from plait.deploy.trees import Tree, tree_of
from plait.deploy.values import Unwritable, Weight, write_value
from plait.ir.errors import SaveError
from plait.tracer import NUMBER_TYPES, Tensor, TracedFunction, TreeDef, shown, unflatten

_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(slots=True)
class Arguments:
    """What ``describe`` finds out.

    Attributes
    ----------
    parameters, positional, keyword, leaves
        As in ``Manifest``.
    places : dict of int to int
        For each leaf of the captured function that is kept, its number among ``leaves``.
    weights : dict of str to ndarray
        Default values that are arrays.
    """

    parameters: list[Parameter] = field(default_factory=list)
    positional: list[Tree] = field(default_factory=list)
    keyword: dict[str, Tree] = field(default_factory=dict)
    leaves: list[Leaf] = field(default_factory=list)
    places: dict[int, int] = field(default_factory=dict)
    weights: dict[str, Any] = field(default_factory=dict)


def describe(function: Any, traced: TracedFunction) -> Arguments:
    """The parameters of a captured function, its arguments, and which of them are fixed.

    Arguments that are no tensors and that no file can hold, such as functions, stay fixed and are
    no parameters any more.

    Raises
    ------
    SaveError
        A part of an argument is such.
    """
    return _Describer(function, traced).run()


class _Describer:
    def __init__(self, function: Any, traced: TracedFunction) -> None:
        self.traced = traced
        self.made = Arguments()
        self.at = 0
        try:
            self.signature = [*inspect.signature(function).parameters.values()]
        except (TypeError, ValueError):
            self.signature = []

    def run(self) -> Arguments:
        positional, keyword = self.traced.in_tree.children
        named = [p for p in self.signature if p.kind in _BY_POSITION]
        kept: list[tuple[inspect.Parameter, tuple[Any, ...]]] = []
        for i, child in enumerate(positional.children):
            known = named[i] if i < len(named) else None
            if known is None and not self.signature:
                known = inspect.Parameter(f"arg{i}", inspect.Parameter.POSITIONAL_ONLY)
            if self._is_dropped(child):
                self._drop(known)
                continue
            start = self.at
            self.made.positional.append(self._tree(child))
            if known is not None:
                kept.append((known, self._default(known, child, start)))
        by_name = {p.name: p for p in self.signature}
        for name, child in zip(keyword.rest, keyword.children, strict=True):
            self._keyword(name, child, by_name, kept)
        self._add_parameters(kept)
        return self.made

    def _keyword(self, name: str, child: TreeDef, by_name: Any, kept: list[Any]) -> None:
        if self._is_dropped(child):
            self.at += 1
            return
        start = self.at
        self.made.keyword[name] = self._tree(child)
        found = by_name.get(name)
        if found is None and self.signature:
            return  # one of **kwargs
        found = found or inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY)
        kept.append((found, self._default(found, child, start)))

    def _add_parameters(self, kept: list[tuple[inspect.Parameter, tuple[Any, ...]]]) -> None:
        """Parameters in order; a default stands only where all after it by position have one."""
        needed = False
        made: list[Parameter] = []
        for p, default in reversed(kept):
            if p.kind in _BY_POSITION:
                needed = needed or not default
                default = () if needed else default
            made.append(Parameter(p.name, p.kind.name.lower(), default))
        found = made[::-1]
        for group in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            name = next((p.name for p in self.signature if p.kind is group), None)
            if name is None:
                continue
            one = Parameter(name, group.name.lower())
            at = sum(p.kind in ("positional_only", "positional_or_keyword") for p in found)
            found.insert(at if group is inspect.Parameter.VAR_POSITIONAL else len(found), one)
        self.made.parameters.extend(found)

    def _is_dropped(self, child: TreeDef) -> bool:
        """Whether an argument is one value that no file can hold."""
        if child.kind is not None:
            return False
        spec = self.traced.leaves[self.at]
        return spec.type is None and not is_writable(spec.value.value)

    def _drop(self, known: inspect.Parameter | None) -> None:
        if known is None:
            raise self._refused(self.at)
        self.at += 1

    def _tree(self, child: TreeDef) -> Tree:
        path = self.traced.paths[self.at] if child.count else "an argument"
        for _ in range(child.count):
            self._leaf()
        try:
            tree = tree_of(child)
            for part in _parts(tree):
                write_value(part.rest)
        except Unwritable as error:
            raise SaveError(
                f"{path} is part of {error}, which a file cannot hold; use lists, tuples and dicts "
                "with keys that are strings or numbers"
            ) from None
        return tree

    def _leaf(self) -> None:
        i, spec = self.at, self.traced.leaves[self.at]
        path = self.traced.paths[i]
        self.made.places[i] = len(self.made.leaves)
        self.at += 1
        if spec.type is not None:
            self.made.leaves.append(Leaf(path, spec.kind, spec.type))
            return
        value = spec.value.value
        if not is_writable(value):
            raise self._refused(i)
        self.made.leaves.append(Leaf(path, "fixed", None, value))

    def _refused(self, i: int) -> SaveError:
        value = self.traced.leaves[i].value.value
        return SaveError(
            f"argument {self.traced.paths[i]} is {shown(value)}, which a file cannot hold as part "
            "of an argument; pass it as an argument of its own, or use it from outside"
        )

    def _default(self, p: inspect.Parameter, child: TreeDef, start: int) -> tuple[Any, ...]:
        """The default value that a parameter of the loaded function has, in a tuple; or nothing."""
        specs = self.traced.leaves[start : start + child.count]
        if all(spec.type is None for spec in specs):
            value = unflatten(child, [spec.value.value for spec in specs])
            return (value,) if is_writable(value) else ()
        if child.kind is not None or p.default is p.empty:
            return ()
        if type(p.default) in NUMBER_TYPES:
            return (p.default,)
        weight = as_weight(p.default, f"defaults/{p.name}", self.made.weights)
        return () if weight is None else (weight,)


def _parts(tree: Tree) -> list[Tree]:
    return [tree, *[part for child in tree.children for part in _parts(child)]]


def is_writable(value: Any) -> bool:
    """Whether a file can hold a value as it is."""
    try:
        write_value(value)
    except Unwritable:
        return False
    return True


def as_weight(value: Any, name: str, weights: dict[str, Any]) -> Weight | None:
    """A tensor or array as one of the weights, which it becomes; None for anything else."""
    if type(value) is Tensor:
        kind, array = "tensor", np.asarray(value._data)
    elif type(value) is np.ndarray:
        kind, array = "ndarray", value
    elif isinstance(value, np.generic):
        kind, array = "scalar", np.asarray(value)
    else:
        return None
    weights[name] = array
    return Weight(kind, name)


def demand_plain_layouts(traced: TracedFunction, paths: Sequence[str]) -> None:
    """Demand that no argument's layout in memory matters.

    Raises
    ------
    SaveError
        One does.
    """
    for spec, path in zip(traced.leaves, paths, strict=True):
        if spec.layout is not None:
            raise SaveError(
                f"the function tells how argument {path} lies in memory, which is not in C order: "
                "a file can hold it for arrays in C order only; save it for a copy"
            )


__all__ = ["Arguments", "as_weight", "demand_plain_layouts", "describe", "is_writable"]
