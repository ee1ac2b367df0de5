"""Pictures, tables, DOT and JSON forms of graphs and plans."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from plait import inspect, ir
from plait.ir import Decision, ExecutionPlan, Graph, Slot, Step
from plait.ir.display import mime_bundle
from tests.golden import check_golden
from tests.graphs import graphs

LSTM = """
graph lstm_cell(%x: f32[8,16], %w: f32[32,64], %h: f32[8,16], %c: f32[8,16])
    -> (f32[8,16], f32[8,16]) {
  %0: f32[8,32] = concat(%x, %h) {axis = 1}   @ "examples/lstm.py":26
  %1: f32[8,64] = matmul(%0, %w)              @ "examples/lstm.py":26
  %2: f32[8,16], %3: f32[8,16], %4: f32[8,16], %5: f32[8,16]
    = split(%1) {sizes = (16, 16, 16, 16), axis = 1}   @ "examples/lstm.py":27
  %6: f32[8,16] = tanh(%2)                    @ "examples/lstm.py":28
  %7: f32[8,16] = sigmoid(%3)                 @ "examples/lstm.py":29
  %8: f32[8,16] = sigmoid(%4)                 @ "examples/lstm.py":29
  %9: f32[8,16] = sigmoid(%5)                 @ "examples/lstm.py":29
  %10: f32[8,16] = multiply(%8, %c)           @ "examples/lstm.py":30
  %11: f32[8,16] = multiply(%7, %6)           @ "examples/lstm.py":30
  %12: f32[8,16] = add(%10, %11)              @ "examples/lstm.py":30
  %13: f32[8,16] = tanh(%12)                  @ "examples/lstm.py":31
  %14: f32[8,16] = multiply(%9, %13)          @ "examples/lstm.py":31
  return %14, %12
}
"""
LOOP = """
graph loop(%n: i32[], %i: i32[], %h: f32[8,16]) -> (f32[8,16]) {
  %0: i32[], %1: f32[8,16] = while(%n, %i, %h) {num_consts = 1}
    condition(%n: i32[], %i: i32[], %h: f32[8,16]) {
      %0: bool[] = less(%i, %n)
      return %0
    } body(%n: i32[], %i: i32[], %h: f32[8,16]) {
      %0: i32[] = constant() {value = 1: i32[]}
      %1: i32[] = add(%i, %0)
      %2: bool[] = less(%1, %n)
      %3: f32[8,16] = cond(%2, %h) then(%h: f32[8,16]) {
        %0: f32[8,16] = tanh(%h)
        return %0
      } else(%h: f32[8,16]) {
        %0: f32[8,16] = sigmoid(%h)
        return %0
      }
      return %1, %3
    }
  return %1
}
"""
EMPTY = "graph empty() -> () { return }"
SVG = "{http://www.w3.org/2000/svg}"


def planned(graph: Graph) -> ExecutionPlan:
    """A plan of the LSTM cell in which the first tanh overwrites its operand."""
    slot = Slot(0, 0, 2048)
    steps: list[Step] = []
    for node in graph.nodes:
        if node.op.name == "tanh" and not any(s.in_place_of == 0 for s in steps):
            why = Decision("in-place", True, "last use of %2")
            steps.append(Step(node, (slot,), in_place_of=0, decisions=(why,)))
        else:
            steps.append(Step(node, tuple(None for _ in node.results)))
    return ExecutionPlan(
        graph, "planned", tuple(steps), (slot,), 2048, 2048, 9216, {}, frozenset(), {}
    )


def picture(shown: Graph | ExecutionPlan, **options: Any) -> ElementTree.Element:
    return ElementTree.fromstring(inspect.svg(shown, **options))


def boxes(root: ElementTree.Element) -> list[ElementTree.Element]:
    return [g for g in root.iter(f"{SVG}g") if g.get("class", "").startswith("box")]


def title(element: ElementTree.Element) -> str:
    return element.findtext(f"{SVG}title") or ""


def labels(root: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in root.iter(f"{SVG}text")]


def test_an_svg_has_a_box_for_each_input_node_and_output() -> None:
    root = picture(ir.parse(LSTM))
    kinds = [box.get("class", "").removeprefix("box ") for box in boxes(root)]
    assert kinds.count("input") == 4
    assert kinds.count("output") == 2
    assert kinds.count("elementwise") == 9
    assert kinds.count("contraction") == 1
    assert len(kinds) == 4 + 12 + 2


def test_boxes_tell_op_type_and_line_when_pointed_at() -> None:
    root = picture(ir.parse(LSTM))
    found = next(t for t in map(title, boxes(root)) if "= tanh(%2)" in t)
    assert found.startswith("%6: f32[8,16] = tanh(%2)\nexamples/lstm.py:28")
    assert {"tanh", "%6: f32[8,16]", "concat axis=1"} <= set(labels(root))


def test_a_line_for_each_operand_and_output() -> None:
    root = picture(ir.parse(LSTM))
    lines = [g for g in root.iter(f"{SVG}g") if g.get("class", "").startswith("line")]
    graph = ir.parse(LSTM)
    assert len(lines) == sum(len(n.operands) for n in graph.nodes) + len(graph.outputs)


def test_regions_are_nested_boxes() -> None:
    root = picture(ir.parse(LOOP))
    panels = [r for r in root.iter(f"{SVG}rect") if r.get("class") == "panel"]
    assert len(panels) == 4
    assert {"condition", "body", "then", "else", "while num_consts=1"} <= set(labels(root))


def test_a_constant_of_one_element_stands_where_it_is_used() -> None:
    root = picture(ir.parse(LOOP))
    assert "add(·, 1)" in labels(root)
    assert not any("constant" in box.get("class", "") for box in boxes(root))


def test_a_plan_shows_what_runs_in_place_and_why() -> None:
    root = picture(planned(ir.parse(LSTM)))
    assert "in place of %2" in labels(root)
    assert "slot 0 @ 0x0" in labels(root)
    assert any("in-place: last use of %2" in title(box) for box in boxes(root))
    assert sum(g.get("class") == "line in-place" for g in root.iter(f"{SVG}g")) == 1
    assert any("arena 2,048 bytes" in text for text in labels(root))


@pytest.mark.parametrize("text", [LSTM, LOOP, EMPTY])
def test_a_picture_is_light_and_dark_and_needs_nothing_else(text: str) -> None:
    drawn = inspect.svg(ir.parse(text))
    ElementTree.fromstring(drawn)
    assert "@media (prefers-color-scheme:dark)" in drawn
    assert not re.search(r"href|url\(|<script|<image|@import", drawn)
    # Every rule is under the picture's own class: the page around it keeps its style.
    style = re.search(r"<style>(.*)</style>", drawn)
    assert style is not None
    for selector in re.findall(r"([^{}]+)\{[^{}]*\}", style[1]):
        assert all(s.strip().startswith((".plait", "@media")) for s in selector.split(","))


def test_equal_graphs_give_equal_pictures() -> None:
    assert inspect.svg(ir.parse(LOOP)) == inspect.svg(ir.parse(LOOP))


def test_names_are_escaped() -> None:
    body = '{ %0: f32[] = tanh(%"<x>") @ "a&b.py":1 return %0 }'
    graph = ir.parse(f'graph "a<b>&c"(%"<x>": f32[]) -> (f32[]) {body}')
    assert "a<b>&c: 1 node" in labels(picture(graph))
    assert "&lt;x&gt;" in inspect.table(graph)


def chain(count: int) -> Graph:
    builder = ir.GraphBuilder("chain")
    x = builder.input(ir.parse_type("f32[4]"), "x")
    with builder:
        for _ in range(count):
            x = ir.ops.add(ir.ops.tanh(x), x)
        return builder.build([x])


def test_a_big_graph_is_summarized_by_levels_and_says_so() -> None:
    graph = chain(300)
    root = picture(graph)
    assert len(boxes(root)) <= 50
    assert any("600 nodes in 600 levels" in text for text in labels(root))
    counts = [int(m[1]) for t in labels(root) if (m := re.match(r"levels? .*: (\d+) node", t))]
    assert sum(counts) == 600
    assert len(boxes(picture(graph, max_boxes=1000))) == 602


def test_a_big_region_is_summarized_inside_its_box() -> None:
    builder = ir.GraphBuilder("outer")
    x = builder.input(ir.parse_type("f32[4]"), "x")
    with builder:
        (y,) = builder.emit("call", x, regions=(chain(300),), name="chain")
        root = picture(builder.build([y]))
    assert "chain" in labels(root)
    assert any(re.match(r"levels 0 to \d+: \d+ nodes", text) for text in labels(root))


class Rows(HTMLParser):
    """The cells of the tables in a page, row by row."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()


