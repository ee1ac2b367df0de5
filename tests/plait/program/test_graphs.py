"""Whole graphs as NumPy programs: random ones, nests, named sizes, constants, hooks, texts."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from plait import inspect, ir
from plait.inspect.program import write_program
from plait.ir import Graph, GraphBuilder, Literal, TensorType, ops, parse_type
from tests.golden import check_golden
from tests.graphs import Options, arguments, graphs, seeded_graph
from tests.passes.region_graphs import nests
from tests.plait.program.run import check_same_bits, load

I32 = parse_type("i32[]")


def number(value: int) -> Any:
    return ops.constant(value=Literal(np.int32(value)))


@pytest.mark.parametrize("seed", range(12))
def test_random_graphs_give_the_bits_of_the_reference(seed: int) -> None:
    graph = seeded_graph(seed, 60, Options(regions=True, effects=seed % 2 == 0))
    check_same_bits(graph, arguments(graph, seed))


@settings(max_examples=40, deadline=None)
@given(graph=graphs(max_nodes=20, options=Options(regions=True)))
def test_small_random_graphs(graph: Graph) -> None:
    check_same_bits(graph, arguments(graph))


@settings(max_examples=25, deadline=None)
@given(graph=nests(effects=True))
def test_nests_of_regions(graph: Graph) -> None:
    check_same_bits(graph, arguments(graph))


def deep(levels: int) -> Graph:
    """Loops in loops, each of one trip more than it has made."""
    types = [I32, parse_type("f32[3]")]

    def condition(i: Any, _: Any) -> Any:
        return ops.less(i, number(1))

    def nest(level: int) -> Any:
        def body(i: Any, x: Any) -> list[Any]:
            if level:
                regions = (ir.region("condition", types, condition), nest(level - 1))
                x = ops.while_(number(0), x, regions=regions, num_consts=0)[1]
            return [ops.add(i, number(1)), ops.add(x, x)]

        return ir.region("body", types, body)

    builder = GraphBuilder("deep")
    x = builder.input(types[1], "x")
    with builder:
        regions = (ir.region("condition", types, condition), nest(levels))
        found = ops.while_(number(0), x, regions=regions, num_consts=0)
    return builder.build([found[1]])


def test_loops_nest_deeper_than_python_allows() -> None:
    check_same_bits(deep(30), [np.asarray([1, 2, 3], np.float32)])


NAMED_SIZES = """
graph f(%x: f32[b,3], %y: f32[b,k]) -> (f32[b,3], f32[4,b,1], f32[b,k], i64[b]) {
  %0: f32[b,3] = call(%x) {name = "inner"} inner(%x: f32[b,3]) {
    %0: f32[] = constant() {value = 2.0: f32[]}
    %1: f32[b,3] = broadcast_to(%0) {shape = (?b, 3)}
    %2: f32[b,3] = multiply(%x, %1)
    return %2
  }
  %1: f32[] = constant() {value = 3.0: f32[]}
  %2: f32[b,k] = call(%y) {name = "whole"} whole(%y: f32[b,k]) {
    %0: f32[b,k] = full() {value = 1.5: f32[], shape = (?b, ?k)}
    %1: f32[b,k] = add(%y, %0)
    return %1
  }
  %3: f32[4,b,1] = call(%1) {name = "apart"} apart(%c: f32[]) {
    %0: f32[4,b,1] = broadcast_to(%c) {shape = (4, ?b, 1)}
    return %0
  }
  %4: i64[b] = iota() {dtype = i64, shape = (?b,), axis = 0}
  return %0, %3, %2, %4
}
"""


@pytest.mark.parametrize("size", [0, 1, 5])
def test_named_sizes_are_read_from_the_arguments(size: int) -> None:
    graph = ir.parse(NAMED_SIZES)
    x, y = np.ones((size, 3), np.float32), np.ones((size, 2), np.float32)
    check_same_bits(graph, [x, y])


def constant_graph(array: Any) -> Graph:
    builder = GraphBuilder("constant")
    return builder.build([builder.constant(array)])


ARRAYS = [
    np.float32(0.1),
    np.asarray(0x7FC00123, np.uint32).view(np.float32),
    np.asarray([0x7FC00123, 1], np.uint32).view(np.float32),
    np.asarray([np.nan, np.inf, -np.inf, -0.0, 1e-45], np.float32),
    np.asarray([[2**64 - 1, 0]], np.uint64),
    np.asarray([-(2**63)], np.int64),
    np.asarray([1.1, 3e38, -0.0], np.float32).astype(ir.bfloat16),
    np.asarray([0.1 + 0.2j, complex(-0.0, np.nan)], np.complex64),
    np.asarray([True, False]),
    np.zeros((0, 3), np.float16),
    np.linspace(0, 1, 400).reshape(20, 20),
    np.linspace(0, 1, 400).reshape(20, 20).astype(ir.bfloat16),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype}{list(a.shape)}")
def test_constants_keep_their_bits(array: Any) -> None:
    found = np.asarray(load(constant_graph(np.asarray(array)))["constant"]())
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.tobytes() == np.asarray(array).tobytes()


def test_large_constants_may_be_in_a_file_beside(tmp_path: Any) -> None:
    arrays = [np.arange(40.0), np.arange(40.0).astype(ir.bfloat16)]
    builder = GraphBuilder("two")
    graph = builder.build([builder.constant(a) for a in arrays])
    program = write_program(graph, beside="two.npz")
    np.savez(
        tmp_path / "two.npz",
        **{
            n: a.view(np.uint16) if a.dtype == ir.bfloat16 else a
            for n, a in program.constants.items()
        },
    )
    names: dict[str, Any] = {"__file__": str(tmp_path / "two.py")}
    exec(program.text, names)
    for found, array in zip(names["two"](), arrays, strict=True):
        assert found.dtype == array.dtype
        assert found.tobytes() == array.tobytes()


@pytest.mark.parametrize(
    ("error", "details", "wanted", "message"),
    [
        ("IndexOutOfRangeError", 2, IndexError, "bad 7 of 8"),
        ("CheckError", 1, AssertionError, "bad 7"),
        ("ValueError", 0, ValueError, 'bad "{}"'),
    ],
)
def test_a_check_raises(error: str, details: int, wanted: type[Exception], message: str) -> None:
    builder = GraphBuilder("checked")
    ok = builder.input(TensorType(ir.bool_, ()), "ok")
    texts = ['bad "{{}}"', "bad {}", "bad {} of {}"]
    with builder:
        values = [builder.constant(np.int64(7 + i)) for i in range(details)]
        ops.check(ok, *values, error=error, message=texts[details])
    function = load(builder.build([]))["checked"]
    function(np.True_)
    with pytest.raises(wanted) as found:
        function(np.False_)
    assert str(found.value) == message


def test_a_python_function_has_to_be_assigned() -> None:
    builder = GraphBuilder("calling")
    x = builder.input(parse_type("f32[2]"), "x")

    def halve(x: Any) -> Any:
        return x / 2

    with builder:
        _, y = ops.callback(
            ops.create_token(), x, function=halve, result_types=(parse_type("f32[2]"),)
        )
    graph = builder.build([y])
    names: dict[str, Any] = {}
    exec(inspect.python(graph), names)
    with pytest.raises(NotImplementedError, match="assign the Python function"):
        names["calling"](np.ones(2, np.float32))
    check_same_bits(graph, [np.ones(2, np.float32)])


def test_names_of_python_are_left_alone() -> None:
    text = """
    graph "class"(%np: f32[2], %"a.b['c']": f32[2], %t0: f32[2], %print: f32[2]) -> (f32[2]) {
      %0: f32[2] = add(%np, %"a.b['c']")
      %1: f32[2] = add(%0, %t0)
      %2: f32[2] = softmax(%1) {axis = 0}
      %3: f32[2] = add(%2, %print)
      return %3
    }
    """
    graph = ir.parse(text)
    names: dict[str, Any] = {}
    exec(inspect.python(graph), names)
    arrays = [np.full(2, i, np.float32) for i in range(4)]
    (want,) = ir.evaluate(graph, arrays)
    assert names["class_1"](*arrays).tobytes() == want.tobytes()


def test_the_program_has_nothing_of_plait() -> None:
    graph = seeded_graph(3, 80, Options(regions=True, effects=True))
    code = [line for line in inspect.python(graph).splitlines() if "import" in line]
    assert all("plait" not in line for line in code)


PROGRAM = """
graph summed(%xs: f32[n,4], %limit: f32[]) -> (f32[4], f32[n], f32[n,4]) {
  %zero: f32[] = constant() {value = 0.0: f32[]}
  %start: f32[4] = broadcast_to(%zero) {shape = (4,)}
  %1: f32[4], %2: f32[n] = scan(%limit, %start, %xs) {num_consts = 1, num_carry = 1, length = ?n} \
body(%limit: f32[], %total: f32[4], %x: f32[4]) {
    %0: f32[4] = softmax(%x) {axis = 0}
    %1: f32[4] = add(%total, %0)
    %2: f32[] = reduce_sum(%1) {axes = (0,)}
    %3: bool[] = less(%2, %limit)
    %4: f32[4] = cond(%3, %1, %total) then(%a: f32[4], %b: f32[4]) {
      return %a
    } else(%a: f32[4], %b: f32[4]) {
      return %b
    }
    return %4, %2
  }
  %t: token = create_token()
  %u: token = print(%t, %1) {template = "total {}"}
  %3: i64[] = constant() {value = 3: i64[]}
  %4: bool[] = less(%limit, %zero)
  check(%4, %3) {error = "IndexOutOfRangeError", message = "index {} is out of range"}
  %5: f32[1,4] = reshape(%1) {shape = (1, 4)}
  %6: f32[n,4] = broadcast_to(%5) {shape = (?n, 4)}
  %7: f32[n,4] = multiply(%xs, %6)
  return %1, %2, %7
}
"""


def test_golden_program() -> None:
    graph = ir.parse(PROGRAM)
    text = inspect.python(graph)
    check_golden("plait/inspect/program.py.txt", text)
    with contextlib.redirect_stdout(io.StringIO()), pytest.raises(IndexError, match="index 3 is"):
        load(graph)["summed"](np.ones((2, 4), np.float32), np.float32(1.5))
