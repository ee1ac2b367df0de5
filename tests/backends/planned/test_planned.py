"""The planned backend: bits of the reference, memory as planned, threads, loops in place."""

from __future__ import annotations

import threading
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait import ir
from plait.backends import planned
from plait.backends.planned.program import Program, State
from plait.ir import ExecutionPlan, Graph, Step, Value, ops
from plait.ir.errors import BackendError, IndexOutOfRangeError, SignatureError
from plait.passes import plan, run_pipeline
from tests.graphs import Options, graphs
from tests.passes.arrays import same_values, special_arguments
from tests.passes.corpus import attention, lstm, mlp, plain_arguments, with_all_outputs
from tests.passes.rule_cases import array, make

F = "f32[4]"


def compiled(graph: Graph, donated: Any = ()) -> planned.PlannedExecutable:
    return planned.compile(graph, plan=plan(graph, donated=donated))


def check_equal(graph: Graph, seed: int) -> None:
    """Every way of planning gives the bits of the reference, on each call."""
    arrays = special_arguments(graph, seed)
    wanted = ir.evaluate(graph, arrays)
    ways = [
        compiled(graph),
        compiled(graph, donated=range(len(graph.inputs))),
        planned.compile(graph),
    ]
    for run in ways:
        for _ in range(2):
            got = run(*[a.copy() for a in arrays])
            for a, b in zip(wanted, got, strict=True):
                assert same_values(a, b), f"{a}\nbecame\n{b}\n{graph}\n{run.plan}"


@given(graphs(max_nodes=12), st.integers(0, 99))
def test_equals_the_reference(graph: Graph, seed: int) -> None:
    check_equal(with_all_outputs(graph), seed)


@given(graphs(max_nodes=8, options=Options(regions=True)), st.integers(0, 99))
def test_equals_the_reference_in_regions(graph: Graph, seed: int) -> None:
    check_equal(with_all_outputs(graph), seed)


@given(graphs(max_nodes=12), st.integers(0, 99))
def test_equals_the_reference_after_passes(graph: Graph, seed: int) -> None:
    check_equal(run_pipeline(with_all_outputs(graph)).graph, seed)


@pytest.mark.parametrize("graph", [lstm(3), mlp(3), attention()], ids=lambda g: g.name)
def test_networks_equal_the_reference(graph: Graph) -> None:
    arrays = plain_arguments(graph)
    got = compiled(graph)(*arrays)
    for a, b in zip(ir.evaluate(graph, arrays), got, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-6)


# A plan never overwrites a live value: run it, spoiling all memory that it says is free.


class Poisoned(State):
    """Spoils slots when their values are dead, and compares what is made with the reference."""

    def __init__(self, program: Program) -> None:
        self.bound: list[tuple[Step, int]] = []
        super().__init__(program)
        self.alive = set(program.places)

    def _bind(self, step: Step) -> None:
        super()._bind(step)
        self.bound.append((step, len(self.actions)))

    def check(self, arrays: list[Any]) -> None:
        made = self.program.plan
        wanted = reference_values(made, arrays)
        self.values[: len(arrays)] = arrays
        self.arena[...] = 0xAB
        done = 0
        for step, end in self.bound:
            with np.errstate(all="ignore"):
                for action in self.actions[done:end]:
                    action()
            done = end
            for value in step.node.results:
                found = self.values[self.program.numbers[value]]
                if found is not None:
                    assert same_values(wanted[value], np.asarray(found)), f"{value!r} in\n{made}"
            self.spoil(step.frees)

    def spoil(self, dead: tuple[Value, ...]) -> None:
        """Overwrite the memory of slots whose last value died."""
        places = self.program.places
        self.alive -= set(dead)
        for value in dead:
            if places[value].kind == "arena" and not any(
                places[v] is places[value] for v in self.alive
            ):
                found = self.values[self.program.numbers[value]]
                if found.flags.writeable and found.flags.c_contiguous:
                    found.reshape(-1).view(np.uint8)[...] = 0xCD


def reference_values(made: ExecutionPlan, arrays: list[Any]) -> dict[Value, Any]:
    graph = made.graph
    everything = [*graph.inputs, *[r for n in graph.nodes for r in n.results]]
    whole = Graph(graph.name, graph.inputs, graph.nodes, tuple(everything))
    found = ir.evaluate(whole, [a.copy() for a in arrays])
    return dict(zip(everything, [np.array(a) for a in found], strict=True))


@given(graphs(max_nodes=14), st.integers(0, 99))
def test_a_plan_never_overwrites_a_live_value(graph: Graph, seed: int) -> None:
    graph = with_all_outputs(graph)
    made = plan(graph)
    Poisoned(Program(made)).check(special_arguments(graph, seed))


# Memory.


