"""Every jaxpr of the table, brought in: the same values and gradients, and the nodes expected."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from plait import ir
from plait.backends.jax.importing import Leaf, flatten, trace
from plait.ir import Graph, TensorType
from plait.ir.autodiff.graphs import joint
from tests.backends.agreement import disagreement
from tests.backends.jax.importing import (
    binary_table,
    control_table,
    indexing_table,
    products_table,
    random_table,
    reductions_table,
    shapes_table,
    unary_table,
)
from tests.backends.jax.importing.cases import Case

TABLES = (
    unary_table,
    binary_table,
    shapes_table,
    reductions_table,
    products_table,
    indexing_table,
    control_table,
    random_table,
)
CASES: list[Case] = [case for table in TABLES for case in table.CASES]


def imported(case: Case) -> Graph:
    """The graph of a case's function at the types of its arguments."""
    _, structure = flatten((case.arguments, {}))
    arrays = [np.asarray(x) for x in case.arguments]
    leaves = [Leaf(TensorType(x.dtype, x.shape)) for x in arrays]
    names = [f"x{i}" for i in range(len(leaves))]
    return trace(case.function, structure, leaves, names, "imported").graph


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_values_and_gradients(case: Case) -> None:
    graph = imported(case)
    ir.verify(graph)
    arrays = [np.asarray(x) for x in case.arguments]
    with np.errstate(all="ignore"):
        compare(case, graph, arrays)


def compare(case: Case, graph: Graph, arrays: list[Any]) -> None:
    found = ir.evaluate(graph, arrays)
    smooth = [i for i, x in enumerate(arrays) if ir.is_inexact(x.dtype)] if case.gradients else []
    cotangents = [as_cotangent(v.tensor_type) for v in graph.outputs]
    wanted, expected = with_jax(case, arrays, smooth, cotangents)
    assert len(found) == len(wanted)
    for got, want in zip(found, wanted, strict=True):
        assert not (wrong := disagreement(got, np.asarray(want), case.tolerance)), wrong
    whole = [n.attributes["function"] for n in graph.walk() if n.op is ir.ops.foreign]
    assert len(whole) == case.foreign, whole
    if not smooth:
        return
    both = joint(graph, smooth)
    given = [cotangents[i] for i in both.outputs]
    pulled = ir.evaluate(both.graph, [*arrays, *given])[both.num_outputs :]
    made = dict(zip(both.inputs, pulled, strict=True))
    for i, want in zip(smooth, expected, strict=True):
        got = made.get(i, np.zeros_like(arrays[i]))
        wrong = disagreement(got, np.asarray(want), case.tolerance)
        assert not wrong, f"gradient of argument {i}: {wrong}"


def with_jax(
    case: Case, arrays: list[Any], smooth: list[int], cotangents: list[Any]
) -> tuple[Any, Any]:
    """What jax makes of it: the results, and the cotangents of some arguments."""

    def both(*xs: Any) -> Any:
        def function(*changing: Any) -> Any:
            given = list(xs)
            for i, x in zip(smooth, changing, strict=True):
                given[i] = x
            return jax.tree_util.tree_leaves(case.function(*given))

        results, pull = jax.vjp(function, *[xs[i] for i in smooth])
        return results, pull(cotangents)

    if smooth:
        return jax.jit(both)(*arrays)  # type: ignore[no-any-return]
    return jax.jit(lambda *xs: jax.tree_util.tree_leaves(case.function(*xs)))(*arrays), ()


def as_cotangent(type_: TensorType) -> Any:
    random, shape = np.random.default_rng(3), ints(type_.shape)
    if not ir.is_inexact(type_.dtype):
        return np.zeros(shape, jax.dtypes.float0)
    made = random.normal(size=shape)
    if ir.is_complex(type_.dtype):
        made = made + 1j * random.normal(size=shape)
    return np.asarray(made, type_.dtype)


def ints(shape: Any) -> tuple[int, ...]:
    return tuple([int(n) for n in shape])


def test_there_are_enough() -> None:
    assert len(CASES) >= 200
    assert len({case.name for case in CASES}) == len(CASES)
