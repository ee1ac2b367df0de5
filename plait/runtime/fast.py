"""The quick way through a call: arguments of the same kinds and types as last time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from plait.runtime.program import Program
from plait.runtime.request import Request
from plait.runtime.results import make_result
from plait.runtime.spelling import spell
from plait.runtime.unrolled import MISMATCH, Form, Quick, make_call
from plait.tracer import Capture, LeafSpec, Path, Tensor

CAPTURES = ("tensor", "number", "variable")

#: Classes of values that are compared at each call where they are part of the signature.
STATIC = (bool, int, str, type(None))

#: What jax makes of wider NumPy arrays.
NARROWED = frozenset(("float32", "int32", "uint32", "complex64"))


def fast_call(
    program: Program,
    request: Request,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    function: Any = None,
) -> Quick | None:
    """A quick call for calls of ``function`` that are written as this one; None if it has none.

    The executable itself checks dtypes and shapes before anything runs, and we those of arguments
    that it does not read.
    """
    if program.quick is None:
        program.quick = {} if _is_quick(program) else False
    if program.quick is False:
        return None
    key = (tuple(map(type, request.leaves)), len(args), tuple(kwargs))
    if key not in program.quick:
        program.quick[key] = _make(program, request, args, kwargs, function)
    made: Quick | None = program.quick[key]
    return made


def _is_quick(program: Program) -> bool:
    traced = program.traced
    if program.options.backend != "xla" or program.device is not None:
        return False
    if traced.mutated or traced.layouts or any(c.kind not in CAPTURES for c in traced.captures):
        return False
    guarded = [path for g in traced.guards for path in (g.path, g.expected)]
    if any(isinstance(path, Path) and path.is_given for path in (*traced.found, *guarded)):
        return False  # of a container among the arguments
    # Where a user's function may run inside, its TypeError is not ours.
    return not any(node.op.is_effect for node in program.runnable.walk())


def _make(
    program: Program,
    request: Request,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    function: Any,
) -> Quick | None:
    """The quick call for arguments of the same classes, written in the same way."""
    traced = program.traced
    kinds = [type(leaf) for leaf in request.leaves]
    leaves = tuple(map(_leaf_kind, traced.leaves, kinds))
    spelled = spell(request, args, kwargs, function)
    if None in leaves or spelled is None:
        return None
    executable: Any = program.executable
    run = _checking(program, executable.call)
    dtypes = _narrowed(program)
    form = Form(
        spelled.spelling,
        tuple([kind for kind in leaves if kind is not None]),
        tuple([_capture_kind(program, c) for c in traced.captures]),
        looks=program.quick_look is not None,
        checked=tuple(dtypes),
        outputs=traced.own,
        assigned=len(traced.assigned),
        has_status=bool(program.checks),
        result=_result_kind(program),
    )
    names = {
        "run": run,
        "look": program.look if traced.effects else program.quick_look,
        "raise_status": program.raise_status,
        "build": lambda results, leaves, found: make_result(traced, results, leaves, found),
        "locked": program.locked,
        **spelled.names,
        **{f"dtype{i}": dtype for i, dtype in dtypes.items()},
        **{f"class{i}": kind for i, kind in enumerate(kinds)},
        **{f"value{i}": x.value.value for i, x in enumerate(traced.leaves) if x.is_static},
        **{f"commit{i}": variable.commit for i, variable in enumerate(traced.assigned)},
    }
    return make_call(form, names, executable.place)


def _leaf_kind(leaf: LeafSpec, kind: type) -> str | None:
    """How the text of a quick call takes an argument; None when it does not."""
    if leaf.is_static:
        is_known = kind in STATIC and type(leaf.value.value) is kind
        return "static" if is_known else None
    if leaf.kind == "tensor":
        return "tensor" if kind is Tensor else None
    if leaf.kind == "ndarray":
        return "host" if kind is np.ndarray or issubclass(kind, np.generic) else None
    return {"jax": "device", "number": "number"}.get(leaf.kind)


def _capture_kind(program: Program, capture: Capture) -> str:
    is_given_up = capture.kind == "variable" and program.gives_up(capture.source)
    return "donated" if is_given_up else capture.kind


def _result_kind(program: Program) -> str:
    """How the text of a quick call makes the result."""
    if not program.is_plain or not (program.is_single or program.is_tuple):
        return "built"
    return "one" if program.is_single else "tuple"


def _checking(program: Program, run: Callable[..., Any]) -> Callable[..., Any]:
    """The executable's call, which also checks arguments that nothing reads, if there are any."""
    graph = program.runnable
    read = {v for node in graph.nodes for v in node.operands} | set(graph.outputs)
    dtypes = [v.dtype for v in graph.inputs]
    unread = [(v.index, tuple(v.shape)) for v in graph.inputs if v not in read]
    if not unread:
        return run

    def call(*data: Any) -> Any:
        if [a.dtype for a in data] != dtypes:
            raise TypeError("an argument has another dtype")
        for index, shape in unread:
            if tuple(data[index].shape) != shape:
                raise TypeError("an argument that nothing reads has another shape")
        return run(*data)

    return call


def _narrowed(program: Program) -> dict[int, Any]:
    """The dtypes, by position, of inputs that could be wider ndarrays.

    Outside of ``jax.enable_x64`` jax narrows such arrays in silence.
    """
    first = len(program.positions)
    loose = [*range(first)]
    loose += [first + i for i, c in enumerate(program.traced.captures) if c.kind == "tensor"]
    inputs = program.runnable.inputs
    return {i: inputs[i].dtype for i in loose if inputs[i].dtype.name in NARROWED}


__all__ = ["MISMATCH", "Quick", "fast_call"]
