"""Evaluation: argument checks, dtypes of results, lives of values, symbolic sizes."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait import ir
from plait.ir import Graph, ops, parse_type
from plait.ir.errors import ShapeError, SignatureError
from tests.graphs import Options, arguments, graphs

F2 = parse_type("f32[2]")


def sum_of_two() -> Graph:
    return ir.region("f", [F2, F2], lambda x, y: ops.add(x, y))


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ([np.zeros(2, np.float32)], "'f' takes 2 argument"),
        ([np.zeros(2, np.float32), np.zeros(2)], r"input 1 \(arg1\) of graph 'f' is f32\[2\], got"),
        ([np.zeros(3, np.float32)] * 2, r"input 0 .* got f32\[3\]"),
        ([np.zeros((2, 1), np.float32)] * 2, r"input 0 .* got f32\[2,1\]"),
        ([[1.0, 2.0], None], r"input 0 .* got f64\[2\]"),
        ([np.zeros(2, np.float32), object()], "input 1 .* got an object"),
    ],
)
def test_arguments_are_of_exactly_the_types(arrays: list[Any], says: str) -> None:
    with pytest.raises(SignatureError, match=says):
        ir.evaluate(sum_of_two(), arrays)


def test_a_token_is_asked_for_and_given() -> None:
    graph = ir.region("f", [ir.token], lambda t: ops.print_(t, template=""))
    with pytest.raises(SignatureError, match="is a token, got ndarray"):
        ir.evaluate(graph, [np.zeros(2)])
    assert ir.evaluate(ir.region("f", [ir.token], lambda t: t), [ir.token]) == [ir.token]


@given(graphs(options=Options(regions=True, effects=True)))
def test_results_are_arrays_of_the_inferred_types(graph: Graph) -> None:
    found = ir.evaluate(graph, arguments(graph))
    for array, wanted in zip(found, graph.output_types, strict=True):
        if isinstance(wanted, ir.TensorType):
            assert type(array) is np.ndarray
            assert (array.dtype, array.shape) == (wanted.dtype, wanted.shape)
        else:
            assert array == wanted


@given(graphs(), st.integers(0, 3))
def test_evaluation_does_as_eager_does(graph: Graph, seed: int) -> None:
    arrays = arguments(graph, seed)
    values = dict(zip(graph.inputs, arrays, strict=True))
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            found = node.op(*[values[v] for v in node.operands], **node.attributes)
            results = found if type(found) is tuple else (found,)
            values.update(zip(node.results, results, strict=True))
    for array, output in zip(ir.evaluate(graph, arrays), graph.outputs, strict=True):
        assert array.tobytes() == values[output].tobytes()


def test_floating_point_warnings_are_off() -> None:
    graph = ir.region("f", [F2], lambda x: ops.log(x))
    assert ir.evaluate(graph, [np.array([0, -1], np.float32)])[0][0] == -np.inf


def test_values_are_freed_after_their_last_use() -> None:
    alive: list[Any] = []

    def watch(x: Any) -> Any:
        gc.collect()
        alive.append([r() is not None for r in references])
        return x

    def make(x: Any) -> Any:
        array = np.array(x)
        references.append(weakref.ref(array))
        return array

    references: list[Any] = []
    make_op = ir.Op(name="make", family="t", doc="", infer=lambda x: x, reference=make)
    watch_op = ir.Op(name="watch", family="t", doc="", infer=lambda x: x, reference=watch)
    builder = ir.GraphBuilder("f")
    x = builder.input(F2)
    first = builder.emit(make_op, x)
    second = builder.emit(make_op, first)
    watched = builder.emit(watch_op, x)
    graph = builder.build([builder.emit("add", second, watched)])
    ir.evaluate(graph, [np.zeros(2, np.float32)])
    assert alive == [[False, True]]


def test_symbolic_sizes_come_from_the_arrays() -> None:
    t = parse_type("f32[B,3]")
    batch = ir.Dim("B")
    graph = ir.region("f", [t, t], lambda x, y: ops.reshape(ops.add(x, y), shape=(3, batch)))
    x = np.ones((5, 3), np.float32)
    assert ir.evaluate(graph, [x, x])[0].shape == (3, 5)
    with pytest.raises(ShapeError, match="dimension B is both 5 and 4"):
        ir.evaluate(graph, [x, x[:4]])
    with pytest.raises(SignatureError, match=r"f32\[B,3\]"):
        ir.evaluate(graph, [x[:, :2], x])


def test_specialize_reaches_regions_and_attributes() -> None:
    t, batch = parse_type("f32[B]"), ir.Dim("B")
    body = ir.region("body", [t, t], lambda c, x: (ops.add(c, x), x))
    attributes = {"num_consts": 0, "num_carry": 1, "length": batch}
    graph = ir.region(
        "f",
        [t, parse_type("f32[B,B]")],
        lambda c, xs: ops.scan(c, xs, regions=(body,), **attributes),
    )
    small = ir.specialize(graph, {batch: 2})
    assert "B" not in str(small).replace("body", "")
    assert ir.verify(small).output_types == (parse_type("f32[2]"), parse_type("f32[2,2]"))
    assert ir.structural_equal(ir.specialize(graph, {}), graph)
    arrays = [np.ones(2, np.float32), np.ones((2, 2), np.float32)]
    assert ir.evaluate(graph, arrays)[0].tolist() == [3, 3]
