"""Compiled graphs: how arguments go in, what XLA says of them, texts, names and refusals."""

from __future__ import annotations

import threading
from typing import Any

import jax
import numpy as np
import pytest

from plait import ir
from plait.backends import BACKENDS, get_backend
from plait.backends.jax import compile, lower
from plait.ir import Location, ops
from plait.ir.errors import BackendError, UnknownNameError
from tests.backends.jax.graphs import graph_of

X64 = ("f64", "i64", "u64", "c128")


def test_backends_are_found_by_name() -> None:
    assert get_backend("xla").compile is compile
    with pytest.raises(UnknownNameError, match="xla, planned, reference"):
        get_backend("tpu9")
    assert list(BACKENDS) == ["xla", "planned", "reference"]


@pytest.mark.parametrize("name", X64)
@pytest.mark.parametrize("kind", ["numpy", "scalar", "jax"])
def test_64_bit_arguments_keep_their_type(name: str, kind: str) -> None:
    graph = graph_of(lambda x, y: (ops.add(x, y), ops.multiply(y, y)), f"{name}[]", f"{name}[]")
    x = np.array(2**31 + 1).astype(graph.inputs[0].dtype)
    with jax.enable_x64(True):
        given = {"numpy": x, "scalar": x[()], "jax": jax.device_put(x)}[kind]
    total, square = compile(graph)(given, x)
    assert total.dtype == square.dtype == x.dtype
    np.testing.assert_array_equal(np.asarray(total), x + x)
    np.testing.assert_array_equal(np.asarray(square), x * x)


@pytest.mark.parametrize("used", [(), (1,), (0, 2)])
def test_what_nothing_reads_is_no_argument_of_the_program(used: tuple[int, ...]) -> None:
    def function(*values: Any) -> Any:
        return [ops.negative(values[i]) for i in used] or np.float32(1)

    executable = compile(graph_of(function, "f32[4]", "f32[5]", "f32[6]"))
    arguments = [np.full(n, n, np.float32) for n in (4, 5, 6)]
    found = executable(*arguments)
    for i, result in zip(used, found, strict=False):
        np.testing.assert_array_equal(np.asarray(result), -arguments[i])
    assert executable.memory_analysis()["arguments"] == sum(4 * (4 + i) for i in used)


def test_an_input_may_be_an_output() -> None:
    x = np.arange(3.0)
    found = compile(graph_of(lambda x: (x, x), "f64[3]"))(x)
    assert [np.asarray(y).tolist() for y in found] == [x.tolist()] * 2


def test_empty_and_0_d_arguments() -> None:
    executable = compile(graph_of(lambda x, y: (ops.sin(x), ops.sin(y)), "f32[0,3]", "f32[]"))
    empty, scalar = executable(np.zeros((0, 3), np.float32), np.zeros((), np.float32))
    assert (empty.shape, scalar.shape) == ((0, 3), ())


def test_memory_analysis_adds_up() -> None:
    def function(x: Any) -> Any:
        return ops.sin(ops.matmul(ops.cos(ops.matmul(x, x)), x))

    sizes = compile(graph_of(function, "f32[64,64]")).memory_analysis()
    parts = sizes["arguments"] + sizes["outputs"] + sizes["temporaries"] - sizes["aliases"]
    assert sizes["total"] == parts
    assert sizes["arguments"] == 4 * 64 * 64
    assert sizes["temporaries"] >= 4 * 64 * 64


def test_cost_analysis_counts_flops() -> None:
    graph = graph_of(ops.matmul, "f32[8,16]", "f32[16,4]")
    assert lower(graph).cost_analysis()["flops"] >= 2 * 8 * 16 * 4
    assert compile(graph).cost_analysis()["flops"] >= 2 * 8 * 16 * 4


def test_names_of_the_hlo_are_those_of_the_nodes() -> None:
    graph = graph_of(lambda x: ops.tanh(ops.add(x, x)), "f32[8]", name="cell")
    text = compile(graph).as_text("hlo")
    assert 'op_name="jit(cell)/add_0/add"' in text
    assert 'op_name="jit(cell)/tanh_1/tanh"' in text