def test_a_table_has_a_row_for_each_node() -> None:
    graph = ir.parse(LSTM)
    rows = Rows(inspect.table(graph)).rows
    assert len(rows) == 1 + 4 + 12 + 1
    assert [
        "%0",
        "f32[8,32]",
        "concat",
        "%x, %h",
        "axis=1",
        "examples/lstm.py:26, in lstm_cell",
    ] in rows
    assert len(Rows(inspect.table(graph, max_rows=5)).rows) == 7
    assert "12 more rows" in inspect.table(graph, max_rows=5)


def test_a_plans_table_shows_storage_and_reasons() -> None:
    rows = Rows(inspect.table(planned(ir.parse(LSTM)))).rows
    row = next(row for row in rows if row[0] == "%6")
    assert row[6:] == ["in place of %2, slot 0 @ 0x0", "in-place: last use of %2"]
    assert {len(row) for row in rows} == {8}


def test_dot_form() -> None:
    check_golden("plait/inspect/loop.dot", inspect.dot(ir.parse(LOOP)))
    assert 'label="%2", penwidth=2' in inspect.dot(planned(ir.parse(LSTM)))


def test_json_form() -> None:
    check_golden("plait/inspect/loop.json", dumped(ir.parse(LOOP)))


def dumped(shown: Graph | ExecutionPlan) -> str:
    return json.dumps(inspect.to_json(shown), indent=1, allow_nan=False)


