"""Nested containers as a flat list of leaves and a hashable description of their structure."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice
from types import NoneType
from typing import Any

from plait.ir.errors import SignatureError

_Split = Callable[[Any], tuple[Iterable[Any], Any]]
_Join = Callable[[Any, list[Any]], Any]

_registry: dict[type, tuple[_Split, _Join]] = {}


def register_pytree(kind: type, split: _Split, join: _Join) -> None:
    """Teach Plait a container class.

    Parameters
    ----------
    kind : type
        The container class; subclasses are not included.
    split : callable
        ``split(container)`` gives its children and a hashable rest.
    join : callable
        ``join(rest, children)`` builds the container again.

    Examples
    --------
    >>> class Pair:
    ...     def __init__(self, a, b):
    ...         self.a, self.b = a, b
    >>> pl.register_pytree(Pair, lambda p: ((p.a, p.b), None), lambda _, c: Pair(*c))
    """
    _registry[kind] = (split, join)
    _leaf_kinds.discard(kind)
    _flat_kinds.discard(kind)


def register_leaf(kind: type) -> None:
    """Say that a class of Plait's own is a leaf, so that this is not found out again and again."""
    _leaf_kinds.add(kind)


# The common nests, lists of leaves, are taken apart at once.
_leaf_kinds: set[type] = {NoneType, bool, int, float, complex, str}
_flat_kinds: set[type] = {list, tuple}


@dataclasses.dataclass(frozen=True, slots=True)
class TreeDef:
    """The structure of a nest of containers; hashable, equal for equal structures.

    Attributes
    ----------
    kind : type or None
        Class of the container; None for a leaf.
    rest : hashable
        Keys, field names or whatever the container needs beside its children.
    children : tuple of TreeDef
    count : int
        Number of leaves.
    """

    kind: type | None
    rest: Any
    children: tuple[TreeDef, ...]
    count: int

    def __str__(self) -> str:
        if self.kind is None:
            return "*"
        inner = ", ".join(map(str, self.children))
        return f"{self.kind.__name__}({inner})"


LEAF = TreeDef(None, None, (), 1)


@lru_cache(maxsize=1024)
def _flat(kind: type, count: int) -> TreeDef:
    """The structure of a list or tuple of leaves."""
    return TreeDef(kind, None, (LEAF,) * count, count)


