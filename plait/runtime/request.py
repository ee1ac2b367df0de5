"""The arguments of one call: named and default ones in place, flattened."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from plait.ir import Value
from plait.ir.errors import SignatureError
from plait.runtime.options import Options
from plait.tracer import Layout, Tensor, TreeDef, flatten, leaf_paths, leaked, spec_from_text


@dataclass(slots=True)
class Request:
    """The arguments of one call.

    Attributes
    ----------
    tree : TreeDef
        Structure of ``(args, kwargs)``, defaults filled in.
    leaves : list
    names : sequence of str
        Names of the positional arguments.
    static : frozenset of str and int
        Arguments whose numbers are never runtime inputs.
    groups : tuple of str
        Names of what takes further positional and named arguments, as ``args`` and ``kwargs``.
    given : tuple
        ``(args, kwargs)`` themselves, defaults filled in.
    found : tuple
        What the program found for this call has looked up outside.
    layouts : mapping
        How leaves lie in memory whose layout matters, where that is not in C order.
    """

    tree: TreeDef
    leaves: list[Any]
    names: Sequence[str]
    static: frozenset[str | int]
    groups: tuple[str, str] = ("", "")
    given: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})
    found: tuple[Any, ...] = ()
    layouts: Mapping[int, Layout] = field(default_factory=dict)

    def paths(self) -> list[str]:
        """A name for each leaf, as the user would write it."""
        return [path for _, path in self._named()]

    def without_values(self) -> Request:
        """The form of the request, which keeps no argument alive."""
        return replace(self, leaves=[], given=((), {}), found=())

    def refuse_leaks(self) -> None:
        """Raise for a tensor whose trace is over.

        Raises
        ------
        LeakedTracerError
        """
        for leaf in self.leaves:
            if type(leaf) is Tensor and type(leaf._data) is Value:
                raise leaked(leaf._data)

    def read_types(self, given: Iterable[Any]) -> None:
        """Take strings that are types, such as ``"f32[8,16]"``, as specs.

        Parameters
        ----------
        given : iterable
            The leaves that the user wrote: default values and static arguments stay strings.
        """
        written = {id(leaf) for leaf in given if type(leaf) is str and "[" in leaf}
        if written:
            fixed = self.static_leaves()
            for i, leaf in enumerate(self.leaves):
                if id(leaf) in written and i not in fixed:
                    self.leaves[i] = spec_from_text(leaf)

    def static_leaves(self) -> frozenset[int]:
        """The leaves that belong to static arguments."""
        if not self.static:
            return frozenset()
        return frozenset(i for i, (at, _) in enumerate(self._named()) if at & self.static)

    def _named(self) -> list[tuple[set[int | str], str]]:
        """For each leaf, the position and names of its argument, and its path."""
        positional, keyword = self.tree.children
        found: list[tuple[set[int | str], str]] = []
        for i, child in enumerate(positional.children):
            known = i < len(self.names)
            name = self.names[i] if known else f"arg{i}"
            at: set[int | str] = {i, name if known else self.groups[0]}
            found += [(at, path) for path in leaf_paths(child, name)]
        for name, child in zip(keyword.rest, keyword.children, strict=True):
            found += [({name, self.groups[1]}, path) for path in leaf_paths(child, name)]
        return found


Binder = Callable[[tuple[Any, ...], dict[str, Any], Options], Request]


def bind(function: Callable[..., Any]) -> Binder:
    """How arguments of ``function`` become a request: named and default arguments in place."""
    signature = _signature(function)
    if signature is None:
        return lambda args, kwargs, options: _request((), args, kwargs, options)
    plain = plain_function(function)
    known = [_defaults(plain)]
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = signature.parameters.values()
    names = [p.name for p in parameters if p.kind in positional]
    groups = _group(parameters, "VAR_POSITIONAL"), _group(parameters, "VAR_KEYWORD")
    is_simple = len(names) == len(parameters)

    def bind_arguments(args: tuple[Any, ...], kwargs: dict[str, Any], options: Options) -> Request:
        if kwargs or not is_simple or len(args) != len(names):
            nonlocal signature
            if known[0] != _defaults(plain):  # somebody has changed them
                signature, known[0] = _signature(function), _defaults(plain)
            bound = _bound(function, signature, args, kwargs)
            bound.apply_defaults()
            args, kwargs = bound.args, bound.kwargs
        return _request(names, args, kwargs, options, groups)

    return bind_arguments


def _bound(
    function: Any, signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> inspect.BoundArguments:
    try:
        return signature.bind(*args, **kwargs)
    except TypeError as error:
        name = getattr(function, "__qualname__", repr(function))
        raise SignatureError(f"{name}{signature}: {error}") from None


def plain_function(function: Any) -> Any:
    """The function in the user's source below bound methods and partials."""
    while isinstance(function, functools.partial):
        function = function.func
    function = getattr(function, "__wrapped__", function)
    return getattr(function, "__func__", function)


def _defaults(function: Any) -> tuple[int, int]:
    """Which objects hold the defaults of a function."""
    named = getattr(function, "__kwdefaults__", None)
    return id(getattr(function, "__defaults__", None)), hash(tuple(map(id, (named or {}).values())))


def _signature(function: Any) -> Any:
    """The parameters of a function with the defaults that they have now."""
    if _is_ufunc(function):
        return None
    method = hasattr(function, "__plait_self__")
    try:
        signature = inspect.signature(function.__wrapped__ if method else function)
    except (TypeError, ValueError):
        return None
    parameters: list[Any] = [*signature.parameters.values()]
    first, *rest = parameters or [None]
    if not method or first is None or first.kind is first.VAR_POSITIONAL:
        return signature
    return signature.replace(parameters=rest)


def _is_ufunc(function: Any) -> bool:
    """Whether the function is NumPy's, whose defaults exclude each other."""
    while isinstance(function, functools.partial):
        function = function.func
    return isinstance(function, np.ufunc)


def _group(parameters: Iterable[inspect.Parameter], kind: str) -> str:
    return next((p.name for p in parameters if p.kind.name == kind), "")


def _request(
    names: Sequence[str],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    options: Options,
    groups: tuple[str, str] = ("", ""),
) -> Request:
    leaves, tree = flatten((args, kwargs))
    return Request(tree, leaves, names, options.static, groups, (args, kwargs))


__all__ = ["Binder", "Request", "bind", "plain_function"]