def attribute(graph: Graph, name: str) -> Any:
    return inspect.to_json(graph)["nodes"][0]["attributes"][name]


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ("nan: f32[]", {"type": "f32[]", "data": [{"float": "nan"}]}),
        ("[-inf, 0.1]: f32[2]", {"type": "f32[2]", "data": [{"float": "-inf"}, 0.1]}),
        ("[0.1, 3.0]: bf16[2]", {"type": "bf16[2]", "data": [0.100098, 3.0]}),
        ("true: bool[]", {"type": "bool[]", "data": [True]}),
        ("[(1.0, nan)]: c64[1]", {"type": "c64[1]", "data": [[1.0, {"float": "nan"}]]}),
        ("[]: i8[0]", {"type": "i8[0]", "data": []}),
        ("9223372036854775807: i64[]", {"type": "i64[]", "data": [2**63 - 1]}),
    ],
)
def test_json_of_literals(literal: str, expected: Any) -> None:
    type_ = literal.rpartition(": ")[2]
    graph = ir.parse(
        f"graph g() -> ({type_}) {{ %0: {type_} = constant() {{value = {literal}}} return %0 }}"
    )
    json.dumps(inspect.to_json(graph), allow_nan=False)
    assert attribute(graph, "value") == expected


def test_json_gives_large_literals_by_digest() -> None:
    builder = ir.GraphBuilder("g")
    value = builder.constant(np.arange(100, dtype=np.float32))
    found = attribute(builder.build([value]), "value")
    assert found["type"] == "f32[100]"
    assert re.fullmatch("[0-9a-f]{32}", found["digest"])


PLAN_KEYS = {
    "backend", "arena_bytes", "peak_bytes", "unplanned_bytes", "slots", "aliases", "donated",
    "decisions", "steps", "graph",
}  # fmt: skip


def test_json_of_a_plan() -> None:
    found = json.loads(dumped(planned(ir.parse(LSTM))))
    assert found["format"] == "plait.plan"
    assert found.keys() - {"format", "version"} == PLAN_KEYS
    step = next(s for s in found["steps"] if s["op"] == "tanh")
    assert (step["slots"], step["in_place_of"]) == ([0], 0)
    assert step["decisions"][0]["reason"] == "last use of %2"


def all_names(graph: dict[str, Any]) -> Iterator[tuple[set[str], list[str]]]:
    """Names defined and used in a JSON graph and in each of its regions."""
    defined = {v["name"] for v in graph["inputs"]}
    used = list(graph["outputs"])
    for node in graph["nodes"]:
        used += node["operands"]
        defined |= {v["name"] for v in node["results"]}
        for region in node["regions"]:
            yield from all_names(region)
    yield defined, used


@pytest.mark.parametrize("text", [LSTM, LOOP])
def test_json_names_fit_together(text: str) -> None:
    for defined, used in all_names(inspect.to_json(ir.parse(text))):
        assert set(used) <= defined


@given(graphs())
@settings(max_examples=25)
def test_every_graph_has_every_form(graph: Graph) -> None:
    ElementTree.fromstring(inspect.svg(graph))
    assert len(Rows(inspect.table(graph)).rows) >= len(graph.nodes) + len(graph.inputs)
    assert inspect.dot(graph).startswith("digraph")
    dumped(graph)


@pytest.mark.parametrize("make", [ir.parse, lambda text: planned(ir.parse(text))])
def test_graphs_and_plans_show_in_notebooks(make: Callable[[str], Any]) -> None:
    bundle = mime_bundle(make(LSTM))
    assert bundle.keys() == {"text/plain", "text/html", "image/svg+xml"}
    assert bundle["image/svg+xml"].startswith("<svg")
    assert "<table" in bundle["text/html"]
    assert "lstm_cell" in bundle["text/plain"]
