"""Graphs and the same mathematics in jax: cotangents, tangents, second order, every division."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from plait import ir
from plait.backends import get_backend
from plait.ir import Graph, Value
from plait.ir.autodiff.forward import jvp_graph
from plait.ir.autodiff.graphs import Joint, joint
from plait.ir.autodiff.partition import POLICIES, Split, split
from plait.ir.types import is_complex, is_inexact

Reference = Callable[..., Any]
TOLERANCE = 1e-11


def program(types: Sequence[str], function: Callable[..., Any], name: str = "program") -> Graph:
    """A graph of what ``function`` does to inputs of the types, in text form."""
    return ir.region(name, [ir.parse_type(t) for t in types], function)


def normal(random: np.random.Generator, value: Value) -> Any:
    """Normal numbers of a value's type."""
    shape: Any = value.shape
    found = random.normal(size=shape)
    if is_complex(value.dtype):
        found = found + 1j * random.normal(size=shape)
    return np.asarray(found, value.dtype)


def arguments(graph: Graph, seed: int = 0) -> list[Any]:
    """Random arrays for the inputs: normal numbers, small integers, truth."""
    random = np.random.default_rng(seed)
    found: list[Any] = []
    for value in graph.inputs:
        shape: Any = value.shape
        if is_inexact(value.dtype):
            found.append(normal(random, value))
        else:
            found.append(np.asarray(random.integers(0, 2, size=shape), value.dtype))
    return found


def smooth(graph: Graph) -> tuple[int, ...]:
    """The inputs that can be differentiated."""
    return tuple([i for i, v in enumerate(graph.inputs) if is_inexact(v.dtype)])


def cotangents(made: Joint, seed: int = 1) -> list[Any]:
    """Random cotangents for a joint graph."""
    random = np.random.default_rng(seed)
    return [normal(random, v) for v in made.graph.inputs[made.num_inputs :]]


def pulled(reference: Reference, arrays: Sequence[Any], wrt: Sequence[int], given: Any) -> Any:
    """Results of the reference, and cotangents of some arguments; ``given`` maps results to theirs.

    Results without a cotangent, and integers, count as constant.
    """

    def chosen(*values: Any) -> Any:
        filled = list(arrays)
        for i, value in zip(wrt, values, strict=True):
            filled[i] = value
        results = reference(*filled)
        return [results[i] for i in given], results

    def both(*values: Any) -> Any:
        _, pull, results = jax.vjp(chosen, *values, has_aux=True)
        return results, pull([jax.numpy.asarray(g) for g in given.values()])

    with jax.enable_x64(True):
        results, found = jax.jit(both)(*[arrays[i] for i in wrt])
    return [np.asarray(x) for x in results], [np.asarray(x) for x in found]


def check_reverse(
    graph: Graph, reference: Reference, arrays: Sequence[Any], *, backend: str = ""
) -> Joint:
    """Demand jax's cotangents, from the joint graph and from each of its divisions."""
    wrt = smooth(graph)
    made = joint(graph, wrt)
    ir.verify(made.graph)
    given = cotangents(made)
    results, expected = pulled(reference, arrays, wrt, dict(zip(made.outputs, given, strict=True)))
    missing = [x for i, x in zip(wrt, expected, strict=True) if i not in made.inputs]
    assert not any(np.any(x) for x in missing)
    wanted = [*results, *[x for i, x in zip(wrt, expected, strict=True) if i in made.inputs]]
    close(run(made.graph, [*arrays, *given], backend), wanted)
    for policy in POLICIES:
        close(run_split(split(made, policy=policy), arrays, given), wanted)
    return made


def run(graph: Graph, arrays: Sequence[Any], backend: str = "") -> list[Any]:
    """Results of a graph, by reference or a backend."""
    if not backend:
        return ir.evaluate(graph, arrays)
    return [np.asarray(x) for x in get_backend(backend).compile(graph)(*arrays)]


def run_split(parts: Split, arrays: Sequence[Any], given: Sequence[Any]) -> list[Any]:
    """Results and cotangents by the forward and the backward graph."""
    ir.verify(parts.forward)
    ir.verify(parts.backward)
    results = ir.evaluate(parts.forward, arrays)
    kept = [(arrays if r.kind == "input" else results)[r.index] for r in parts.residuals]
    return [*results[: parts.num_outputs], *ir.evaluate(parts.backward, [*kept, *given])]


def check_forward(graph: Graph, reference: Reference, arrays: Sequence[Any]) -> None:
    """Demand jax's tangents."""
    wrt = smooth(graph)
    both, changed = jvp_graph(graph, wrt)
    ir.verify(both)
    random = np.random.default_rng(2)
    tangents = [normal(random, graph.inputs[i]) for i in wrt]

    def pushed(primals: Any, given: Any) -> Any:
        def of_smooth(*values: Any) -> Any:
            filled = list(arrays)
            for i, value in zip(wrt, values, strict=True):
                filled[i] = value
            return [x for x in reference(*filled) if np.issubdtype(x.dtype, np.inexact)]

        return jax.jvp(of_smooth, primals, given)

    with jax.enable_x64(True):
        _, expected = jax.jit(pushed)(tuple([arrays[i] for i in wrt]), tuple(tangents))
    found = ir.evaluate(both, [*arrays, *tangents])
    count = len(graph.outputs)
    made = dict(zip(changed, found[count:], strict=True))
    floating = [i for i, v in enumerate(graph.outputs) if is_inexact(v.dtype)]
    filled = [made.get(i, np.zeros_like(found[i])) for i in floating]
    close(filled, [np.asarray(x) for x in expected])


def check_second(graph: Graph, reference: Reference, arrays: Sequence[Any]) -> None:
    """Demand jax's cotangents of the cotangents."""
    wrt = smooth(graph)
    first = joint(graph, wrt)
    given = cotangents(first)
    count = len(arrays)

    def gradient(*values: Any) -> Any:
        filled = dict(zip(first.outputs, values[count:], strict=True))

        def chosen(*inner: Any) -> Any:
            whole = list(values[:count])
            for i, value in zip(first.inputs, inner, strict=True):
                whole[i] = value
            results = reference(*whole)
            return [results[i] for i in filled], results

        _, pull, results = jax.vjp(chosen, *[values[i] for i in first.inputs], has_aux=True)
        return [*results, *pull(list(filled.values()))]

    check_reverse(first.graph, gradient, [*arrays, *given])


def close(found: Sequence[Any], expected: Sequence[Any]) -> None:
    """Demand equal numbers but for rounding."""
    for one, other in zip(found, expected, strict=True):
        assert np.shape(one) == np.shape(other)
        np.testing.assert_allclose(one, other, rtol=TOLERANCE, atol=TOLERANCE)
