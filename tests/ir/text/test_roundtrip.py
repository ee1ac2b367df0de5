"""Text is a contract: what is printed reads back as the same graph, bit by bit."""

from __future__ import annotations

import math
import re
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from plait import ir
from plait.ir import Graph, GraphBuilder, Literal, Location, Op, op, ops, parse_type
from plait.ir.errors import GraphError
from plait.ir.host import function_name
from tests.golden import check_golden
from tests.graphs import Options, graphs, seeded_graph
from tests.ir.op_cases import all_cases

ALL = Options(regions=True, effects=True)


def read_back(graph: Graph, **options: Any) -> Graph:
    text = ir.print_graph(graph, **options)
    return ir.parse(text, constants=ir.large_constants(graph))


def check_roundtrip(graph: Graph) -> None:
    again = read_back(graph)
    assert ir.structural_equal(again, graph, locations=True)
    assert ir.print_graph(again) == ir.print_graph(graph)
    assert ir.structural_equal(read_back(graph, max_elements=None), graph, locations=True)
    ir.verify(again)


@given(graphs(options=ALL))
def test_random_graphs(graph: Graph) -> None:
    check_roundtrip(graph)


def test_every_op() -> None:
    for case in all_cases():
        builder = GraphBuilder("one")
        inputs = [builder.input(t) for t in case.types]
        found = builder.emit(case.op, *inputs, regions=case.regions, **case.attributes)
        graph = builder.build(found if type(found) is tuple else (found,))
        if "function" in case.attributes:
            function = case.attributes["function"]
            name = function_name(function)
            again = ir.parse(ir.print_graph(graph), functions={name: function})
            assert ir.structural_equal(again, graph)
        else:
            check_roundtrip(graph)


FLOATS = (ir.float16, ir.bfloat16, ir.float32, ir.float64)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@given(data=st.data())
def test_floats_of_any_bits(dtype: Any, data: st.DataObject) -> None:
    words = np.dtype(f"u{dtype.itemsize}")
    bits = data.draw(hnp.arrays(words, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0)))
    check_literal(bits.view(dtype))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_special_floats(dtype: Any) -> None:
    bits = 8 * dtype.itemsize
    words = np.dtype(f"u{dtype.itemsize}")
    numbers = [0.0, -0.0, np.inf, -np.inf, np.nan, -np.nan, 1 / 3, 1e-45, 65504, 3.4e38]
    with np.errstate(over="ignore"):
        check_literal(np.array(numbers).astype(dtype))
    patterns = [1, 2**bits - 1, 2 ** (bits - 1) - 1, 2 ** (bits - 1) + 1, 0x7C01, 0x7F81]
    check_literal(np.array([p % 2**bits for p in patterns], words).view(dtype))


def test_complex_parts_by_their_bits() -> None:
    words = np.array([0x8000000000000000, 0xFFF8000000000000], np.uint64)
    for bits in (words, words[::-1], words | np.uint64(1)):
        check_literal(np.ascontiguousarray(bits).view(np.complex128)[0])


@given(hnp.arrays(np.complex64, 3), hnp.arrays(np.complex128, ()))
def test_complex_numbers(a: Any, b: Any) -> None:
    check_literal(a)
    check_literal(b)


@given(hnp.arrays(hnp.integer_dtypes() | hnp.unsigned_integer_dtypes(), (2, 2)))
def test_integers(array: Any) -> None:
    check_literal(array.astype(array.dtype.newbyteorder("=")))


@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 0, 3), (1, 1, 1), (4, 4)])
@pytest.mark.parametrize("dtype", ir.DTYPES, ids=str)
def test_shapes_of_literals(dtype: Any, shape: tuple[int, ...]) -> None:
    check_literal(np.ones(shape, dtype))


def check_literal(array: Any) -> None:
    builder = GraphBuilder("f")
    graph = builder.build([builder.constant(array)])
    (node,) = read_back(graph, max_elements=None).nodes
    found = node.attributes["value"].array
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.tobytes() == array.tobytes()


CARRIER = Op(
    name="test_carrier",
    family="test",
    doc="",
    infer=lambda *, value: parse_type("f32[]"),
    reference=lambda *, value: np.float32(0),
)


def carried(value: Any) -> Any:
    """The attribute as it comes back from the text."""
    builder = GraphBuilder("f")
    graph = builder.build([builder.emit(CARRIER, value=value)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(op._registry, CARRIER.name, CARRIER)
        return ir.parse(ir.print_graph(graph)).nodes[0].attributes["value"]


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
    st.sampled_from([*ir.DTYPES, ir.token, parse_type("f32[B,3]"), parse_type("bytes[2]")]),
    st.builds(ir.Dim, st.sampled_from(["B", "batch_size", "é"])),
)


@given(value=st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3).map(tuple)))
def test_attributes(value: Any) -> None:
    found = carried(value)
    assert found == value
    assert repr(found) == repr(value)


@given(value=st.text(st.characters(categories=["Cs", "Cc", "Zl", "Zs", "Lo", "So"])))
def test_strings_of_any_characters(value: str) -> None:
    assert carried(value) == value


@pytest.mark.parametrize("bits", [0x7FF8000000000000, 0xFFF8000000000001, 0x7FF0000000000001, 1])
def test_float_attributes_of_any_bits(bits: int) -> None:
    (number,) = struct.unpack("<d", struct.pack("<Q", bits))
    assert struct.pack("<d", carried(number)) == struct.pack("<d", number)
    found = carried(complex(number, -0.0))
    assert math.copysign(1, found.imag) == -1
    assert struct.pack("<d", found.real) == struct.pack("<d", number)


