"""Graphs and plans as layered SVG pictures; no system program is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise

from plait.inspect.layout import Point
from plait.inspect.scene import LINE_HEIGHT, MAX_BOXES, Box, Line, Scene, make_scene
from plait.ir import ExecutionPlan, Graph

MARGIN = 16.0
HEADING = 30.0
NOTE = 18.0
MIN_WIDTH = 220.0

_LIGHT = {
    "paper": "#ffffff",
    "ink": "#1f2328",
    "muted": "#59636e",
    "line": "#8c959f",
    "accent": "#bc4c00",
    "panel": "#f6f8fa",
    "input": "#ffffff",
    "output": "#ffffff",
    "constant": "#fff8c5",
    "elementwise": "#dafbe1",
    "contraction": "#ddf4ff",
    "reduction": "#fbefff",
    "movement": "#eff1f3",
    "control": "#ffffff",
    "effect": "#ffebe9",
    "other": "#eff1f3",
    "summary": "#eff1f3",
}
_DARK = {
    "paper": "#0d1117",
    "ink": "#e6edf3",
    "muted": "#9198a1",
    "line": "#6e7681",
    "accent": "#f0883e",
    "panel": "#151b23",
    "input": "#0d1117",
    "output": "#0d1117",
    "constant": "#3b2e00",
    "elementwise": "#0f3d1e",
    "contraction": "#0c2d52",
    "reduction": "#35205c",
    "movement": "#262c36",
    "control": "#0d1117",
    "effect": "#4a1512",
    "other": "#262c36",
    "summary": "#262c36",
}
_KINDS = tuple(k for k in _LIGHT if k not in ("paper", "ink", "muted", "line", "accent", "panel"))


def svg(shown: Graph | ExecutionPlan, max_boxes: int = MAX_BOXES) -> str:
    """A picture of a graph or plan, as the text of an SVG file.

    Boxes are coloured by what the op does, regions are nested boxes, a result computed in place
    hangs on a heavy line, and each box shows its node and the user's line when pointed at.

    Parameters
    ----------
    shown : Graph or ExecutionPlan
    max_boxes : int
        A graph with more nodes than this is summarized level by level, and says so.

    Examples
    --------
    >>> from plait import inspect, ir
    >>> graph = ir.parse("graph f(%x: f32[2]) -> (f32[2]) { return %x }")
    >>> inspect.svg(graph).startswith("<svg")
    True
    """
    plan = shown if isinstance(shown, ExecutionPlan) else None
    graph = plan.graph if plan is not None else shown
    assert isinstance(graph, Graph)
    scene = make_scene(graph, plan, max_boxes)
    heading, notes = _heading(graph, plan), [scene.note] if scene.note else []
    if plan is not None:
        notes.append(plan_note(plan))
    text_width = max([len(heading) * 8.0, *(len(n) * 6.4 for n in notes), MIN_WIDTH])
    width = max(scene.width, text_width) + 2 * MARGIN
    top = MARGIN + HEADING + NOTE * len(notes)
    height = top + scene.height + MARGIN
    left = (width - scene.width) / 2
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="plait" width="{width:.0f}" '
            f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
            f'aria-label="{escape(heading)}" style="max-width:100%;height:auto">',
            f"<style>{_style()}</style>",
            f'<rect class="paper" width="{width:.0f}" height="{height:.0f}" rx="8"/>',
            _text(MARGIN, MARGIN + 14, heading, "heading"),
            *[
                _text(MARGIN, MARGIN + 14 + NOTE * (i + 1), note, "note")
                for i, note in enumerate(notes)
            ],
            *_scene(scene, left, top),
            "</svg>\n",
        ]
    )


def _heading(graph: Graph, plan: ExecutionPlan | None) -> str:
    count = sum(1 for _ in graph.walk())
    plural = "" if count == 1 else "s"
    made_for = f", plan for backend {plan.backend}" if plan is not None else ""
    return f"{graph.name}: {count:,} node{plural}{made_for}"


def plan_note(plan: ExecutionPlan) -> str:
    """One line with what the plan takes and saves."""
    in_place = sum(step.in_place_of is not None for step in plan.steps)
    return (
        f"arena {plan.arena_bytes:,} bytes in {len(plan.slots)} slots, {in_place} in place; "
        f"{plan.unplanned_bytes:,} bytes without reuse"
    )


def _scene(scene: Scene, x: float, y: float) -> Iterator[str]:
    yield f'<g transform="translate({x:.1f} {y:.1f})">'
    yield from (_line(line) for line in scene.lines)
    for corner, box in scene.boxes:
        yield from _box(corner, box)
    yield "</g>"


def _box(corner: Point, box: Box) -> Iterator[str]:
    (x, y), (width, height) = corner, box.size
    radius = min(height / 2, 18) if box.kind in ("input", "output") else 6
    yield f'<g class="box {box.kind}">'
    yield f"<title>{escape(box.title)}</title>"
    yield (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'rx="{radius:.0f}"/>'
    )
    for i, text in enumerate(box.lines):
        line = y + 6 + LINE_HEIGHT * i + 11
        kind = "op" if i == 0 else "plan" if i > 1 else "type"
        yield _text(x + width / 2, line, text, f"middle {kind}")
    yield "</g>"
    for (left, top), (inner_width, inner_height), panel in box.placed_panels():
        yield (
            f'<rect class="panel" x="{x + left:.1f}" y="{y + top:.1f}" '
            f'width="{inner_width:.1f}" height="{inner_height:.1f}" rx="6"/>'
        )
        yield _text(x + left + 10, y + top + 15, panel.label, "note")
        inset = (inner_width - panel.scene.width) / 2
        yield from _scene(panel.scene, x + left + inset, y + top + 24)


def _line(line: Line) -> str:
    points = line.points
    path = [f"M{_point(points[0])}"]
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 == x1:
            path.append(f"L{_point((x1, y1))}")
        else:
            middle = (y0 + y1) / 2
            path.append(f"C{x0:g} {middle:g} {x1:g} {middle:g} {_point((x1, y1))}")
    x, y = points[-1]
    head = f"M{x:g} {y:g}l-3.5 -7h7z"
    title = f"<title>{escape(line.title)}</title>" if line.title else ""
    return (
        f'<g class="line {line.kind}">{title}<path d="{"".join(path)}"/>'
        f'<path class="head" d="{head}"/></g>'
    )


def _point(point: Point) -> str:
    return f"{point[0]:g} {point[1]:g}"


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _colors(colors: dict[str, str]) -> str:
    return "".join(f"--plait-{name}:{color};" for name, color in colors.items())


def _style() -> str:
    """Rules under the picture's own class: the style of a page that holds it stays as it is."""
    fills: Sequence[str] = [f".plait .{k}>rect{{fill:var(--plait-{k})}}" for k in _KINDS]
    mono = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
    return "".join(
        [
            f".plait{{{_colors(_LIGHT)}font-family:{mono};font-size:12px}}",
            f"@media (prefers-color-scheme:dark){{.plait{{{_colors(_DARK)}}}}}",
            ".plait .paper{fill:var(--plait-paper)}",
            ".plait text{fill:var(--plait-ink)}",
            ".plait .middle{text-anchor:middle}",
            ".plait .op,.plait .heading{font-weight:600}",
            ".plait .heading{font-size:13px}",
            ".plait .type,.plait .note,.plait .plan{font-size:10.5px;fill:var(--plait-muted)}",
            ".plait .plan{fill:var(--plait-accent)}",
            ".plait .box>rect{stroke:var(--plait-line);stroke-width:1}",
            ".plait .box:hover>rect{stroke:var(--plait-accent);stroke-width:2}",
            ".plait .constant>rect,.plait .summary>rect{stroke-dasharray:none}",
            ".plait .panel{fill:var(--plait-panel);stroke:var(--plait-line);stroke-dasharray:4 3}",
            ".plait .line path{fill:none;stroke:var(--plait-line);stroke-width:1.3}",
            ".plait .line:hover path{stroke:var(--plait-accent);stroke-width:2.5}",
            ".plait .in-place path{stroke:var(--plait-accent);stroke-width:2.5}",
            ".plait .token path{stroke-dasharray:2 3}",
            ".plait .line .head{fill:var(--plait-line);stroke:none;stroke-dasharray:none}",
            ".plait .in-place .head,.plait .line:hover .head{fill:var(--plait-accent)}",
            *fills,
        ]
    )
