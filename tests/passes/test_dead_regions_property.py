"""Random nests keep their meaning and their effects without what is dead, and nothing is left."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import Any

from hypothesis import given

from plait import ir
from plait.ir import Graph
from plait.passes import run_pipeline
from tests.graphs import arguments
from tests.passes.arrays import same_values
from tests.passes.region_graphs import dead_parts, nests


def evaluate(graph: Graph) -> tuple[list[Any], str]:
    with redirect_stdout(io.StringIO()) as printed:
        values = ir.evaluate(graph, arguments(graph, 5))
    return values, printed.getvalue()


def check(graph: Graph, spec: str | None) -> Graph:
    found = run_pipeline(graph, spec, verify_each=True).graph
    wanted, printed = evaluate(graph)
    got, printed_after = evaluate(found)
    assert printed_after == printed
    assert all(same_values(a, b) for a, b in zip(wanted, got, strict=True)), f"{graph}\n{found}"
    assert run_pipeline(found, spec).graph is found, f"{graph}\n{found}"
    assert dead_parts(found) == [], f"{graph}\n{found}"
    return found


@given(nests())
def test_nests_keep_their_meaning_and_nothing_dead(graph: Graph) -> None:
    check(graph, "dce")


@given(nests(effects=True))
def test_nests_keep_their_effects_and_nothing_dead(graph: Graph) -> None:
    check(graph, "dce")


@given(nests(effects=True))
def test_the_default_pipeline_leaves_nothing_dead(graph: Graph) -> None:
    check(graph, None)