def test_numpy_scalars_become_python_numbers() -> None:
    found = carried((np.int64(3), np.float64(0.5), np.bool_(True)))
    assert repr(found) == "(3, 0.5, True)"


def test_attributes_without_a_text_form_are_refused() -> None:
    with pytest.raises(GraphError, match="class list has no text form"):
        carried([1, 2])


NAMES = st.text(max_size=6) | st.sampled_from(["x", "x_1", "0", "1", "arg0", "arg1", ""])


@given(st.lists(NAMES, min_size=1, max_size=6), st.text())
def test_any_names(names: list[str], name: str) -> None:
    builder = GraphBuilder(name)
    t = parse_type("f32[2]")
    inputs = [builder.input(t, n) for n in names]
    graph = builder.build([builder.emit("add", inputs[0], inputs[-1])])
    again = read_back(graph)
    assert again.name == name
    assert ir.structural_equal(again, graph)
    assert ir.print_graph(again) == ir.print_graph(graph)
    shown = [v.name for v in again.inputs]
    given = [v.name for v in inputs]
    assert len(set(shown)) == len(shown)
    assert all(s == g for s, g in zip(shown, given, strict=True) if given.count(g) == 1)


@given(st.text(), st.integers(0, 10**9), st.text())
def test_any_location(file: str, line: int, function: str) -> None:
    builder = GraphBuilder("f")
    x = builder.input(parse_type("f32[2]"))
    with builder.at(Location(file, line, function)):
        y = builder.emit("tanh", x)
    graph = builder.build([y])
    assert read_back(graph).nodes[0].location == Location(file, line, function)
    assert read_back(graph, locations=False).nodes[0].location == ir.UNKNOWN


def lstm_cell() -> Graph:
    def cell(x: Any, w: Any, h: Any, c: Any) -> tuple[Any, Any]:
        y = ops.matmul(ops.concat(x, h, axis=1), w)
        i, f, o, g = ops.split(y, sizes=(16, 16, 16, 16), axis=1)
        c = ops.add(ops.multiply(ops.sigmoid(f), c), ops.multiply(ops.sigmoid(i), ops.tanh(g)))
        return ops.multiply(ops.sigmoid(o), ops.tanh(c)), c

    builder = GraphBuilder("lstm_cell")
    shapes = {"x": "f32[8,16]", "w": "f32[32,64]", "h": "f32[8,16]", "c": "f32[8,16]"}
    inputs = [builder.input(parse_type(t), n) for n, t in shapes.items()]
    with builder, builder.at(Location("examples/lstm.py", 12, "lstm_cell")):
        outputs = cell(*inputs)
    return builder.build(outputs)


def test_the_text_of_an_lstm_cell() -> None:
    graph = lstm_cell()
    check_golden("ir/lstm_cell.ir", ir.print_graph(graph))
    check_roundtrip(graph)


def everything() -> Graph:
    """One of each part of the text form."""
    f, b = parse_type("f32[2]"), parse_type("bool[]")
    then = ir.region("then", [f], lambda x: ops.tanh(x))
    other = ir.region("else", [f], lambda x: x)
    builder = GraphBuilder("every thing")
    x, p = builder.input(f, "x"), builder.input(b, "params['p']")
    builder.input(parse_type("bf16[B,3]"), "x")
    with builder:
        with builder.at(Location("In [3]", 2, "every thing")):
            y = ops.cond(p, x, regions=(then, other))[0]
        ops.check(p, error="CheckError", message='"p" must hold\n')
        token = ops.print_(ops.create_token(), y, template="é {}")
        with builder.at(Location("a b.py", 7, "f.<locals>.g")):
            halves = ops.split(y, sizes=(1, 1), axis=0)
        weak = builder.constant(np.array([[-0.0, np.nan], [np.inf, 1 / 3]], np.float32))
        large = builder.constant(np.arange(100))
        builder.constant(np.arange(100))
        builder.constant(np.array([1 - 2j, complex(0, np.inf)], np.complex64))
        zeros = ops.full(value=Literal(np.int8(-3)), shape=(2, 3))
    return builder.build([*halves, weak, large, zeros, token])


def test_the_text_of_everything() -> None:
    check_golden("ir/everything.ir", ir.print_graph(everything()))
    check_roundtrip(everything())


def test_options() -> None:
    graph = everything()
    text = ir.print_graph(graph, locations=False, max_elements=1, name="other")
    assert text.startswith("graph other(%x: f32[2], ")
    assert "a b.py" not in text
    assert "@const_0: f32[2,2]" in text
    assert list(ir.large_constants(graph)) == ["const_0"]


def test_ten_thousand_nodes_are_quick() -> None:
    graph = seeded_graph(0, 8500)
    assert len(graph.nodes) > 9000
    start = time.perf_counter()
    text = ir.print_graph(graph)
    printed = time.perf_counter()
    ir.parse(text, constants=ir.large_constants(graph))
    assert printed - start < 1
    assert time.perf_counter() - printed < 3


def test_the_example_of_the_readme() -> None:
    text = (Path(__file__).parents[3] / "ir" / "README.md").read_text(encoding="utf-8")
    example = text.split("```\n")[1]
    printed = ir.print_graph(ir.parse(example))
    assert printed == re.sub(" +# a comment", "", example).rstrip()
