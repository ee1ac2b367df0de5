"""The inspector's document and page: what they hold, their bounds, and that nothing breaks out."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait import inspect, ir, passes
from plait.cli import main
from plait.inspect.inspector import Inspection
from plait.inspect.inspector.gradients import forward_nodes
from plait.inspect.inspector.grouping import MOST, SMALL, Group, group_nodes
from plait.inspect.inspector.memory import live_bytes, lives_of
from plait.ir import Graph, GraphBuilder, Location, ops
from tests.plait.inspected import HOSTILE, cell, chain, hostile_graph, loop, loss

CELL = ("f32[8,16]", "f32[32,64]", "f32[8,16]", "f32[8,16]")


def data_of(page: str) -> dict[str, Any]:
    """The document as a browser reads it from the page."""
    found = re.findall(
        r'<script type="application/json" id="plait-data">(.*?)</script>', page, re.S
    )
    assert len(found) == 1
    document: dict[str, Any] = json.loads(found[0])
    return document


def lines_of(document: dict[str, Any], number: int) -> list[str]:
    """The ops of a graph, in order."""
    return [document["strings"][node[0]] for node in document["graphs"][number]["nodes"]]


def stage_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(stage for stage in document["stages"] if stage["name"] == name)


def test_stages_are_the_passes_and_the_plan() -> None:
    document = cell.inspect(*CELL).document
    names = [stage["name"] for stage in document["stages"]]
    assert names == ["traced", "dce", "inline", "simplify", "optimized", "plan"]
    traced = cell.trace(*CELL)
    for name in ("traced", "optimized"):
        graph = traced.at_stage(name)
        number = stage_of(document, name)["graph"]
        assert lines_of(document, number) == [node.op.name for node in graph.nodes]
    plan = traced.at_stage("plan")
    number = stage_of(document, "plan")["graph"]
    assert lines_of(document, number) == [step.node.op.name for step in plan.steps]


def test_nodes_carry_values_places_and_costs() -> None:
    document = cell.inspect(*CELL).document
    graph = cell.graph(*CELL, stage="traced")
    shown = document["graphs"][stage_of(document, "traced")["graph"]]
    values = [*graph.inputs, *[r for n in graph.nodes for r in n.results]]
    numbers = {v: i for i, v in enumerate(values)}
    assert len(shown["nodes"]) == len(graph.nodes)
    for raw, node in zip(shown["nodes"], graph.nodes, strict=True):
        assert raw[2] == [numbers[v] for v in node.operands]
        types = [document["strings"][t] for t in raw[3][1::2]]
        assert types == [str(r.type) for r in node.results]
        file, line, name = document["locations"][raw[5]]
        place = Location(document["strings"][file], line, document["strings"][name])
        assert place == node.location
        cost = ir.node_cost(node)
        assert raw[7:] == [cost.flops, cost.bytes, int(cost.known)]
    assert shown["outputs"] == [numbers[v] for v in graph.outputs]


def test_the_source_is_that_of_the_lines() -> None:
    document = cell.inspect(*CELL).document
    text = {}
    for file, first, part in document["sources"]:
        for i, line in enumerate(part.split("\n")):
            text[file, first + i] = line
    for file, line, _ in document["locations"]:
        assert text[document["strings"][file], line].strip()
    assert any("pl.concat" in line for line in text.values())


def test_pairs_say_what_a_pass_changed() -> None:
    graph = ir.parse("""
