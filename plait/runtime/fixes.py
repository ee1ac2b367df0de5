"""Changes of the user's code that would spare captures: each is tried before it is told."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from plait.ir import TensorType, dispatch
from plait.runtime.history import Entry
from plait.runtime.program import Program
from plait.runtime.records import Change, Fix, SideEffect, UnseenCall
from plait.runtime.request import Request
from plait.runtime.specialize import Specializer
from plait.tracer import (
    Break,
    Gone,
    LeafSpec,
    TensorSpec,
    TracedFunction,
    classify,
    converting,
    flatten,
    payload_of,
    unflatten,
    wrap,
)

#: Programs with more work than this are not run for a trial.
MOST_FLOPS = 1e9
TRIALS = 2


@dataclass(frozen=True, slots=True)
class Case:
    """One capture, and the one that it was compared with when it was made.

    Attributes
    ----------
    function : callable
    specializer : Specializer
    number, against : int
        Numbers of the captures.
    new, old : Program
    changes : tuple of Change
        What differs between them: arguments that both have.
    """

    function: Callable[..., Any]
    specializer: Specializer
    number: int
    against: int
    new: Program
    old: Program
    changes: tuple[Change, ...]

    @property
    def change(self) -> Change:
        """The first thing that differs."""
        return self.changes[0]

    @property
    def positions(self) -> tuple[int, ...]:
        """The argument leaves that differ."""
        return tuple(self.new.traced.paths.index(change.path) for change in self.changes)

    @property
    def position(self) -> int:
        """The first argument leaf that differs."""
        return self.positions[0]


def find_fixes(function: Callable[..., Any], specializer: Specializer) -> list[Fix]:
    """The fixes for captures of a function; each trial is made once."""
    history = specializer.history
    found: dict[tuple[str, str], Fix] = {}
    for entry in history.entries():
        number = entry.record.number
        if number not in history.fixes:
            history.fixes[number] = tuple(_fixes(function, specializer, entry))
        for fix in history.fixes[number]:
            found.setdefault((fix.path, fix.advice), fix)
    for module in history.breaking:
        if module not in history.fixes:
            history.fixes[module] = tuple(_looking_into(function, specializer, module))
        for fix in history.fixes[module]:
            found[module, fix.advice] = fix
    return list(found.values())


def _looking_into(
    function: Callable[..., Any], specializer: Specializer, module: str
) -> Iterator[Fix]:
    """Have the code of a library captured that breaks the graph when it is run as it is."""
    location, specs, like = specializer.history.breaking[module]
    request = _request(specs, like)
    trial = Specializer(specializer.name, replace(specializer.options, max_traces=None))
    if request is None:
        return
    with dispatch.suspended(), converting(module):
        try:
            trial.program(function, request)
        except (Exception, Break):
            return
    yield Fix(
        module,
        f'call pl.convert_modules("{module}") before the first call',
        "captured as one graph then",
        location,
    )


def _fixes(function: Callable[..., Any], specializer: Specializer, entry: Entry) -> Iterator[Fix]:
    case = _case(function, specializer, entry)
    if case is None:
        return
    attempts = (
        [_padding] if len(case.changes) > 1 else [_same_kind, _padding, _not_static, _as_tensor]
    )
    for attempt in attempts:
        with dispatch.suspended():
            fix = attempt(case)
        if fix is not None:
            yield fix
            return


def _case(function: Callable[..., Any], specializer: Specializer, entry: Entry) -> Case | None:
    record, new = entry.record, entry.program()
    others = {e.record.number: e for e in specializer.history.entries()}
    other = others.get(record.against)
    old = other.program() if other is not None else None
    if new is None or old is None or new.traced.in_tree != old.traced.in_tree:
        return None
    if any(change.path not in new.traced.paths for change in record.changes):
        return None
    numbers = record.number, record.against
    return Case(function, specializer, *numbers, new, old, record.changes)


# An argument that is now a tensor, now an ndarray.


def _same_kind(case: Case) -> Fix | None:
    """Pass an argument as one kind of array each time."""
    old, new = case.old.traced.leaves[case.position], case.new.traced.leaves[case.position]
    if old.type is None or old.type != new.type or {old.kind, new.kind} != {"tensor", "ndarray"}:
        return None
    array = np.zeros(_sizes(old.type), old.type.dtype)
    if classify(_leaf(LeafSpec("tensor", old.type), array), "") not in (old, new):
        return None
    path = case.change.path
    return Fix(
        path,
        f"pass {path} as a tensor each time: pl.asarray({path})",
        f"capture {case.against if old.kind == 'tensor' else case.number} takes it then",
        case.change.location,
    )


# A shape that changes.


def _padding(case: Case) -> Fix | None:
    """Pad arguments with zeros to the larger of two sizes: the results must be equal."""
    for small, large in ((case.old, case.new), (case.new, case.old)):
        pairs = [(small.traced.leaves[i], large.traced.leaves[i]) for i in case.positions]
        if all(_fits(a, b) for a, b in pairs) and _can_be_run(small) and _can_be_run(large):
            break
    else:
        return None
    cut = _agree_when_padded(small, large, case.positions)
    if cut is None:
        return None
    paths = " and ".join(change.path for change in case.changes)
    types = ", ".join(f"{a.type} to {b.type}" for a, b in pairs)
    return Fix(
        paths,
        f"pad {paths} with zeros to a few sizes{', and cut the results' if cut else ''}: "
        "one graph then serves all that fit",
        f"{types}, equal results on random values",
        case.change.location,
    )


def _fits(small: LeafSpec, large: LeafSpec) -> bool:
    """Whether one argument can be padded to another's shape."""
    a, b = small.type, large.type
    if a is None or b is None or small.kind != large.kind or a.dtype != b.dtype:
        return False
    return len(a.shape) == len(b.shape) and all(map(operator.le, _sizes(a), _sizes(b)))


