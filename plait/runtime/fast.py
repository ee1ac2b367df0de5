"""The quick way through a call: arguments of the same kinds and types as last time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from plait.runtime.program import Program, number_array, wait
from plait.runtime.unrolled import Form, make_call
from plait.tracer import Tensor, freeze

#: Finds what a program takes from outside, given its arguments; None when that has changed.
Look = Callable[[tuple[Any, ...]], tuple[Any, ...] | None]
KINDS = ("tensor", "ndarray", "jax")

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
    if traced.mutated or traced.layouts or any(leaf.kind not in KINDS for leaf in traced.leaves):
        return False
    if any(c.kind not in ("tensor", "number") for c in traced.captures):
        return False
    if any(path.is_given for path in traced.found):
        return False  # of a container among the arguments
    # Where a user's function may run inside, its TypeError is not ours.
    return not any(node.op.is_effect for node in program.runnable.walk())


def _checking(program: Program, run: Callable[..., Any]) -> Callable[..., Any] | None:
    """The executable's call for a program with arguments that nothing reads; None without them.

    Their shapes are checked, which the executable does not see, and all dtypes.
    """
    graph = program.runnable
    read = {v for node in graph.nodes for v in node.operands} | set(graph.outputs)
    dtypes = [v.dtype for v in graph.inputs]
    unread = [(v.index, tuple(v.shape)) for v in graph.inputs if v not in read]
    if not unread:
        return None

    def call(*data: Any) -> Any:
        if [a.dtype for a in data] != dtypes:
            raise TypeError("an argument has another dtype")
        for index, shape in unread:
            if tuple(data[index].shape) != shape:
                raise TypeError("an argument that nothing reads has another shape")
        return run(*data)

    return call


def _narrowed(program: Program) -> dict[int, Any]:
    """The dtypes, by position, of arguments that could be wider ndarrays.

    Outside of ``jax.enable_x64`` jax narrows such arrays in silence.
    """
    dtypes = [v.dtype for v in program.runnable.inputs]
    return {i: dtype for i, dtype in enumerate(dtypes) if dtype.name in NARROWED}


def _parts(program: Program) -> tuple[Callable[..., Any], dict[int, Any], Look | None]:
    """What runs a program, the dtypes left to check, and what finds the tensors from outside."""
    run: Any = program.executable  # takes numbers of 64 bits
    if all(c.kind == "tensor" for c in program.traced.captures):
        run = getattr(run, "call", run)
    look: Look | None = program.quick_look
    if program.traced.effects and look is not None:
        look = program.look
    checked = _checking(program, run)
    return (run, _narrowed(program), look) if checked is None else (checked, {}, look)


def _closure(program: Program) -> Callable[[tuple[Any, ...]], Any]:
    """The quick call of a program from tensors to tensors, unrolled over arguments and results."""
    run, dtypes, look = _parts(program)
    traced = program.traced
    count = len(traced.leaves) + len(traced.captures)
    unrolled = program.is_single or program.is_tuple
    form = Form(
        count,
        len(traced.outputs) if unrolled else None,
        program.is_single,
        bool(program.checks),
        look is not None,
        tuple(dtypes),
    )
    return make_call(
        form,
        run=run,
        look=look,
        dtypes=dtypes,
        raise_status=program.raise_status,
        build=program.plain_result,
        mismatch=MISMATCH,
    )


def _mixed(program: Program, kinds: tuple[type, ...]) -> Callable[[tuple[Any, ...]], Any]:
    """A quick call whose arguments are tensors, ndarrays and jax arrays."""
    run, dtypes, look = _parts(program)
    checked = tuple(dtypes.items())
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
        for i, dtype in checked:
            if data[i].dtype != dtype:
                return MISMATCH
        try:
            results = run(*data)
        except TypeError:
            return MISMATCH
        if lends:
            wait(results)  # the caller may write to the arrays as soon as we return
        return program.finish(results, args, found)

    return call
