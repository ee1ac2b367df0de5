"""Graphs in the DOT language, for those who have Graphviz."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from plait.inspect.naming import (
    MAX_ATTRIBUTES,
    attribute_texts,
    hover_text,
    result_line,
    storage_texts,
    value_names,
)
from plait.ir import ExecutionPlan, Graph, Node, Step, Value


def dot(shown: Graph | ExecutionPlan) -> str:
    r"""A graph or plan as the text of a DOT file; regions are clusters.

    Parameters
    ----------
    shown : Graph or ExecutionPlan

    Examples
    --------
    >>> from plait import inspect, ir
    >>> graph = ir.parse("graph f(%x: f32[2]) -> (f32[2]) { return %x }")
    >>> print(inspect.dot(graph))
    digraph "f" {
      node [shape=box, fontname="monospace", fontsize=10];
      edge [fontname="monospace", fontsize=8];
      "g.in0" [label="%x\nf32[2]", shape=ellipse];
      "g.out0" [label="return 0", shape=ellipse];
      "g.in0" -> "g.out0" [label="%x"];
    }
    """
    plan = shown if isinstance(shown, ExecutionPlan) else None
    graph = shown.graph if isinstance(shown, ExecutionPlan) else shown
    lines = [
        f"digraph {_quote(graph.name)} {{",
        '  node [shape=box, fontname="monospace", fontsize=10];',
        '  edge [fontname="monospace", fontsize=8];',
        *_body(graph, plan, "g", "  "),
        "}",
    ]
    return "\n".join(lines)


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _body(graph: Graph, plan: ExecutionPlan | None, prefix: str, indent: str) -> Iterator[str]:
    names = value_names(graph)
    made_by: dict[Value, str] = {}
    steps = {step.node: step for step in plan.steps} if plan is not None else {}
    for i, value in enumerate(graph.inputs):
        made_by[value] = f"{prefix}.in{i}"
        label = f"{names[value]}\n{value.type}"
        yield f"{indent}{_quote(made_by[value])} [label={_quote(label)}, shape=ellipse];"
    for i, node in enumerate(graph.nodes):
        name = f"{prefix}.n{i}"
        step = steps.get(node)
        yield f"{indent}{_quote(name)} [{_node(node, names, step)}];"
        for k, region in enumerate(node.regions):
            inner = f"{name}.{k}"
            yield f"{indent}subgraph {_quote(f'cluster_{inner}')} {{"
            results = ", ".join(names[r] for r in node.results)
            label = f"{node.op.name} {results}: {region.name}"
            yield f"{indent}  label={_quote(label)};"
            region_plan = plan.plans.get(region) if plan is not None else None
            yield from _body(region, region_plan, inner, indent + "  ")
            yield f"{indent}}}"
        for k, operand in enumerate(node.operands):
            heavy = ", penwidth=2" if step is not None and step.in_place_of == k else ""
            label = f"[label={_quote(names[operand])}{heavy}]"
            yield f"{indent}{_quote(made_by[operand])} -> {_quote(name)} {label};"
        made_by.update(dict.fromkeys(node.results, name))
    for i, value in enumerate(graph.outputs):
        name = f"{prefix}.out{i}"
        yield f'{indent}{_quote(name)} [label="return {i}", shape=ellipse];'
        yield f"{indent}{_quote(made_by[value])} -> {_quote(name)} [label={_quote(names[value])}];"


def _node(node: Node, names: Mapping[Value, str], step: Step | None) -> str:
    shown = ", ".join(attribute_texts(node))
    short = bool(shown) and len(shown) <= MAX_ATTRIBUTES
    lines = [f"{node.op.name} {shown}" if short else node.op.name]
    if node.results:
        lines.append(result_line(node, names))
    if step is not None:
        lines += storage_texts(step, names)
    tooltip = hover_text(node, names)
    return f"label={_quote(chr(10).join(lines))}, tooltip={_quote(tooltip)}"
