"""How a call is written: by position, by name, in containers; and what tells that of another."""

from __future__ import annotations

import functools
import types
from dataclasses import dataclass
from typing import Any

from plait.runtime.request import Request, plain_function
from plait.runtime.unrolled import Spelling
from plait.tracer import TreeDef


@dataclass(frozen=True, slots=True)
class Spelled:
    """A call's spelling, and the objects that its text refers to."""

    spelling: Spelling
    names: dict[str, Any]


def spell(
    request: Request, args: tuple[Any, ...], kwargs: dict[str, Any], function: Any
) -> Spelled | None:
    """How the call of ``function`` behind a request is written; None where that is not simple.

    Parameters
    ----------
    request : Request
    args, kwargs
        The arguments as the user wrote them.
    function : callable
        Whose defaults stand for arguments that are left out.
    """
    positional, keyword = request.tree.children
    order: list[Any] = [*range(len(args))]
    for i in range(len(args), len(positional.children)):
        name = request.names[i] if i < len(request.names) else None
        order.append(name if name in kwargs else None)
    order += keyword.rest
    named = [x for x in order if type(x) is str]
    if sorted(named) != sorted(kwargs):
        return None
    trees = (*positional.children, *keyword.children)
    last = len(request.names)
    default = tuple([(i, i - last) for i, x in enumerate(order) if x is None])
    plain = plain_function(function)
    if default and (isinstance(function, functools.partial) or not _is_plain(plain)):
        return None
    if any(i >= last or trees[i].kind is not None for i, _ in default):
        return None
    names: dict[str, Any] = {"keywords": tuple(kwargs), "function": plain}
    names["defaults"] = getattr(plain, "__defaults__", None)
    opened = _Opener(names)
    found = [opened.structure(tree) for tree in trees]
    if not opened.is_simple:
        return None
    by_name = tuple([order.index(name) for name in kwargs])
    return Spelled(Spelling(tuple(found), len(args), by_name, default), names)


def _is_plain(function: Any) -> bool:
    """Whether a function's own defaults are those of its signature."""
    return type(function) is types.FunctionType and not hasattr(function, "__wrapped__")


class _Opener:
    """Notes the containers among arguments, in the order in which the text numbers them."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        self.is_simple = True
        self._count = 0

    def structure(self, tree: TreeDef) -> Any:
        """The part of a spelling that tells how a tree is opened."""
        if tree.kind is None:
            return None
        is_dict = tree.kind is dict
        is_tuple = issubclass(tree.kind, tuple) and tree.kind.__iter__ is tuple.__iter__
        if not (is_dict or is_tuple or tree.kind is list):
            self.is_simple = False
            return None
        number = self._count
        self._count += 1
        self.names[f"kind{number}"] = tree.kind
        if is_dict:
            self.names[f"keys{number}"] = tree.rest
            self.names[f"ids{number}"] = [*map(id, tree.rest)]
        return is_dict, tuple([self.structure(child) for child in tree.children])


__all__ = ["Spelled", "spell"]