graph f(%x: f32[4], %y: f32[4]) -> (f32[4]) {
  %0: f32[4] = negative(%x)
  %1: f32[4] = negative(%0)
  %2: f32[4] = multiply(%y, %1)
  %3: f32[4] = exp(%2)
  return %3
}""")
    document = graph.inspect().document
    stage = stage_of(document, "simplify")
    (diff,) = stage["diffs"]
    assert lines_of(document, diff["after"]) == ["multiply", "exp"]
    assert diff["pairs"] == [2, 3]
    assert list(diff["changed"]) == ["0"]
    assert "operands" in diff["changed"]["0"]
    fired = {document["strings"][rule] for rule, _ in stage["firings"]}
    assert fired & document["rules"].keys()
    assert stage_of(document, "optimized")["diffs"] == []


def test_regions_are_graphs_and_are_compared() -> None:
    document = loop.inspect("f32[8,16]", "i32[]").document
    for stage in document["stages"]:
        seen, pending = 0, [stage["graph"]]
        while pending:
            nodes = document["graphs"][pending.pop()]["nodes"]
            seen += len(nodes)
            pending += [region for node in nodes for region in node[6]]
        assert seen == stage["count"]
    plan = document["graphs"][stage_of(document, "plan")["graph"]]
    inner = [region for node in plan["nodes"] for region in node[6]]
    assert inner
    assert all("plan" in document["graphs"][region] for region in inner)


def test_lives_are_those_of_the_plan() -> None:
    plan = passes.plan(cell.graph(*CELL))
    lives = lives_of(plan)
    live = live_bytes(lives, len(plan.steps))
    assert max(live) == plan.peak_bytes
    for one in lives:
        slot = plan.slots[one.slot]
        assert one.bytes <= slot.nbytes
        assert 0 <= one.start <= one.end < len(plan.steps)
    held: dict[int, int] = {}
    for one in sorted(lives, key=lambda life: (life.slot, life.start)):
        assert one.start > held.get(one.slot, -1), "two values in one slot at one time"
        held[one.slot] = one.end
    taken = {i for i, s in enumerate(plan.steps) if s.in_place_of is not None and s.slots[0]}
    assert {one.start for one in lives if one.in_place} == taken


def test_a_gradient_is_forward_and_backward() -> None:
    document = loss.inspect(*CELL, grad=True).document
    for name in ("traced", "inline", "optimized", "plan"):
        phases = document["graphs"][stage_of(document, name)["graph"]]["phases"]
        assert {"f", "b"} == set(phases)
    number = stage_of(document, "optimized")["graph"]
    phases = document["graphs"][number]["phases"]
    forward = [
        op for op, phase in zip(lines_of(document, number), phases, strict=True) if phase == "f"
    ]
    own = sorted(n.op.name for n in loss.graph(*CELL).nodes)
    assert sorted(forward) == own
    plain = loss.inspect(*CELL).document
    assert {graph["phases"] for graph in plain["graphs"]} == {""}


def test_both_passes_of_a_tape_are_one_graph() -> None:
    derived = loss.trace(*CELL).differentiate()
    document = derived.inspect().document
    (stage,) = document["stages"]
    assert stage["count"] == sum(1 for g in (derived.forward, derived.backward) for _ in g.walk())
    graph = document["graphs"][stage["graph"]]
    phases = graph["phases"]
    assert {"f", "b"} == set(phases)
    backward = [node.op.name for node in derived.backward.nodes]
    assert lines_of(document, stage["graph"])[-len(backward) :] == backward
    assert set(phases[-len(backward) :]) == {"b"}
    assert len(graph["outputs"]) == 1 + len(derived.backward.outputs)
    assert document["sources"]


def test_forward_nodes_are_what_the_results_need() -> None:
    graph = ir.parse("""
graph f(%x: f32[2]) -> (f32[2], f32[2]) {
  %0: f32[2] = tanh(%x)
  %1: f32[2] = square(%0)
  return %0, %1
}""")
    assert [n.op.name for n in forward_nodes(graph, [0])] == ["tanh"]


def make_nodes(lines: list[tuple[str, int]]) -> Graph:
    builder = GraphBuilder("many")
    value: Any = builder.input(ir.TensorType(ir.float32, (2,)), "x")
    with builder:
        for function, line in lines:
            with builder.at(Location("a.py", line, function)):
                value = ops.tanh(value)
    return builder.build([value])


@pytest.mark.parametrize(
    "lines",
    [
        [("f", 1 + i % 5) for i in range(400)],
        [("", 0) for _ in range(700)],
        [(f"f{i // 40}", i % 7) for i in range(2000)],
        [("f", i) for i in range(300)],
    ],
    ids=["iterations", "one line", "functions", "lines"],
)
def test_groups_nest_and_no_level_is_large(lines: list[tuple[str, int]]) -> None:
    graph = make_nodes(lines)
    groups = group_nodes(graph.nodes)
    assert groups
    for i, group in enumerate(groups):
        holder = groups[group.parent] if group.parent >= 0 else Group(0, len(lines), "")
        assert group.parent < i
        assert holder.first <= group.first < group.last <= holder.last
    for parent in range(-1, len(groups)):
        children = [g for g in groups if g.parent == parent]
        assert all(a.last <= b.first for a, b in pairwise(children))
        whole = groups[parent].last - groups[parent].first if parent >= 0 else len(lines)
        alone = whole - sum(g.last - g.first for g in children)
        assert len(children) + alone <= MOST + 1


def test_groups_keep_forward_and_backward_apart() -> None:
    graph = make_nodes([("f", 1)] * 300)
    phases = "f" * 155 + "b" * 145
    groups = group_nodes(graph.nodes, phases)
    assert all(len(set(phases[g.first : g.last])) == 1 for g in groups)


def test_small_graphs_have_no_groups() -> None:
    assert group_nodes(make_nodes([("f", 1)] * SMALL).nodes) == []


def test_the_page_is_the_same_each_time() -> None:
    pages = {cell.inspect(*CELL).html for _ in range(2)}
    assert len(pages) == 1
    code = (
        "import hashlib; from tests.plait.inspected import cell; "
        f"print(hashlib.sha256(cell.inspect(*{CELL!r}).html.encode()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


class Outline(HTMLParser):
    """Elements and their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_what_users_wrote_never_becomes_markup() -> None:
    plain, hostile = (Outline(g.inspect().html).found for g in (chain(3), hostile_graph()))
    assert {tag for tag, _ in hostile} == {tag for tag, _ in plain}
    assert [tag for tag, _ in hostile if tag == "script"] == ["script"] * 2
    page = hostile_graph().inspect().html
    document = data_of(page)
    assert any(HOSTILE in text for text in document["strings"])
    assert HOSTILE not in page
    frame = Outline(hostile_graph().inspect()._repr_html_()).found
    assert [tag for tag, _ in frame] == ["iframe"]
    assert frame[0][1]["srcdoc"] == page
    assert frame[0][1]["sandbox"] == "allow-scripts"


