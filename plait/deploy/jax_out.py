"""``pl.to_jax``: a function of tensors as one that jax traces and transforms."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from plait.deploy.jax_in import ImportedFunction
from plait.ir import dispatch, user_location
from plait.ir.errors import PlaitError, SignatureError, TraceError
from plait.ir.frames import boundary
from plait.runtime import GraphFunction, Variable, graph_function
from plait.tracer import Output, TensorSpec, unflatten

#: The passes before a graph goes to jax: rules of functions stay.
PASSES = "dce,inline{keep_rules=true},simplify"

Flat = Callable[..., Sequence[Any]]
_functions: WeakKeyDictionary[Any, Flat] = WeakKeyDictionary()


@boundary
def to_jax(f: Callable[..., Any], *, variables: Sequence[Variable] = ()) -> Callable[..., Any]:
    """Make a function of tensors one of jax: ``jax.jit``, ``grad``, ``vmap`` and ``jvp`` take it.

    It is captured at the types of its arguments, as a compiled function is, and its ops become
    those of ``jax.lax``. Functions with gradients of their own become ``jax.custom_vjp``, which
    has no forward mode. Checks are dropped: an index out of range is moved inside. A loop of
    unknown length has no reverse mode in jax.

    It computes in the dtypes of the graph, 64 bits among them. Where jax is configured for 32
    bits, results are narrowed to these.

    Parameters
    ----------
    f : callable
        A function, a compiled function, or one that ``from_jax`` made.
    variables : sequence of Variable, optional
        Those whose values are the first argument of the function made, a list. Other variables and
        tensors that ``f`` reads are constants, with the values that they have when jax traces.

    Returns
    -------
    callable
        Takes and returns arrays of jax in containers; all else among the arguments is part of the
        signature. Where ``f`` assigns to ``variables``, it returns a pair: the result, and the list
        of their new values.

    Raises
    ------
    TraceError
        When called: ``f`` changes what jax cannot: an argument, another variable, or what is
        outside.

    Examples
    --------
    >>> import jax
    >>> length = pl.to_jax(lambda v: pl.sqrt(pl.sum(v * v)))
    >>> print(jax.jit(jax.grad(length))(np.float32([3.0, 4.0])))
    [0.6 0.8]
    """
    if not callable(f):
        raise SignatureError(f"to_jax takes a function, got {type(f).__name__}")
    for v in variables:
        if not isinstance(v, Variable):
            raise SignatureError(
                f"to_jax: variables are pl.Variable objects, got {type(v).__name__}"
            )
    if isinstance(f, ImportedFunction):
        call: Callable[..., Any] = functools.partial(_call_imported, f)
    else:
        captured = f if isinstance(f, GraphFunction) else graph_function(f)
        call = functools.partial(_call, captured)

    @functools.wraps(f, updated=())
    def function(*args: Any, **kwargs: Any) -> Any:
        if variables and not args:
            raise SignatureError("the first argument is the list of values of the variables")
        held, rest = (args[0], args[1:]) if variables else ((), args)
        try:
            return call(tuple(variables), held, rest, kwargs)
        except PlaitError as error:
            raise error.at(user_location()) from None

    return function


def flat_function(graph: Any) -> Flat:
    """The function of flat jax values that a graph is."""
    from plait import passes
    from plait.backends.jax import exporting

    known = _functions.get(graph)
    if known is None:
        made = passes.run_pipeline(graph, PASSES).graph
        known = _functions[graph] = exporting.jax_function(made)
    return known


def _specs(args: Any, kwargs: Any) -> tuple[Any, Any, dict[int, Any]]:
    """The arguments with specs in the place of arrays, and the arrays by the identity of these."""
    from plait.backends.jax import exporting

    leaves, structure = exporting.flatten((args, kwargs))
    arrays: dict[int, Any] = {}
    made = []
    for x in leaves:
        if exporting.is_array(x):
            spec = TensorSpec(tuple(x.shape), np.dtype(x.dtype))
            arrays[id(spec)] = x
            made.append(spec)
        else:
            made.append(x)
    args, kwargs = exporting.unflatten(structure, made)
    return args, kwargs, arrays


def _call_imported(
    f: ImportedFunction, variables: tuple[Variable, ...], held: Any, args: Any, kwargs: Any
) -> Any:
    """Apply what came from jax: its graph, translated back."""
    args, kwargs, arrays = _specs(args, kwargs)
    given = {id(v): x for v, x in zip(variables, held, strict=True)}
    bound = f._bind(args, kwargs, specs=True)
    operands = []
    for x in bound.tensors:
        if isinstance(x, Variable):
            operands.append(given.get(id(x), np.asarray(x)))
        else:
            operands.append(arrays.get(id(x), x))
    imported = bound.program.imported
    found = flat_function(imported.graph)(*operands, *imported.constants)
    return bound.program.result(found)


def _call(
    f: GraphFunction, variables: tuple[Variable, ...], held: Any, args: Any, kwargs: Any
) -> Any:
    """Apply a captured function."""
    args, kwargs, arrays = _specs(args, kwargs)
    with dispatch.suspended():
        request = f._bind(args, kwargs, f._options)
        staged = f.trace(*args, **kwargs)
    program = staged._program
    refuse_changes(program, variables)
    leaves = [arrays.get(id(x), x) for x in request.leaves]
    given = {id(v): x for v, x in zip(variables, held, strict=True)}
    captures = [
        given.get(id(c.source), value) if c.kind == "variable" else value
        for c, value in zip(program.traced.captures, staged.captures, strict=True)
    ]
    operands = [leaves[i] for i in program.positions]
    results = flat_function(program.traced.graph)(*operands, *captures)
    return with_state(program, variables, held, results, leaves)


def refuse_changes(program: Any, variables: tuple[Variable, ...]) -> None:
    """Demand a function that changes nothing but ``variables``.

    Raises
    ------
    TraceError
    """
    traced, name = program.traced, program.traced.graph.name
    if traced.mutated:
        paths = ", ".join([traced.paths[i] for i in traced.mutated])
        raise TraceError(f"{name} writes into {paths}: arrays of jax do not change; return it")
    if traced.effects:
        raise TraceError(f"{name} changes what is outside of it, which jax would do once only")
    known = set(map(id, variables))
    others = [v for v in traced.assigned if id(v) not in known]
    if others:
        names = ", ".join([repr(v.name or "a variable") for v in others])
        raise TraceError(
            f"{name} assigns to {names}; name it in pl.to_jax(f, variables=[...]), which then "
            "takes and returns its value"
        )


def with_state(
    program: Any,
    variables: tuple[Variable, ...],
    held: Any,
    results: Sequence[Any],
    leaves: Sequence[Any],
) -> Any:
    """The result of the function, and the new values of variables where it assigns to any."""
    traced = program.traced
    made: list[Any] = []
    for output in traced.outputs:
        made.append(_leaf(output, results, leaves, made))
    result = unflatten(traced.out_tree, made)
    if not traced.assigned:
        return result
    new = dict(zip(map(id, traced.assigned), results[traced.own :], strict=False))
    return result, [new.get(id(v), x) for v, x in zip(variables, held, strict=True)]


def _leaf(
    output: Output, results: Sequence[Any], leaves: Sequence[Any], made: Sequence[Any]
) -> Any:
    """One leaf of the result."""
    if output.kind in ("tensor", "ndarray", "jax", "number"):
        return results[output.index]
    if output.kind == "argument":
        return leaves[output.index]
    if output.kind == "result":
        return made[output.index]
    if output.kind in ("static", "array"):
        return output.value
    raise TraceError(f"a result of kind {output.kind!r} has no place in a function of jax")


__all__ = ["to_jax"]
