"""Drawings of graphs too big to draw: their levels, with what each holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from plait.inspect.layering import Edge
from plait.inspect.layout import lay_out
from plait.inspect.naming import shorten
from plait.inspect.scene import Box, Line, Scene
from plait.ir import Graph, Node, Value, levels

MAX_OPS = 6
MAX_TITLE_OPS = 40


def summary_scene(graph: Graph, max_boxes: int, max_groups: int) -> Scene:
    """The levels of a graph, several to a box when there are more than ``max_groups``."""
    by_level: dict[int, list[Node]] = {}
    for node, level in levels(graph).items():
        by_level.setdefault(level, []).append(node)
    step = max(1, -(-len(by_level) // max_groups))
    order = sorted(by_level)
    boxes = [_values("input", graph.inputs)] if graph.inputs else []
    for start in range(0, len(order), step):
        group = order[start : start + step]
        boxes.append(_level_box(group, [node for level in group for node in by_level[level]]))
    boxes.append(_values("output", graph.outputs))
    edges = [Edge(i, i + 1) for i in range(len(boxes) - 1)]
    layout = lay_out([box.size for box in boxes], edges)
    note = (
        f"{len(graph.nodes):,} nodes in {len(order):,} levels: more than {max_boxes} boxes, "
        "so each box sums up "
        + ("one level" if step == 1 else f"{step} levels")
        + "; the table and the text show every node"
    )
    return Scene(
        tuple(zip(layout.corners, boxes, strict=True)),
        tuple(Line(route, "summary", "") for route in layout.routes),
        layout.width,
        layout.height,
        note,
    )


def _values(kind: str, values: Sequence[Value]) -> Box:
    counts = Counter(str(v.type) for v in values).most_common()
    plural = "" if len(values) == 1 else "s"
    lines = (f"{len(values):,} {kind}{plural}", shorten(_counted(counts, MAX_OPS), 70))
    return Box(kind, lines, _counted(counts, MAX_TITLE_OPS))


def _level_box(group: Sequence[int], nodes: Sequence[Node]) -> Box:
    counts = Counter(node.op.name for node in nodes).most_common()
    span = f"level {group[0]}" if len(group) == 1 else f"levels {group[0]} to {group[-1]}"
    plural = "" if len(nodes) == 1 else "s"
    inner = sum(1 for node in nodes for region in node.regions for _ in region.walk())
    within = f", {inner:,} more in regions" if inner else ""
    lines = (f"{span}: {len(nodes):,} node{plural}{within}", _counted(counts, MAX_OPS))
    places = list(dict.fromkeys(f"{n.location.file}:{n.location.line}" for n in nodes))
    return Box("summary", lines, "\n".join([_counted(counts, MAX_TITLE_OPS), *places[:10]]))


def _counted(counts: Sequence[tuple[str, int]], limit: int) -> str:
    shown = ", ".join(f"{name} ×{count:,}" if count > 1 else name for name, count in counts[:limit])
    more = len(counts) - limit
    return f"{shown}, and {more} more kinds" if more > 0 else shown
