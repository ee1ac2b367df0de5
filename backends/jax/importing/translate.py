"""A jaxpr as a graph: equation by equation, through the strict emitters."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.extend.core import Literal

from plait.backends.jax.importing import (
    control,
    effects,
    elementwise,
    indexing,
    random,
    reductions,
    shapes,
    windows,
)
from plait.backends.jax.importing.opaque import opaque
from plait.backends.jax.importing.rules import (
    MOVES,
    RULES,
    Lacking,
    Site,
    cast,
    constant,
    full,
    issubdtype,
    key_implementation,
    pieces,
    stacked,
    type_of_aval,
)
from plait.ir import UNKNOWN, Graph, GraphBuilder, Location, TensorType, dispatch
from plait.ir.autodiff.liveness import live_part
from plait.ir.errors import DTypeError
from plait.ir.location import display_name
from plait.ir.types import uint32

#: The modules that fill the table of rules.
FAMILIES = (
    control,
    effects,
    elementwise,
    indexing,
    random,
    reductions,
    shapes,
    windows,
)


def to_graph(
    name: str,
    closed: Any,
    inputs: Sequence[TensorType],
    names: Sequence[str],
    given: Sequence[int] = (),
) -> Graph:
    """The graph of a closed jaxpr.

    Parameters
    ----------
    name : str
    closed : ClosedJaxpr
    inputs : sequence of TensorType
        Of its inputs, which are cast where one differs from the jaxpr's, then of the ``given``
        constants.
    names : sequence of str
    given : sequence of int
        The constants that are inputs of the graph.
    """
    builder = GraphBuilder(name)
    values = [builder.input(t, n) for t, n in zip(inputs, names, strict=True)]
    wanted = [type_of_aval(v.aval) for v in closed.jaxpr.invars]
    with dispatch.suspended(), builder:
        operands = [cast(x, t.dtype) for x, t in zip(values, wanted, strict=False)]
        consts = list(closed.consts)
        for i, value in zip(given, values[len(wanted) :], strict=True):
            consts[i] = value
        outputs = translate(closed.jaxpr, consts, operands)
        return live_part(builder.build(outputs))


def translate(
    jaxpr: Any, consts: Sequence[Any], operands: Sequence[Any], depth: int = 0
) -> list[Any]:
    """Apply a jaxpr's equations to payloads; gives its outputs."""
    held: dict[Any, Any] = {}
    for v, value in zip(jaxpr.constvars, consts, strict=True):
        held[v] = as_payload(value)
    held.update(zip(jaxpr.invars, operands, strict=True))

    def read(v: Any) -> Any:
        return literal(v) if isinstance(v, Literal) else held[v]

    builder = dispatch.current()
    assert isinstance(builder, GraphBuilder)
    around = builder.location()
    for equation in jaxpr.eqns:
        place = location_of(equation)
        with builder.at(around if place == UNKNOWN else place):
            found = apply(equation, [read(v) for v in equation.invars], depth)
        held.update(zip(equation.outvars, found, strict=True))
    return [read(v) for v in jaxpr.outvars]


def literal(v: Any) -> Any:
    """A number inside an equation."""
    return full(v.aval.dtype, np.asarray(v.val).astype(v.aval.dtype), v.aval.shape)


def as_payload(value: Any) -> Any:
    """A constant of a jaxpr: an array of jax or NumPy, keys as their data, or a payload."""
    if hasattr(value, "tensor_type"):
        return value
    if issubdtype(getattr(value, "dtype", np.int32), jax.dtypes.prng_key):
        value = jax.random.key_data(value)
    return constant(np.asarray(value))


def apply(equation: Any, operands: Sequence[Any], depth: int) -> Sequence[Any]:
    """The results of one equation."""
    found_rule = RULES.get(equation.primitive.name)
    at = Site(equation, result_types(equation), depth, translate)
    if found_rule is None:
        return opaque(at, operands)
    try:
        if at.name in MOVES and any(key_words(v) for v in equation.invars):
            return by_words(at, operands)
        found = found_rule(at, *operands)
    except (Lacking, DTypeError):
        return opaque(at, operands)
    return found if isinstance(found, (tuple, list)) else (found,)


def key_words(v: Any) -> int:
    """Of how many words the keys of a variable are; 0 when it holds none."""
    dtype = getattr(v.aval, "dtype", None)
    made = None if dtype is None else key_implementation(dtype)
    return 0 if made is None else int(made.key_shape[0])


def result_types(equation: Any) -> tuple[TensorType, ...]:
    """Types of an equation's results; of keys, of one word."""
    return tuple(
        [
            TensorType(uint32, tuple(v.aval.shape)) if key_words(v) else type_of_aval(v.aval)
            for v in equation.outvars
        ]
    )


def by_words(at: Site, operands: Sequence[Any]) -> Sequence[Any]:
    """Move keys: word by word."""
    equation = at.equation
    counts = [key_words(v) for v in equation.invars]
    words = [
        pieces(x, x.ndim - 1) if count else None for x, count in zip(operands, counts, strict=True)
    ]
    columns: list[Sequence[Any]] = []
    for i in range(max(counts)):
        given = [x if w is None else w[i] for x, w in zip(operands, words, strict=True)]
        found = RULES[at.name](at, *given)
        columns.append(found if isinstance(found, (tuple, list)) else (found,))
    return [stacked(parts, parts[0].ndim) for parts in zip(*columns, strict=True)]


# Locations.

_LIBRARY = os.path.dirname(os.path.abspath(jax.__file__)) + os.sep
_PLAIT = os.path.dirname(os.path.abspath(__file__)) + os.sep


def location_of(equation: Any) -> Location:
    """The user's line that an equation comes from: the innermost one outside of libraries."""
    traceback = getattr(getattr(equation, "source_info", None), "traceback", None)
    if traceback is None:
        return UNKNOWN
    first = None
    for frame in traceback.frames:
        if frame.file_name.startswith((_LIBRARY, _PLAIT)):
            continue
        if "site-packages" not in frame.file_name:
            return _location(frame)
        first = first or frame
    return UNKNOWN if first is None else _location(first)


def _location(frame: Any) -> Location:
    return Location(display_name(frame.file_name), frame.line_num, frame.function_name)
