"""Random graphs mean the same after each pass, and passes cost time linear in the nodes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait import ir
from plait.ir import Graph
from plait.passes import lower_checks, plan, run_pipeline
from tests.graphs import Options, graphs, seeded_graph
from tests.passes.arrays import same_values, special_arguments
from tests.passes.corpus import layered_graph, random_graph, with_all_outputs

SPECS = ("canonicalize", "fold", "cse", "dce", "inline", "simplify", None)


def check_passes(graph: Graph, seed: int) -> None:
    arrays = special_arguments(graph, seed)
    wanted = ir.evaluate(graph, arrays)
    for spec in SPECS:
        result = run_pipeline(graph, spec, verify_each=True)
        got = ir.evaluate(result.graph, arrays)
        for a, b in zip(wanted, got, strict=True):
            assert same_values(a, b), f"{spec}:\n{a}\nbecame\n{b}\n{graph}\n{result.graph}"
        again = run_pipeline(result.graph, spec)
        assert again.graph is result.graph, f"{spec} again:\n{again.report}\n{result.graph}"


@given(graphs(max_nodes=10), st.integers(0, 99))
def test_passes_keep_every_bit(graph: Graph, seed: int) -> None:
    check_passes(with_all_outputs(graph), seed)


@given(graphs(max_nodes=8, options=Options(regions=True)), st.integers(0, 99))
def test_passes_keep_every_bit_in_regions(graph: Graph, seed: int) -> None:
    check_passes(with_all_outputs(graph), seed)


@pytest.mark.parametrize("seed", range(12))
def test_passes_keep_effects(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    graph = with_all_outputs(seeded_graph(seed, 20, Options(regions=True, effects=True)))
    arrays = special_arguments(graph, seed)
    ir.evaluate(graph, arrays)
    printed = capsys.readouterr().out
    ir.evaluate(run_pipeline(graph).graph, arrays)
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize("seed", range(12))
def test_lowered_checks_keep_the_outputs(seed: int) -> None:
    graph = with_all_outputs(seeded_graph(seed, 20, Options(regions=True, effects=True)))
    arrays = special_arguments(graph, seed)
    lowered, table = lower_checks(graph)
    ir.verify(lowered)
    wanted, got = ir.evaluate(graph, arrays), ir.evaluate(lowered, arrays)
    assert all(same_values(a, b) for a, b in zip(wanted, got, strict=False))
    assert len(got) == len(wanted) + bool(table)
    assert not table or got[-1].tolist() == [0, 0, 0, 0]


# The bounds are ten times what an idle core needs; a quadratic pass exceeds them.


@pytest.mark.parametrize("make", [layered_graph, random_graph])
def test_ten_thousand_nodes_take_at_most_two_seconds(make: type) -> None:
    graph = make(10_000)
    start = time.perf_counter()
    run_pipeline(graph)
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize("make", [layered_graph, random_graph])
def test_plans_of_ten_thousand_nodes_take_seconds(make: type) -> None:
    graph = make(10_000)
    start = time.perf_counter()
    made = plan(graph)
    assert time.perf_counter() - start < 5
    assert made.arena_bytes <= 1.1 * made.peak_bytes
