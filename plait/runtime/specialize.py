"""One program per signature: binding of arguments, keys, the bounded cache, runtime numbers."""

from __future__ import annotations

import inspect
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from plait.ir import Value, dispatch
from plait.ir.errors import SignatureError, TraceError
from plait.runtime import device, log
from plait.runtime.options import Options
from plait.runtime.program import Program
from plait.tracer import (
    NUMBER_TYPES,
    LeafSpec,
    NumberNeeded,
    Tensor,
    Trace,
    TracedFunction,
    TreeDef,
    classify,
    flatten,
    leaf_paths,
    leaked,
    trace_function,
)

# Tracing runs the user's Python, which may trace other functions: one lock for all of them, so
# that two threads tracing functions that call each other cannot wait for each other.
_trace_lock = threading.RLock()


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
    """

    tree: TreeDef
    leaves: list[Any]
    names: Sequence[str]
    static: frozenset[str | int]

    @property
    def is_flat(self) -> bool:
        """Whether the leaves are the positional arguments, one by one."""
        positional, keyword = self.tree.children
        return not keyword.children and all(c.kind is None for c in positional.children)

    def paths(self) -> list[str]:
        """A name for each leaf, as the user would write it."""
        return [path for _, _, path in self._named()]

    def refuse_leaks(self) -> None:
        """Raise for a tensor whose trace is over.

        Raises
        ------
        LeakedTracerError
        """
        for leaf in self.leaves:
            if type(leaf) is Tensor and type(leaf._data) is Value:
                raise leaked(leaf._data)

    def static_leaves(self) -> frozenset[int]:
        """The leaves that belong to static arguments."""
        if not self.static:
            return frozenset()
        named = enumerate(self._named())
        return frozenset(
            i for i, (at, name, _) in named if at in self.static or name in self.static
        )

    def _named(self) -> list[tuple[int | None, str, str]]:
        """Position, argument name and path of each leaf."""
        positional, keyword = self.tree.children
        found: list[tuple[int | None, str, str]] = []
        for i, child in enumerate(positional.children):
            name = self.names[i] if i < len(self.names) else f"arg{i}"
            found += [(i, name, path) for path in leaf_paths(child, name)]
        for name, child in zip(keyword.rest, keyword.children, strict=True):
            found += [(None, name, path) for path in leaf_paths(child, name)]
        return found


Binder = Callable[[tuple[Any, ...], dict[str, Any], Options], Request]


def bind(function: Callable[..., Any]) -> Binder:
    """How arguments of ``function`` become a request: named and default arguments in place."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return lambda args, kwargs, options: _request((), args, kwargs, options)
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = signature.parameters.values()
    names = [p.name for p in parameters if p.kind in positional]
    is_simple = len(names) == len(parameters)

    def bind_arguments(args: tuple[Any, ...], kwargs: dict[str, Any], options: Options) -> Request:
        if kwargs or not is_simple or len(args) != len(names):
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError as error:
                name = getattr(function, "__qualname__", repr(function))
                raise SignatureError(f"{name}{signature}: {error}") from None
            bound.apply_defaults()
            args, kwargs = bound.args, bound.kwargs
        return _request(names, args, kwargs, options)

    return bind_arguments


def _request(
    names: Sequence[str], args: tuple[Any, ...], kwargs: dict[str, Any], options: Options
) -> Request:
    leaves, tree = flatten((args, kwargs))
    return Request(tree, leaves, names, options.static)


@dataclass(slots=True)
class _Family:
    """Signatures that differ in the values of Python numbers only."""

    last: dict[int, Any] = field(default_factory=dict)
    dynamic: set[int] = field(default_factory=set)
    static: set[int] = field(default_factory=set)


