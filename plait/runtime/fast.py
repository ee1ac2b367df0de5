"""The quick way through a call: arguments of the same kinds and types as last time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from plait.runtime.program import Program, number_array, wait
from plait.tracer import FROZEN, Tensor, freeze

#: Finds what a program takes from outside, given its arguments; None when that has changed.
Look = Callable[[tuple[Any, ...]], tuple[Any, ...] | None]
KINDS = ("tensor", "ndarray", "jax")
ndarray = np.ndarray

#: What jax makes of wider NumPy arrays.
NARROWED = frozenset(("float32", "int32", "uint32", "complex64"))

#: What a quick call gives when the arguments are not those that it was made for.
MISMATCH: Any = object()


def fast_call(program: Program, leaves: list[Any]) -> Callable[[tuple[Any, ...]], Any] | None:
    """A quick call for a program whose arguments are ``leaves``, one by one; None if it has none.

    The executable itself checks dtypes and shapes before anything runs, and we those of arguments
    that it does not read. Tensors in and tensors out are quickest.
    """
    if program.quick is None:
        program.quick = {} if _is_quick(program) else False
    if program.quick is False:
        return None
    kinds = tuple(map(type, leaves))
    made = program.quick.get(kinds)
    if made is None:
        plain = program.is_plain and all(kind is Tensor for kind in kinds)
        plain = plain and all(c.kind == "tensor" for c in program.traced.captures)
        made = _closure(program) if plain else _mixed(program, kinds)
        program.quick[kinds] = made
    call: Callable[[tuple[Any, ...]], Any] = made
    return call


def _is_quick(program: Program) -> bool:
    traced = program.traced
    if program.options.backend != "xla" or program.device is not None:
        return False
    if traced.mutated or any(leaf.kind not in KINDS for leaf in traced.leaves):
        return False
    if any(c.kind not in ("tensor", "number") for c in traced.captures):
        return False
    if any(path.is_given for path in traced.found):
        return False  # of a container among the arguments
    # Where a user's function may run inside, its TypeError is not ours.
    return not any(node.op.is_effect for node in program.runnable.walk())


def _checking(program: Program, run: Callable[..., Any]) -> tuple[Callable[..., Any], ...]:
    """The executable's call on jax arrays alone, and on NumPy arrays among them.

    Checked besides what it checks itself are the shapes of arguments that nothing reads, and the
    dtypes of NumPy arrays: outside of ``jax.enable_x64`` jax narrows float64 in silence.
    """
    graph = program.runnable
    read = {v for node in graph.nodes for v in node.operands} | set(graph.outputs)
    dtypes = [v.dtype for v in graph.inputs]
    unread = [(v.index, tuple(v.shape)) for v in graph.inputs if v not in read]

    def call(*data: Any) -> Any:
        if [a.dtype for a in data] != dtypes:
            raise TypeError("an argument has another dtype")
        for index, shape in unread:
            if tuple(data[index].shape) != shape:
                raise TypeError("an argument that nothing reads has another shape")
        return run(*data)

    if unread:
        return call, call
    return run, call if any(dtype.name in NARROWED for dtype in dtypes) else run


def _parts(program: Program) -> tuple[tuple[Callable[..., Any], ...], Look | None]:
    """What runs a program, and what finds the tensors from outside that follow its arguments."""
    run: Any = program.executable  # takes numbers of 64 bits
    if all(c.kind == "tensor" for c in program.traced.captures):
        run = getattr(run, "call", run)
    look: Look | None = program.quick_look
    if program.traced.effects and look is not None:
        look = program.look
    return _checking(program, run), look


def _closure(program: Program) -> Callable[[tuple[Any, ...]], Any]:
    """The quick call of a program from tensors to tensors."""
    runs, look = _parts(program)
    traced = program.traced
    return _call(program, runs, look, len(traced.leaves) + len(traced.captures))


def _mixed(program: Program, kinds: tuple[type, ...]) -> Callable[[tuple[Any, ...]], Any]:
    """A quick call whose arguments are tensors, ndarrays and jax arrays."""
    (_, run), look = _parts(program)
    are_handles = [kind is Tensor for kind in kinds]
    are_numbers = [c.kind == "number" for c in program.traced.captures]
    lends = any(issubclass(kind, (np.ndarray, np.generic)) for kind in kinds)

    def call(args: tuple[Any, ...]) -> Any:
        if tuple(map(type, args)) != kinds:
            return MISMATCH
        data = []
        for value, is_handle in zip(args, are_handles, strict=True):
            if is_handle:
                freeze(value)
                value = value._data
            data.append(value)
        found = () if look is None else look(args)
        if found is None:
            return MISMATCH
        for source, is_number in zip(found, are_numbers, strict=False):
            if is_number:
                source = number_array(source)
            else:
                freeze(source)
                source = source._data
            data.append(source)
        try:
            results = run(*data)
        except TypeError:
            return MISMATCH
        if lends:
            wait(results)  # the caller may write to the arrays as soon as we return
        return program.finish(results, args, found)

    return call


def _call(
    program: Program, runs: tuple[Callable[..., Any], ...], look: Look | None, count: int
) -> Callable[[tuple[Any, ...]], Any]:
    """The quick call, with everything that it needs at hand."""
    kinds, new = [Tensor] * count, object.__new__
    checks, single, several = bool(program.checks), program.is_single, program.is_tuple
    run, run_checked = runs

    def call(args: tuple[Any, ...]) -> Any:
        if look is not None:
            found = look(args)
            if found is None:
                return MISMATCH
            if found:
                args = args + found
        try:
            data = [a._data for a in args if a._storage is FROZEN]  # which only tensors have
        except AttributeError:
            data = []
        if len(data) != len(args):
            if not _freeze(args, kinds):
                return MISMATCH
            data = [a._data for a in args]
        try:
            results = run_checked(*data) if ndarray in map(type, data) else run(*data)
        except TypeError:
            return MISMATCH
        if checks:
            program.raise_status(results[-1])
            results = results[:-1]
        if single:
            handle = new(Tensor)
            handle._data = results[0]
            handle._storage = FROZEN  # jax arrays are never written
            return handle
        if not several:
            return program.plain_result(results)
        return _handles(results)

    return call


def _handles(results: Sequence[Any]) -> tuple[Tensor, ...]:
    """Tensors that hold jax arrays."""
    new, made = object.__new__, []
    for array in results:
        handle = new(Tensor)
        handle._data = array
        handle._storage = FROZEN
        made.append(handle)
    return tuple(made)


def _freeze(args: tuple[Any, ...], kinds: list[Any]) -> bool:
    """Freeze tensors, which XLA may read after the call; False when something else is there."""
    if [*map(type, args)] != kinds:
        return False
    for handle in args:
        freeze(handle)
    return True