def test_the_page_asks_for_nothing_outside() -> None:
    page = cell.inspect(*CELL).html
    addresses = set(re.findall(r"https?://[^\s\"'<>)]+", page))
    assert addresses == {"http://www.w3.org/2000/svg"}, "the name of SVG, and no address"
    assert not re.search(r"(?:src|href|action)\s*=|@import|url\(", page.partition("<body>")[0])
    assert "default-src 'none'" in page
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert word not in page


def test_it_can_be_read_without_scripts() -> None:
    page = cell.inspect(*CELL).html
    plain = page.partition("<noscript>")[2].partition("</noscript>")[0]
    for text in ("pl.concat", "graph cell(", "matmul(", "plan for backend planned"):
        assert text in plain


def test_a_large_graph_is_quick_and_small() -> None:
    graph = chain(5000)
    assert len(graph.nodes) == 5000
    graph.inspect()  # the passes and the page's parts are loaded
    best = min(_seconds(graph) for _ in range(3))
    page = graph.inspect().html
    assert best <= 2
    assert len(page.encode()) <= 5 << 20


def _seconds(graph: Graph) -> float:
    start = time.process_time()
    assert graph.inspect().html
    return time.process_time() - start


def test_symbolic_sizes_have_no_plan() -> None:
    document = pl.graph_function(lambda x: x + x, name="f").inspect("f32[n]").document
    assert [stage["name"] for stage in document["stages"]][-1] == "optimized"


def test_plans_and_stages_and_saved_functions_are_inspected(tmp_path: Path) -> None:
    plan = cell.graph(*CELL, stage="plan")
    assert repr(plan.inspect()) == "<inspection of cell: plan>"
    cell.save(tmp_path / "cell.plait", *CELL)
    page = pl.load(tmp_path / "cell.plait").inspect(*CELL)
    assert any("pl.concat" in text for _, _, text in page.document["sources"])


def test_it_is_written_to_a_file(tmp_path: Path) -> None:
    page = chain(3).inspect()
    page.save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page.html
    with pytest.raises(ir.errors.GraphError, match="cannot write"):
        page.save(tmp_path / "nowhere" / "page.html")


def test_pipelines_are_the_callers() -> None:
    document = chain(3).inspect(passes="cse").document
    assert [s["name"] for s in document["stages"]] == ["traced", "cse", "optimized", "plan"]
    document = pl.graph_function(lambda x: x + x, passes="", name="f").inspect("f32[2]").document
    assert [s["name"] for s in document["stages"]] == ["traced", "optimized", "plan"]


def test_captured_values_are_inputs() -> None:
    weight = pl.asarray(np.ones((2, 2), np.float32))
    page = pl.graph_function(lambda x: x @ weight, name="f").inspect("f32[3,2]")
    assert len(page.document["graphs"][0]["inputs"]) == 2


class TestCommand:
    def test_a_function(self, tmp_path: Path) -> None:
        target = f"{Path(__file__).parent / 'inspected.py'}:cell"
        out = tmp_path / "cell.html"
        spec = "f32[8,16] f32[32,64] f32[8,16] f32[8,16]"
        assert main(["show", target, "--spec", spec, "-o", str(out), "--stage", "plan"]) == 0
        document = data_of(out.read_text(encoding="utf-8"))
        assert document["start"] == 5
        assert document["title"] == "cell"

    def test_a_file_with_gradients(self, tmp_path: Path) -> None:
        file = tmp_path / "f.ir"
        file.write_text("graph f(%x: f32[2]) -> (f32[2]) { %0: f32[2] = tanh(%x) return %0 }")
        out = tmp_path / "f.html"
        assert main(["show", str(file), "--grad", "--format", "html", "-o", str(out)]) == 0
        document = data_of(out.read_text(encoding="utf-8"))
        phases = document["graphs"][document["stages"][0]["graph"]]["phases"]
        assert phases.count("f") == 1
        assert "b" in phases

    def test_texts_have_no_page(self, tmp_path: Path) -> None:
        file = tmp_path / "f.ir"
        file.write_text("graph f(%x: f32[2]) -> (f32[2]) { %0: f32[2] = tanh(%x) return %0 }")
        assert main(["show", str(file), "--format", "html", "--stage", "hlo"]) == 2


def test_it_is_loaded_when_first_used() -> None:
    code = "import sys, plait; print(any('inspector' in name for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_it_is_exported() -> None:
    assert inspect.Inspection is Inspection