class Specializer:
    """The programs of one function, by signature."""

    def __init__(self, name: str, options: Options) -> None:
        self.name = name
        self.options = options
        self._programs: OrderedDict[Any, Program] = OrderedDict()
        self._families: dict[Any, _Family] = {}

    def __len__(self) -> int:
        return len(self._programs)

    @property
    def last(self) -> Program | None:
        """The program used last, as far as it was looked up here."""
        return next(reversed(self._programs.values()), None)

    def clear(self) -> None:
        """Forget all programs."""
        with _trace_lock:
            self._programs.clear()
            self._families.clear()

    def program(self, function: Callable[..., Any], request: Request) -> Program:
        """The program for a request, traced when it is new."""
        place = device.placement(request.leaves)
        specs = self._specs(request)
        numbers = _numbers(request)
        family = self._family(request, specs, numbers) if numbers else None
        key = self._key(request, specs, family, place)
        found = self._programs.get(key)
        if found is not None:
            self._programs.move_to_end(key)
            return found
        with _trace_lock:
            return self._trace(function, request, specs, numbers, family, place)

    def _specs(self, request: Request) -> list[LeafSpec]:
        specs = []
        for i, leaf in enumerate(request.leaves):
            try:
                specs.append(classify(leaf, ""))
            except (SignatureError, TypeError):
                specs.append(classify(leaf, request.paths()[i]))
        return specs

    def _family(self, request: Request, specs: list[LeafSpec], numbers: dict[int, Any]) -> _Family:
        base = [
            LeafSpec("number", None, type(numbers[i])) if i in numbers else spec
            for i, spec in enumerate(specs)
        ]
        family = self._families.setdefault((request.tree, *base), _Family())
        _set_dynamic(specs, numbers, family)
        return family

    @staticmethod
    def _key(request: Request, specs: list[LeafSpec], _: Any, place: Any) -> Any:
        return (request.tree, place, *specs)

    def _trace(
        self,
        function: Callable[..., Any],
        request: Request,
        specs: list[LeafSpec],
        numbers: dict[int, Any],
        family: _Family | None,
        place: Any,
    ) -> Program:
        if family is not None:
            family.dynamic |= {
                i
                for i, value in numbers.items()
                if i not in family.static and i in family.last and family.last[i] != value
            }
            family.last = dict(numbers)
        while True:
            if family is not None:
                _set_dynamic(specs, numbers, family)
            key = self._key(request, specs, family, place)
            found = self._programs.get(key)
            if found is not None:
                return found
            try:
                traced = self._trace_once(function, request, specs)
            except NumberNeeded as needed:
                _make_static(needed.positions, request, numbers, family)
                continue
            return self._keep(key, Program(traced, self.options, place))

    def _trace_once(
        self, function: Callable[..., Any], request: Request, specs: list[LeafSpec]
    ) -> TracedFunction:
        topic = "retrace" if self._programs else "trace"
        log.log(topic, f"{self.name}({', '.join(map(_shown, specs))})")
        return trace_function(function, request.tree, specs, request.paths(), self.name)

    def _keep(self, key: Any, program: Program) -> Program:
        if any(c.kind == "value" for c in program.traced.captures):
            return program  # Tied to the trace around it.
        self._programs[key] = program
        while len(self._programs) > self.options.cache_size:
            self._programs.popitem(last=False)
        return program


def _numbers(request: Request) -> dict[int, Any]:
    """The Python numbers that may become runtime inputs, by leaf."""
    found = {
        i: leaf
        for i, leaf in enumerate(request.leaves)
        if type(leaf) in (float, complex) or (type(leaf) is int and -(2**63) <= leaf < 2**63)
    }
    if found and request.static:
        fixed = request.static_leaves()
        found = {i: leaf for i, leaf in found.items() if i not in fixed}
    return found


def _set_dynamic(specs: list[LeafSpec], numbers: dict[int, Any], family: _Family) -> None:
    for i, value in numbers.items():
        if i in family.dynamic:
            specs[i] = LeafSpec("number", NUMBER_TYPES[type(value)], type(value))
        else:
            specs[i] = classify(value, "")


def _make_static(
    positions: frozenset[int], request: Request, numbers: dict[int, Any], family: _Family | None
) -> None:
    """Fix numbers whose value the trace needs; those of an outer trace are fixed there."""
    for i in positions:
        leaf = request.leaves[i]
        if i in numbers and family is not None:
            family.static.add(i)
            family.dynamic.discard(i)
            continue
        outer = dispatch.current()
        if isinstance(outer, Trace):
            outer.number_needed(leaf._data)
        path = request.paths()[i]
        raise TraceError(
            f"control flow or a shape needs the value of argument {path}, which is computed in "
            "the graph; pass a Python number"
        )


def _shown(spec: LeafSpec) -> str:
    if spec.type is not None:
        return str(spec.type)
    return repr(spec.value.value)


__all__ = ["Request", "Specializer", "bind"]