def test_steps_write_into_the_arena() -> None:
    graph = make("f32[8,8]", lambda x: ops.matmul(ops.exp(x), ops.tanh(x)))
    run = compiled(graph)
    assert run.plan.arena_bytes == 512
    run(np.ones((8, 8), np.float32))
    state = run._idle[0]
    assert np.allclose(state.arena.view(np.float32)[:64], np.e)


def chain(x: Value) -> Value:
    for _ in range(20):
        x = ops.add(ops.tanh(x), ops.matmul(x, x))
    return x


def test_peak_memory_is_the_plans() -> None:
    graph = make("f32[256,256]", chain)
    run = compiled(graph)
    x = np.full((256, 256), 0.001, np.float32)
    run(x)
    tracemalloc.start()
    run(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.2 * x.nbytes  # the output alone
    assert run.plan.arena_bytes <= 3 * x.nbytes < run.plan.unplanned_bytes / 10


def test_outputs_belong_to_the_caller() -> None:
    def build(x: Value) -> Any:
        y = ops.exp(x)
        return y, y, ops.reshape(y, shape=(2, 2)), x, array([1, 2, 3, 4])

    run = compiled(make(F, build))
    x = np.ones(4, np.float32)
    first = run(x)
    for i, a in enumerate(first):
        assert a.flags.writeable
        assert not np.shares_memory(a, x)
        assert all(not np.shares_memory(a, b) for b in first[:i])
    kept = [a.copy() for a in first]
    for a in first:
        a[...] = 0
    assert all(np.array_equal(a, b) for a, b in zip(run(x), kept, strict=True))


def test_large_outputs_are_aligned() -> None:
    (y,) = compiled(make("f32[100000]", ops.tanh))(np.ones(100_000, np.float32))
    assert y.ctypes.data % 64 == 0


def test_a_donated_input_becomes_the_output() -> None:
    run = compiled(make(f"{F} {F}", ops.subtract), donated=(0,))
    x, y = np.ones(4, np.float32), np.full(4, 3, np.float32)
    (out,) = run(x, y)
    assert np.shares_memory(out, x)
    assert out.tolist() == [-2, -2, -2, -2]


def test_a_donated_input_that_cannot_be_written_is_copied() -> None:
    run = compiled(make(f"{F} {F}", ops.subtract), donated=(0,))
    x, y = np.ones(4, np.float32), np.full(4, 3, np.float32)
    x.flags.writeable = False
    (out,) = run(x, y)
    assert not np.shares_memory(out, x)
    wide = np.ones(8, np.float32)
    assert run(wide[::2], y)[0].tolist() == [-2, -2, -2, -2]
    assert wide.tolist() == [1] * 8


def test_inputs_that_are_kept_are_never_written() -> None:
    graph = lstm(2)
    arrays = plain_arguments(graph)
    before = [a.copy() for a in arrays]
    compiled(graph)(*arrays)
    assert all(np.array_equal(a, b) for a, b in zip(arrays, before, strict=True))


# Large fills.


def filled(x: Value, number: float) -> Value:
    result: Value = ops.full(value=ir.Literal(np.float32(number)), shape=x.shape)
    return result


def fills(x: Value) -> tuple[Value, ...]:
    """Fills that elementwise ops, other ops, or only the caller reads."""
    half, root = filled(x, 0.5), filled(x, 0.5)
    return (
        ops.multiply(x, half),
        ops.select(ops.less(half, x), x, half),
        ops.power(ops.negative(x), root),
        ops.matmul(filled(x, 0.1), x),
        ops.reduce_sum(filled(x, 0.1), axes=(0,)),
        half,
        filled(x, 3.0),
    )


def test_large_fills_give_the_references_bits() -> None:
    graph = make("f32[300,300]", fills)
    x = np.random.default_rng(0).standard_normal((300, 300), np.float32)
    x[0, 0], x[0, 1] = np.inf, np.nan
    want = ir.evaluate(graph, [x])
    for run in (compiled(graph), planned.compile(graph)):
        for _ in range(2):
            found = run(x)
            assert [same_values(a, b) for a, b in zip(found, want, strict=True)] == [True] * 7
            for output in found:
                output[...] = 7  # the caller's own: it changes nothing that the next call reads


def test_a_fill_that_elementwise_ops_read_takes_no_memory() -> None:
    run = compiled(make("f32[1000000]", lambda x: ops.multiply(x, filled(x, 0.5))))
    x = np.ones(1_000_000, np.float32)
    run(x)
    tracemalloc.start()
    out = run(x)[0]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < out.nbytes + 10_000
    (fill,) = [v for v in run.program.numbers if v.node is not None and not v.node.operands]
    held = run.program.new_state().values[run.program.numbers[fill]]
    assert (held.strides, held.flags.writeable) == ((0,), False)


# Loops.


def counting(length: int) -> Graph:
    """A loop that writes one row of a matrix on each trip."""
    state = f"i32[] f32[{length},1000]"
    go_on = make(state, lambda i, x: ops.less(i, array(length, "int32")))

    def step(i: Value, x: Value) -> tuple[Value, Value]:
        row = ops.full(value=ir.Literal(np.float32(1)), shape=(1, 1000))
        x = ops.dynamic_update_slice(x, row, i, array(0, "int32"))
        return ops.add(i, array(1, "int32")), x

    regions = (go_on, make(state, step))
    return make(state, lambda i, x: ops.while_(i, x, regions=regions, num_consts=0))


def test_a_loop_updates_its_carry_in_place() -> None:
    run = compiled(counting(200))
    x = np.zeros((200, 1000), np.float32)
    zero = np.zeros((), np.int32)
    i, out = run(zero, x)
    assert (int(i), float(out.sum()), float(x.sum())) == (200, 200_000.0, 0.0)
    tracemalloc.start()
    run(zero, x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * x.nbytes


def test_swapped_carries_do_not_mix() -> None:
    go_on = make(f"i32[] {F} {F}", lambda i, x, y: ops.less(i, array(3, "int32")))
    body = make(f"i32[] {F} {F}", lambda i, x, y: (ops.add(i, array(1, "int32")), y, x))
    graph = make(
        f"i32[] {F}", lambda i, x: ops.while_(i, x, ops.exp(x), regions=(go_on, body), num_consts=0)
    )
    arrays = [np.zeros((), np.int32), np.arange(4, dtype=np.float32)]
    for a, b in zip(ir.evaluate(graph, arrays), compiled(graph)(*arrays), strict=True):
        assert same_values(a, b)


# Calls.


def test_two_threads_at_once() -> None:
    graph = lstm(4)
    run = compiled(graph)
    cases = [plain_arguments(graph, seed) for seed in range(4)]
    wanted = [run(*arrays) for arrays in cases]
    wrong: list[int] = []

    def work(k: int) -> None:
        for _ in range(50):
            got = run(*cases[k])
            if not all(np.array_equal(a, b) for a, b in zip(got, wanted[k], strict=True)):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert 1 <= len(run._idle) <= 4


def test_a_callback_may_call_the_same_executable() -> None:
    depth: list[int] = []

    def again(x: Any) -> Any:
        depth.append(1)
        return run(x)[0] if len(depth) < 3 else x

    def build(x: Value) -> Any:
        y = ops.exp(x)
        types = (ir.parse_type(F),)
        called = ops.callback(ops.create_token(), y, function=again, result_types=types)
        return ops.add(y, called[1])

    run = compiled(make(F, build))
    x = np.zeros(4, np.float32)
    e = np.exp(np.float32(1))
    inner = np.exp(e) + np.exp(e)
    np.testing.assert_allclose(run(x)[0], 1 + (e + inner), rtol=1e-6)
    assert len(depth) == 3


def test_a_failing_call_leaves_the_executable_usable() -> None:
    def build(i: Value) -> Any:
        ok = ops.less(i, array(5, "int64"))
        ops.check(ok, i, error="IndexOutOfRangeError", message="index {0}")
        return ops.add(i, i)

    run = compiled(make("i64[]", build))
    with pytest.raises(IndexOutOfRangeError, match="index 9"):
        run(np.asarray(9))
    assert run(np.asarray(2))[0] == 4
    assert len(run._idle) == 1


def test_wrong_arguments_are_errors() -> None:
    run = compiled(make(F, ops.tanh))
    with pytest.raises(SignatureError, match=r"input 0 \(arg0\) is f32\[4\], got float64\[4\]"):
        run(np.ones(4))
    with pytest.raises(SignatureError, match="takes 1 argument"):
        run()


def test_wrong_plans_and_devices_are_errors() -> None:
    graph = make(F, ops.tanh)
    with pytest.raises(BackendError, match="another graph"):
        planned.compile(graph, plan=plan(make(F, ops.tanh)))
    with pytest.raises(BackendError, match="runs on the CPU, not on gpu:0"):
        planned.compile(graph, device="gpu:0")
    assert planned.compile(graph, device="cpu:0").backend == "planned"


def test_memory_analysis_adds_up() -> None:
    graph = make("f32[8,8]", lambda x: ops.matmul(ops.exp(x), ops.tanh(x)))
    found = compiled(graph, donated=(0,)).memory_analysis()
    assert found["arguments"] == found["outputs"] == 256
    assert found["total"] == 512 + found["temporaries"] - found["aliases"]
    assert 256 <= found["temporaries"] <= 512


def test_the_plan_is_its_text() -> None:
    run = compiled(make(F, lambda x: ops.tanh(ops.exp(x))))
    assert "in-place of %0" in run.as_text("plan")
    with pytest.raises(BackendError, match="not 'hlo'"):
        run.as_text("hlo")