def _sizes(type_: TensorType) -> tuple[int, ...]:
    """A shape in numbers; programs with symbolic dimensions are not run."""
    return tuple([size if isinstance(size, int) else 0 for size in type_.shape])


def _can_be_run(program: Program) -> bool:
    """Whether a compiled program has no effect and is quick."""
    traced = program.traced
    if not program.is_compiled or traced.assigned or traced.mutated or traced.same:
        return False
    if any(capture.kind == "value" for capture in traced.captures):
        return False
    graph = program.optimized.graph
    if any(node.op.is_host_effect for node in graph.walk()):
        return False
    return bool(graph.cost().flops <= MOST_FLOPS)


def _agree_when_padded(small: Program, large: Program, positions: Sequence[int]) -> bool | None:
    """Whether results have to be cut to be equal; None when they are not equal."""
    cut = False
    for seed in range(TRIALS):
        leaves = [_random(leaf, seed + i) for i, leaf in enumerate(small.traced.leaves)]
        padded = list(leaves)
        for i in positions:
            padded[i] = _padded(leaves[i], large.traced.leaves[i])
        try:
            first, second = _results(small, leaves), _results(large, padded)
        except Exception:
            return None
        if len(first) != len(second):
            return None
        for a, b in zip(first, second, strict=True):
            if not _equal_where_both_are(a, b):
                return None
            cut |= np.shape(a) != np.shape(b)
    return cut


def _padded(array: Any, leaf: LeafSpec) -> Any:
    assert leaf.type is not None
    made = np.zeros(_sizes(leaf.type), leaf.type.dtype)
    made[tuple(map(slice, array.shape))] = array
    return made


def _equal_where_both_are(small: Any, large: Any) -> bool:
    if not isinstance(small, np.ndarray) or not isinstance(large, np.ndarray):
        return type(small) is type(large) and bool(small == large)
    if small.dtype != large.dtype or small.ndim != large.ndim:
        return False
    part = large[tuple(map(slice, small.shape))]
    if part.shape != small.shape:
        return False
    if small.dtype.kind in "biu":
        return bool(np.array_equal(small, part))
    wide = np.result_type(small.dtype, np.float64)
    tolerance = 64 * float(np.finfo(np.float32 if small.itemsize <= 4 else np.float64).eps)
    if small.itemsize < 4:
        tolerance = 1e-2
    return bool(
        np.allclose(small.astype(wide), part.astype(wide), tolerance, tolerance, equal_nan=True)
    )


def _results(program: Program, arrays: Sequence[Any]) -> list[Any]:
    leaves = [_leaf(spec, x) for spec, x in zip(program.traced.leaves, arrays, strict=True)]
    found, _ = flatten(program.call(leaves))
    return [np.asarray(payload_of(x)) if hasattr(x, "dtype") else x for x in found]


