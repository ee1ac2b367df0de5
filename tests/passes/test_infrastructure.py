"""Specs, pipelines, reports, listeners and failures."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import ClassVar

import pytest

from plait import ir
from plait.ir import Graph, Node
from plait.ir.errors import ParseError, PassError, ShapeError, UnknownNameError
from plait.passes import (
    DEFAULT_PIPELINE,
    Firing,
    Pass,
    Pipeline,
    all_passes,
    get_pass,
    parse_pass,
    print_after_change,
    register_pass,
    run_pipeline,
)

TEXT = """
graph f(%x: f32[4]) -> (f32[4]) {
  %0: f32[4] = negative(%x)  @ "model.py":3
  %1: f32[4] = negative(%0)  @ "model.py":4
  %2: f32[4] = tanh(%x)      @ "model.py":5
  return %1
}
"""


@pytest.fixture
def graph() -> Graph:
    return ir.parse(TEXT)


@dataclass(frozen=True)
class Broken(Pass):
    """Fail at a node."""

    name: ClassVar[str] = "broken"
    how: str = "raise"

    def run(self, graph: Graph, firings: list[Firing] | None = None) -> Graph:
        node = graph.nodes[0]
        if self.how == "raise":
            raise ShapeError("no shape fits", node.location)
        if self.how == "plain":
            raise ValueError("odd")
        other = Node.make(node.op, node.operands, {}, (), node.location, (ir.parse_type("i32[9]"),))
        return Graph(graph.name, graph.inputs, (other,), other.results)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dce",
        "canonicalize,fold{max_bytes=1024},cse,dce",
        "simplify{families=shape+casts,exact=false}",
        DEFAULT_PIPELINE,
    ],
)
def test_text_of_a_pipeline_parses_back(text: str) -> None:
    pipeline = Pipeline.parse(text)
    assert str(pipeline) == text
    assert Pipeline.parse(str(pipeline)) == pipeline


def test_spaces_defaults_and_quotes_are_read() -> None:
    found = Pipeline.parse(' fold { max_bytes = 65536 } , simplify{families="shape"} ')
    assert str(found) == "fold,simplify{families=shape}"


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("cse,", ParseError, "<pipeline>:1:5: error: expected the name of a pass, found 'the end'"),
        ("cse dce", ParseError, "expected ',' or the end, found 'dce'"),
        ("fold{max_bytes=many}", ParseError, "1:16: error: option 'max_bytes' takes int"),
        ("fold{max_bytes=1.5}", ParseError, "takes int, found 1.5"),
        ("fold{max_bytes}", ParseError, "expected '=', found '}'"),
        ("fold{max_bytes=1", ParseError, "expected ',' or '}', found 'the end'"),
        ("simplify{exact=1}", ParseError, "takes bool"),
        ("cse;dce", ParseError, "1:4: error: unexpected ';'"),
        ("fold{size=1}", UnknownNameError, "pass 'fold' has no option 'size'; options: max_bytes"),
        ("dce{x=1}", UnknownNameError, "options: none"),
        ("fodl", UnknownNameError, "unknown pass 'fodl'; did you mean 'fold'?"),
        ("simplify{families=geometry}", None, ""),
    ],
)
def test_wrong_specs_are_refused(text: str, error: type[Exception] | None, message: str) -> None:
    if error is None:
        with pytest.raises(PassError, match="unknown family of rules 'geometry'"):
            run_pipeline(ir.parse(TEXT), text)
        return
    with pytest.raises(error) as caught:
        Pipeline.parse(text)
    assert message in str(caught.value)


def test_every_pass_says_what_it_does() -> None:
    names = [p.name for p in all_passes()]
    assert names == sorted(names)
    assert {"canonicalize", "cse", "dce", "fold", "inline", "simplify"} <= set(names)
    for pass_ in all_passes():
        assert pass_.doc.endswith(".")
        assert parse_pass(str(pass_)) == pass_ == get_pass(pass_.name)


def test_names_are_taken_once() -> None:
    with pytest.raises(UnknownNameError, match="'dce' is empty or taken"):
        register_pass(type(get_pass("dce")))


def test_one_pass_means_one() -> None:
    with pytest.raises(ParseError, match="expected one pass, found 2"):
        parse_pass("cse,dce")


def test_report_counts_nodes_and_firings(graph: Graph) -> None:
    report = run_pipeline(graph, "dce,simplify,cse").report
    first, second, third = report.passes
    assert (first.nodes_before, first.nodes_after, first.changed) == (3, 2, True)
    assert (second.nodes_before, second.nodes_after) == (2, 0)
    assert second.counts == {"involution": 1}
    assert str(second.firings[0].location) == "model.py:4, in f"
    assert not third.changed
    assert report.seconds >= second.seconds > 0


def test_report_without_times_is_the_same_on_every_run(graph: Graph) -> None:
    text = run_pipeline(graph, "dce,simplify,cse").report.as_text(times=False, locations=True)
    assert text.splitlines() == [
        "dce              3 -> 2 nodes  [drop x1]",
        "    drop at model.py:5, in f",
        "simplify         2 -> 0 nodes  [involution x1]",
        "    involution at model.py:4, in f",
        "cse              no change",
    ]


def test_listener_sees_each_pass(graph: Graph) -> None:
    seen: list[tuple[str, int]] = []
    run_pipeline(graph, "cse,dce", listener=lambda name, g: seen.append((name, len(g.nodes))))
    assert seen == [("cse", 3), ("dce", 2)]


def test_print_after_change_prints_what_changed(graph: Graph) -> None:
    stream = io.StringIO()
    run_pipeline(graph, "cse,dce", listener=print_after_change(graph, stream))
    assert stream.getvalue().startswith("# after cse: no change\n# after dce\ngraph f(")


def test_a_failure_names_the_pass_and_those_before(graph: Graph) -> None:
    pipeline = Pipeline((get_pass("cse"), get_pass("fold"), Broken()))
    with pytest.raises(PassError) as caught:
        run_pipeline(graph, pipeline)
    assert str(caught.value) == (
        "pass broken failed: no shape fits; passes before it: cse, fold\n  at model.py:3, in f"
    )


def test_other_exceptions_are_named_too(graph: Graph) -> None:
    with pytest.raises(PassError, match="ValueError: odd; passes before it: none"):
        run_pipeline(graph, Pipeline((Broken("plain"),)))


def test_verify_each_finds_who_broke_the_graph(graph: Graph) -> None:
    pipeline = Pipeline((get_pass("cse"), Broken("wrong type")))
    assert run_pipeline(graph, pipeline).graph.outputs[0].type == ir.parse_type("i32[9]")
    with pytest.raises(PassError, match=r"pass broken.* failed: (.|\n)*passes before it: cse"):
        run_pipeline(graph, pipeline, verify_each=True)
