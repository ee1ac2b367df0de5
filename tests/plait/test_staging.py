"""The stages of compilation: texts, costs, memory, how they show; strings that are types."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.ir import Cost

KEYS = ["arguments", "outputs", "temporaries", "aliases", "total"]


def twice(x: Any, y: Any) -> Any:
    return pl.tanh(x) * 1.0 + pl.tanh(x) * y


def staged(backend: str = "planned") -> Any:
    return pl.graph_function(twice, backend=backend).trace("f32[4]", "f32[4]")


def test_traced_and_optimized_say_what_they_cost() -> None:
    traced = staged()
    optimized = traced.optimize()
    before, after = traced.cost_analysis(), optimized.cost_analysis()
    assert type(before) is Cost
    assert before.flops > after.flops > 0
    ours = traced.memory_analysis()
    assert ours["arguments"] == optimized.memory_analysis()["arguments"] == 32
    assert ours["unplanned"] > optimized.memory_analysis()["unplanned"]


def test_the_memory_of_a_plan_adds_up() -> None:
    f = pl.graph_function(lambda x, w: pl.sum(pl.exp(pl.matmul(x, w))), backend="planned")
    optimized = f.trace("f32[8,16]", "f32[16,32]").optimize()
    memory: dict[str, Any] = {**optimized.memory_analysis()}
    plan = optimized.plan()
    assert memory["arguments"] == 4 * (8 * 16 + 16 * 32)
    assert memory["outputs"] == 4
    assert memory["temporaries"] == memory["arena"] == plan.arena_bytes > 0
    assert memory["peak"] == plan.peak_bytes <= memory["arena"]
    assert memory["unplanned"] == plan.unplanned_bytes
    assert memory["total"] == sum(memory[k] for k in KEYS[:3]) - memory["aliases"]
    compiled = optimized.lower().compile().memory_analysis()
    assert list(compiled) == KEYS
    assert compiled["arguments"] == memory["arguments"]


def test_a_variable_that_is_assigned_is_an_alias() -> None:
    v = pl.Variable(np.zeros(8, np.float32))
    f = pl.graph_function(lambda x: v.assign_add(x).value, backend="planned")
    memory = f.trace("f32[8]").optimize().memory_analysis()
    assert memory["aliases"] == 32
    assert memory["total"] == memory["arguments"] + memory["outputs"] - 32


def test_memory_of_regions_counts() -> None:
    inner = pl.graph_function(lambda x: pl.sum(pl.exp(x * 2.0) + pl.exp(x)))
    f = pl.graph_function(lambda x: inner(x) + 1.0, backend="planned")
    traced = f.trace("f32[64]")
    memory = traced.memory_analysis()
    assert memory["temporaries"] > memory["arena"]


def test_xla_beside_the_plan() -> None:
    optimized = staged("xla").optimize()
    memories = optimized.compare_memory()
    assert list(memories) == ["planned", "xla"]
    assert memories["xla"] == optimized.lower().compile().memory_analysis()
    assert memories["xla"]["arguments"] == memories["planned"]["arguments"] == 32
    lowered = optimized.lower()
    assert lowered.backend == "xla"
    assert lowered.cost_analysis()["flops"] > 0
    assert lowered.compile().cost_analysis()["bytes accessed"] > 0
    assert "HloModule" in str(lowered.compile())
    assert "stablehlo" in lowered.compile().as_text("stablehlo")


@pytest.mark.parametrize(("backend", "text"), [("planned", "# plan for"), ("reference", "graph ")])
def test_other_backends(backend: str, text: str) -> None:
    lowered = staged(backend).optimize().lower()
    compiled = lowered.compile()
    assert str(lowered).startswith(text)
    assert str(compiled) == compiled.as_text() == str(lowered)
    cost = staged().optimize().cost_analysis()
    expected = {"flops": float(cost.flops), "bytes accessed": float(cost.bytes)}
    assert lowered.cost_analysis() == compiled.cost_analysis() == expected
    with pytest.raises(pl.errors.PlaitError, match="form"):
        compiled.as_text("hlo")
    x = pl.asarray(np.arange(4, dtype=np.float32))
    np.testing.assert_allclose(compiled(x, x).numpy(), twice(x, x).numpy(), rtol=1e-6)


def test_another_backend_takes_over_the_passes() -> None:
    optimized = staged("reference").optimize()
    lowered = optimized.lower("planned")
    assert lowered.backend == "planned"
    assert lowered.compile()._program.optimized is optimized._program.optimized


def test_symbolic_sizes() -> None:
    traced = pl.graph_function(lambda x, w: pl.sum(pl.matmul(x, w))).trace("f32[b,k]", "f32[k,3]")
    for stage in (traced, traced.optimize()):
        cost = stage.cost_analysis()
        assert not cost.known
        assert cost.flops == 0
        with pytest.raises(pl.errors.ShapeError, match="plan needs sizes"):
            stage.memory_analysis()


def test_stages_show_in_a_notebook() -> None:
    traced = staged()
    optimized = traced.optimize()
    for stage in (traced, optimized):
        bundle = stage._repr_mimebundle_()
        assert bundle["text/plain"] == stage.as_text() == str(stage)
        assert "<svg" in bundle["image/svg+xml"]
        assert "<svg" in bundle["text/html"]
    lowered = optimized.lower()
    assert lowered._repr_mimebundle_() == {"text/plain": lowered.as_text()}
    assert lowered.compile()._repr_mimebundle_() == {"text/plain": lowered.as_text()}


def test_variables_show_in_a_notebook() -> None:
    v = pl.Variable([[1.0, 2.0]], name="a<b")
    bundle = v._repr_mimebundle_()
    assert bundle["text/plain"] == repr(v)
    assert "pl.Variable a&lt;b" in bundle["text/html"]
    assert "pl.Tensor" not in bundle["text/html"]


def test_strings_that_are_types_are_specs() -> None:
    f = pl.graph_function(lambda tree, mode="f32[9]", k=2: tree["x"][0] * k, backend="planned")
    graph = f.trace({"x": ["f32[8,batch]"]}, k=3).graph
    assert [str(v.type) for v in graph.inputs] == ["f32[8,batch]"]
    assert str(f.graph({"x": ["f32[8]"]}, stage="traced").inputs[0].type) == "f32[8]"
    types = [str(v.type) for v in f.graph({"x": ["f32[8]"]}, mode="i32[2]", stage="traced").inputs]
    assert types == ["f32[8]", "i32[2]"]


def test_other_strings_are_values() -> None:
    f = pl.graph_function(lambda x, mode: {mode: x}, static="mode", backend="planned")
    x = pl.zeros(2)
    assert [*f.trace("f32[2]", "f32[2]").optimize().lower().compile()(x, "f32[2]")] == ["f32[2]"]
    for mode in ("mean", "x[0]"):
        compiled = f.trace("f32[2]", mode=mode).optimize().lower().compile()
        assert [*compiled(x, mode)] == [mode]


def test_a_string_that_is_almost_a_type_is_refused() -> None:
    f = pl.graph_function(lambda x: x, backend="reference")
    with pytest.raises(pl.errors.ParseError, match=r"^'f32\[2,' is taken for a type.*missing"):
        f.graph("f32[2,")
    with pytest.raises(pl.errors.ParseError, match="unknown dtype 'f33'"):
        f.trace("f33[2]")


def test_an_unknown_stage_has_a_hint() -> None:
    f = pl.graph_function(lambda x: x, backend="reference")
    with pytest.raises(pl.errors.UnknownNameError, match=r"^unknown stage 'planed'; .*'plan'"):
        f.graph("f32[2]", stage="planed")
    with pytest.raises(pl.errors.UnknownNameError, match=r"^unknown stage 'xyz' .stages: traced"):
        f.graph("f32[2]", stage="xyz")


def test_a_call_takes_strings_as_values() -> None:
    f = pl.graph_function(lambda x, mode: x + len(mode), backend="planned")
    assert f(pl.zeros(1), "f32[2]").numpy().tolist() == [6.0]