def _random(leaf: LeafSpec, seed: int) -> Any:
    """Random values of an argument's type; small integers, which may be indices."""
    if leaf.type is None:
        return leaf.value.value
    random, shape, dtype = np.random.default_rng(seed), _sizes(leaf.type), leaf.type.dtype
    if dtype.kind in "biu":
        return np.asarray(random.integers(0, 2, shape)).astype(dtype)
    return np.asarray(random.standard_normal(shape)).astype(dtype)


def _leaf(spec: LeafSpec, value: Any) -> Any:
    """An argument of the kind that a program takes."""
    if spec.kind == "tensor":
        return wrap(np.array(value))
    if spec.kind == "number":
        return spec.value(value.item())
    return value


# Python values that are part of the signature.


def _not_static(case: Case) -> Fix | None:
    """Leave a number out of ``static=``."""
    i, options = case.position, case.specializer.options
    request = _case_request(case)
    if request is None or i not in replace(request, static=options.static).static_leaves():
        return None
    values = _values(case)
    if not all(type(value) in (int, float, complex) for value in values):
        return None
    traced = _tried(case, [(i, value) for value in values])
    if traced is None or traced.leaves[i].kind != "number":
        return None
    path = case.change.path
    return Fix(
        path,
        f"take {path} out of static=: it then is an input of the graph, and one serves all values",
        f"captured with {path} as an input",
        case.change.location,
    )


def _as_tensor(case: Case) -> Fix | None:
    """Pass a Python number or truth value as a tensor."""
    values = _values(case)
    if type(values[0]) is not type(values[1]) or type(values[0]) not in (bool, int, float):
        return None
    dtype = {bool: "bool", int: "int64", float: "float64"}[type(values[0])]
    if _tried(case, [(case.position, TensorSpec((), dtype))]) is None:
        return None
    path = case.change.path
    return Fix(
        path,
        f"pass {path} as a tensor, pl.asarray({path}): one graph then serves all values",
        f"captured with {path}: {TensorSpec((), dtype).type}",
        case.change.location,
    )


def _values(case: Case) -> tuple[Any, Any]:
    """The Python values before and after; None for what is no static value."""
    leaves = case.old.traced.leaves[case.position], case.new.traced.leaves[case.position]
    old, new = (leaf.value.value if leaf.is_static else None for leaf in leaves)
    return old, new


def _tried(case: Case, attempts: Sequence[tuple[int, Any]]) -> TracedFunction | None:
    """The function captured with one leaf after another replaced.

    None when that fails or gives results of other types. Not tried where the function did
    something that capturing it again would do again.
    """
    traced = case.new.traced
    if any(isinstance(note, (SideEffect, UnseenCall)) for note in traced.notes):
        return None
    options = replace(case.specializer.options, static=frozenset(), max_traces=None)
    trial = Specializer(case.specializer.name, options)
    found: TracedFunction | None = None
    for position, value in attempts:
        request = _case_request(case)
        if request is None:
            return None
        request.leaves[position] = value
        request.given = unflatten(request.tree, request.leaves)
        try:
            found = trial.program(case.function, request).traced
        except (Exception, Break):
            return None
    return found if found is not None and _result_types(found) == _result_types(traced) else None


def _result_types(traced: TracedFunction) -> list[Any]:
    return [traced.out_tree, *[value.type for value in traced.graph.outputs]]


def _case_request(case: Case) -> Request | None:
    like = case.specializer.history.like
    assert like is not None
    traced = case.new.traced
    return _request(traced.leaves, replace(like, tree=traced.in_tree, static=frozenset()))


def _request(specs: Sequence[LeafSpec], like: Request) -> Request | None:
    """Arguments of the traced kinds and types; None where there are jax arrays."""
    leaves: list[Any] = []
    for spec in specs:
        if spec.type is None:
            if type(spec.value.value) is Gone:
                return None
            leaves.append(spec.value.value)
        elif spec.kind == "tensor":
            leaves.append(TensorSpec(spec.type.shape, spec.type.dtype))
        elif spec.kind == "ndarray":
            zeros = np.broadcast_to(np.zeros((), spec.type.dtype), _sizes(spec.type))
            leaves.append(zeros if spec.value is None else zeros[()])
        elif spec.kind == "number":
            leaves.append(spec.value(1))
        else:
            return None
    return replace(like, leaves=leaves, given=unflatten(like.tree, leaves), found=())


__all__ = ["find_fixes"]
