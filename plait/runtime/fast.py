"""The quick way through a call: tensors in, tensors out, of the same types as last time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from plait.runtime.program import Program
from plait.tracer import FROZEN, Tensor, freeze

#: What a quick call gives when the arguments are not those that it was made for.
MISMATCH: Any = object()


def fast_call(program: Program) -> Callable[[tuple[Any, ...]], Any] | None:
    """A quick call for a program whose arguments and results are plain tensors; else None.

    The executable itself checks dtypes and shapes before anything runs, and we those of arguments
    that it does not read.
    """
    if program.quick is None:
        program.quick = _closure(program) if _is_quick(program) else False
    return program.quick or None


def _is_quick(program: Program) -> bool:
    traced = program.traced
    captures = traced.captures
    plain = program.is_plain and program.options.backend == "xla" and program.device is None
    if not plain or any(leaf.kind != "tensor" for leaf in traced.leaves):
        return False
    if any(c.kind != "tensor" for c in captures):
        return False
    # Where a user's function may run inside, its TypeError is not ours.
    return not any(node.op.is_effect for node in program.runnable.walk())


def _checking(program: Program, run: Callable[..., Any]) -> Callable[..., Any]:
    """The executable's call, which also checks the types of arguments that nothing reads."""
    graph = program.runnable
    read = {v for node in graph.nodes for v in node.operands} | set(graph.outputs)
    unread = [v.index for v in graph.inputs if v not in read]
    types = [(v.dtype, v.shape) for v in graph.inputs if v not in read]
    if not unread:
        return run

    def call(*data: Any) -> Any:
        if [(data[i].dtype, tuple(data[i].shape)) for i in unread] != types:
            raise TypeError("an argument that nothing reads has another type")
        return run(*data)

    return call


def _closure(program: Program) -> Callable[[tuple[Any, ...]], Any]:
    """The quick call of a program."""
    run = _checking(program, getattr(program.executable, "call", program.executable))
    held = tuple([c.source for c in program.traced.captures])
    return _call(program, run, held, len(program.traced.leaves) + len(held))


def _call(
    program: Program, run: Callable[..., Any], held: tuple[Any, ...], count: int
) -> Callable[[tuple[Any, ...]], Any]:
    """The quick call, with everything that it needs at hand."""
    kinds, frozen, new = [Tensor] * count, [FROZEN] * count, object.__new__
    checks, raise_status = bool(program.checks), program.raise_status
    single, several = program.is_single, program.is_tuple

    def call(args: tuple[Any, ...]) -> Any:
        if held:
            args = args + held
        try:
            known = [a._storage for a in args] == frozen  # which only tensors have
        except AttributeError:
            known = False
        if not known and not _freeze(args, kinds):
            return MISMATCH
        data = [a._data for a in args]
        try:
            results = run(*data)
        except TypeError:
            return MISMATCH
        if checks:
            raise_status(results[-1])
            results = results[:-1]
        if single:
            handle = new(Tensor)
            handle._data = results[0]
            handle._storage = FROZEN  # jax arrays are never written
            return handle
        if not several:
            return program.plain_result(results)
        made = []
        for array in results:
            handle = new(Tensor)
            handle._data = array
            handle._storage = FROZEN
            made.append(handle)
        return tuple(made)

    return call


def _freeze(args: tuple[Any, ...], kinds: list[Any]) -> bool:
    """Freeze tensors, which XLA may read after the call; False when something else is there."""
    if [*map(type, args)] != kinds:
        return False
    for handle in args:
        freeze(handle)
    return True