class _Keys(tuple[Any, ...]):
    """The keys of a dict, in its order, which functions see; 1, 1.0 and True are not the same."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return tuple.__eq__(self, other) is True and [*map(type, self)] == [*map(type, other)]  # type: ignore[call-overload]

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = tuple.__hash__


def _split_dict(x: Any) -> tuple[list[Any], Any]:
    return list(x.values()), _Keys(x)


def _join_dict(kind: type) -> _Join:
    def join(keys: Any, children: list[Any]) -> Any:
        return kind(zip(keys, children, strict=True))

    return join


def _split_default(x: Any) -> tuple[list[Any], Any]:
    children, keys = _split_dict(x)
    return children, (x.default_factory, keys)


def _join_default(rest: Any, children: list[Any]) -> Any:
    return defaultdict(rest[0], zip(rest[1], children, strict=True))


_registry[list] = (lambda x: (x, None), lambda _, c: c)
_registry[tuple] = (lambda x: (x, None), lambda _, c: tuple(c))
_registry[dict] = (_split_dict, _join_dict(dict))
_registry[OrderedDict] = (
    _split_dict,
    _join_dict(OrderedDict),
)
_registry[slice] = (lambda x: ((x.start, x.stop, x.step), None), lambda _, c: slice(*c))
_registry[defaultdict] = (_split_default, _join_default)
# What is in a set has no order and is hashed: it is structure.
_registry[set] = (
    lambda x: ((), frozenset([(type(item), item) for item in x])),
    lambda rest, _: {item for _, item in rest},
)


def _register_dataclass(kind: type) -> tuple[_Split, _Join]:
    fields = tuple(f.name for f in dataclasses.fields(kind))

    def split(x: Any) -> tuple[list[Any], Any]:
        names = tuple([name for name in fields if hasattr(x, name)])
        # Such as what functools.cached_property keeps.
        names += tuple([name for name in getattr(x, "__dict__", ()) if name not in names])
        return [getattr(x, name) for name in names], names

    def join(names: Any, children: list[Any]) -> Any:
        # The constructor is not run again: it may check or convert what is now a tracer.
        made: Any = object.__new__(kind)
        for name, child in zip(names, children, strict=True):
            object.__setattr__(made, name, child)
        return made

    return _registry.setdefault(kind, (split, join))


def container_of(x: Any) -> tuple[_Split, _Join] | None:
    """How a container is taken apart and put together again; None for a leaf."""
    kind = type(x)
    found = _registry.get(kind)
    if found is not None:
        return found
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return _registry.setdefault(kind, (lambda t: (t, None), lambda _, c: kind(*c)))
    if dataclasses.is_dataclass(kind) and not getattr(kind, "__plait_leaf__", False):
        return _register_dataclass(kind)
    return None


def flatten(tree: Any) -> tuple[list[Any], TreeDef]:
    """Leaves in order and the structure. None is a leaf of its own (a static value).

    Raises
    ------
    SignatureError
        A container that holds itself, or nests more than 200 deep.
    """
    kind: Any = type(tree)
    if kind in _leaf_kinds:
        return [tree], LEAF
    if kind in _flat_kinds and _leaf_kinds.issuperset(map(type, tree)):
        return [*tree], _flat(kind, len(tree))
    leaves: list[Any] = []
    return leaves, _flatten(tree, leaves, 0)


def _flatten(tree: Any, leaves: list[Any], depth: int) -> TreeDef:
    container = None if type(tree) in _leaf_kinds else container_of(tree)
    if container is None:
        leaves.append(tree)
        return LEAF
    if depth > 200:
        raise SignatureError("arguments nest more than 200 deep, or a container holds itself")
    children, rest = container[0](tree)
    before = len(leaves)
    nested = []
    for child in children:  # no comprehension: one frame a level
        nested.append(_flatten(child, leaves, depth + 1))
    return TreeDef(type(tree), rest, tuple(nested), len(leaves) - before)


def unflatten(treedef: TreeDef, leaves: Iterable[Any]) -> Any:
    """Build the nest again around other leaves."""
    kind = treedef.kind
    if kind in _flat_kinds and _flat(kind, treedef.count) is treedef:
        return kind(islice(leaves, treedef.count))
    return _unflatten(treedef, iter(leaves))


def _unflatten(treedef: TreeDef, leaves: Iterator[Any]) -> Any:
    if treedef.kind is None:
        return next(leaves)
    children = [_unflatten(child, leaves) for child in treedef.children]
    return _registry[treedef.kind][1](treedef.rest, children)


def leaf_paths(treedef: TreeDef, root: str = "") -> list[str]:
    """A name for each leaf, as a user would write it: ``params['w'][0]``."""
    if treedef.kind is None:
        return [root]
    return [
        path
        for i, child in enumerate(treedef.children)
        for path in leaf_paths(child, root + _step(treedef, i))
    ]


def _step(treedef: TreeDef, i: int) -> str:
    kind, rest = treedef.kind, treedef.rest
    if kind is defaultdict:
        rest = rest[1]
    if kind is not None and issubclass(kind, dict):
        return f"[{rest[i]!r}]"
    if kind is slice:
        return (".start", ".stop", ".step")[i]
    if kind is not None and hasattr(kind, "_fields"):
        return f".{kind._fields[i]}"
    if kind is not None and dataclasses.is_dataclass(kind):
        return f".{rest[i]}"
    return f"[{i}]"


def map_leaves(function: Callable[[Any], Any], tree: Any) -> Any:
    """Apply ``function`` to every leaf."""
    leaves, treedef = flatten(tree)
    return unflatten(treedef, [function(leaf) for leaf in leaves])