def test_numbers_in_names_are_those_of_the_text() -> None:
    builder = ir.GraphBuilder("cell")
    x = builder.input(ir.parse_type("f32[8]"), "1")
    with builder:
        y = ops.tanh(ops.split(ops.add(x, x), sizes=(4, 4), axis=0)[1])
    graph = builder.build([y])
    assert "%4: f32[4] = tanh(%3)" in str(graph)
    assert "tanh_4" in compile(graph).as_text("hlo")


def test_most_calls_need_no_wrapping() -> None:
    plain = compile(graph_of(ops.add, "f32[4]", "f32[4]"))
    assert isinstance(getattr(plain.call, "__self__", None), jax.stages.Compiled)
    wide = compile(graph_of(ops.add, "f64[4]", "f64[4]"))
    assert not isinstance(getattr(wide.call, "__self__", None), jax.stages.Compiled)


def test_texts_name_no_file_of_this_machine() -> None:
    executable = compile(graph_of(lambda x: ops.tanh(ops.add(x, x)), "f32[8]"))
    assert "stablehlo.tanh" in executable.as_text("stablehlo")
    for form in ("hlo", "stablehlo"):
        assert ".py" not in executable.as_text(form)
        assert "stack_frame" not in executable.as_text(form)
    assert executable.as_text() == executable.as_text("hlo")
    with pytest.raises(UnknownNameError, match="stablehlo and hlo"):
        executable.as_text("llvm")
    with pytest.raises(UnknownNameError, match="stablehlo"):
        executable.lowered.as_text("hlo")


def test_a_lowered_graph_compiles_with_options() -> None:
    lowered = lower(graph_of(ops.tanh, "f32[8]"))
    executable = lowered.compile({"xla_backend_optimization_level": 0})
    np.testing.assert_allclose(executable(np.ones(8, np.float32))[0], np.tanh(1), rtol=1e-6)
    with pytest.raises(BackendError, match="xla_no_such_option"):
        lowered.compile({"xla_no_such_option": 1})


def test_symbolic_sizes_and_bytes_are_refused() -> None:
    with pytest.raises(BackendError, match=r"f32\[B\].*specialize"):
        compile(graph_of(ops.tanh, "f32[B]"))
    with pytest.raises(BackendError, match="bytes"):
        compile(graph_of(lambda x: x, "bytes[3]"))


def test_checks_are_refused() -> None:
    def function(ok: Any) -> Any:
        ops.check(ok, error="CheckError", message="no")
        return ok

    with pytest.raises(BackendError, match="lower_checks"):
        compile(graph_of(function, "bool[]"))


def test_an_op_without_a_lowering_is_named_with_its_line() -> None:
    op = ir.Op(name="mystery", family="test", doc="", infer=lambda x: x, reference=lambda x: x)
    builder = ir.GraphBuilder("example")
    x = builder.input(ir.parse_type("f32[2]"), "x")
    with builder, builder.at(Location("model.py", 7, "f")):
        y = op(x)
    with pytest.raises(BackendError, match=r"'mystery' has no lowering for xla\n  at model.py:7"):
        compile(builder.build([y]))


def test_threads_compile_and_run_at_once() -> None:
    graph = graph_of(lambda x: ops.tanh(ops.add(x, x)), "f64[8]")
    found: list[Any] = []

    def work() -> None:
        found.append(np.asarray(compile(graph)(np.ones(8))[0]))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for result in found:
        np.testing.assert_allclose(result, np.tanh(2.0), rtol=1e-14)


def test_the_configuration_of_jax_stays_as_it_was() -> None:
    config: Any = jax.config
    before = config.jax_enable_x64
    compile(graph_of(ops.tanh, "f64[8]"))(np.ones(8))
    assert config.jax_enable_x64 == before
