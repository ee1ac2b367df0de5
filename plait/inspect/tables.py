"""Graphs and plans as HTML tables, one row for each node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from plait.inspect.naming import attribute_texts, storage_texts, value_names
from plait.ir import ExecutionPlan, Graph, Node, Step, Value

#: Rows up to which a table holds every node.
MAX_ROWS = 2000

_STYLE = (
    ".plait-table{border-collapse:collapse;font:12px ui-monospace,Menlo,Consolas,monospace}"
    ".plait-table th,.plait-table td{text-align:left;vertical-align:top;padding:2px 10px 2px 0;"
    "border-bottom:1px solid rgba(128,128,128,.3);white-space:pre-wrap}"
    ".plait-table .muted{opacity:.65}"
)
_Row = tuple[str, ...]


def table(shown: Graph | ExecutionPlan, max_rows: int = MAX_ROWS) -> str:
    """A graph or plan as an HTML table: results, op, operands, attributes, the user's line.

    For a plan also where each result lives and why. Regions follow the node that holds them.

    Parameters
    ----------
    shown : Graph or ExecutionPlan
    max_rows : int
        Further nodes are counted, not shown.

    Examples
    --------
    >>> from plait import inspect, ir
    >>> graph = ir.parse("graph f(%x: f32[2]) -> (f32[2]) { %0: f32[2] = tanh(%x) return %0 }")
    >>> "<td>tanh</td>" in inspect.table(graph)
    True
    """
    plan = shown if isinstance(shown, ExecutionPlan) else None
    graph = shown.graph if isinstance(shown, ExecutionPlan) else shown
    heads = ["result", "type", "op", "operands", "attributes", "where"]
    heads += ["storage", "why"] if plan is not None else []
    lines = [f"<style>{_STYLE}</style>", '<table class="plait-table">', _row(tuple(heads), "th")]
    count = 0
    for row in _rows(graph, plan, ""):
        count += 1
        if count <= max_rows:
            lines.append(_row(row))
    if count > max_rows:
        lines.append(_row((f"... and {count - max_rows:,} more rows",)))
    return "\n".join([*lines, "</table>"])


def _row(cells: _Row, tag: str = "td") -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _rows(graph: Graph, plan: ExecutionPlan | None, indent: str) -> Iterator[_Row]:
    names = value_names(graph)
    steps = {step.node: step for step in plan.steps} if plan is not None else {}
    extra = ("", "") if plan is not None else ()
    for value in graph.inputs:
        yield (indent + names[value], str(value.type), "input", "", "", "", *extra)
    for node in [step.node for step in plan.steps] if plan is not None else graph.nodes:
        step = steps.get(node)
        yield _node_row(node, names, indent) + (_storage(step, names) if step is not None else ())
        for region in node.regions:
            inner = plan.plans.get(region) if plan is not None else None
            yield (f"{indent}  {region.name}", "", "region", "", "", "", *extra)
            padding = ("", "") if plan is not None and inner is None else ()
            yield from (row + padding for row in _rows(region, inner, indent + "    "))
    yield (f"{indent}return", "", "", ", ".join(names[v] for v in graph.outputs), "", "", *extra)


def _node_row(node: Node, names: Mapping[Value, str], indent: str) -> _Row:
    return (
        indent + ", ".join(names[r] for r in node.results),
        ", ".join(dict.fromkeys(str(r.type) for r in node.results)),
        node.op.name,
        ", ".join(names[v] for v in node.operands),
        ", ".join(attribute_texts(node)),
        str(node.location) if node.location.line else "",
    )


def _storage(step: Step, names: Mapping[Value, str]) -> _Row:
    reasons = "\n".join(f"{d.kind}: {d.reason}" for d in step.decisions)
    return ", ".join(storage_texts(step, names)), reasons
