"""What a drawing shows: boxes with lines of text, regions nested in them, and the lines between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from plait.inspect.layering import Edge
from plait.inspect.layout import Point, lay_out
from plait.inspect.naming import (
    MAX_ATTRIBUTES,
    attribute_texts,
    hover_text,
    result_line,
    storage_texts,
    value_names,
)
from plait.ir import ExecutionPlan, Graph, Node, Step, Trait, Value

#: Above this many boxes, levels of the graph are summarized.
MAX_BOXES = 400
MAX_LEVEL_BOXES = 40
PADDING = 14.0
HEADER = 22.0
#: Widths of a character of the first line of a label and of the others.
BOLD_WIDTH, SMALL_WIDTH = 7.3, 6.35
LINE_HEIGHT = 15.0

_CATEGORIES = (
    (Trait.EFFECT, "effect"),
    (Trait.REGION, "control"),
    (Trait.CONSTANT, "constant"),
    (Trait.CONTRACTION, "contraction"),
    (Trait.REDUCTION, "reduction"),
    (Trait.DATA_MOVEMENT, "movement"),
    (Trait.BARRIER, "effect"),
    (Trait.ELEMENTWISE, "elementwise"),
)


@dataclass(frozen=True, slots=True)
class Panel:
    """A region inside a box, with its name."""

    label: str
    scene: Scene


@dataclass(frozen=True, slots=True)
class Box:
    """A box: its class, its lines of text, the text shown on hover, and the regions in it."""

    kind: str
    lines: tuple[str, ...]
    title: str
    panels: tuple[Panel, ...] = ()

    @property
    def header_height(self) -> float:
        """Height of the lines of text."""
        return 12.0 + LINE_HEIGHT * len(self.lines)

    @property
    def size(self) -> Point:
        """Width and height."""
        widths = [len(self.lines[0]) * BOLD_WIDTH, *(len(s) * SMALL_WIDTH for s in self.lines[1:])]
        width, height = max(widths) + 22, self.header_height
        if self.panels:
            inner = [panel_size(p) for p in self.panels]
            width = max(width, sum(w for w, _ in inner) + PADDING * (len(inner) + 1))
            height += max(h for _, h in inner) + PADDING
        return max(width, 46.0), height

    def placed_panels(self) -> Iterator[tuple[Point, Point, Panel]]:
        """Corner (relative to the box), size and content of each panel, side by side."""
        inner = [panel_size(p) for p in self.panels]
        height = max((h for _, h in inner), default=0.0)
        spare = self.size[0] - sum(w for w, _ in inner) - PADDING * (len(inner) + 1)
        x = PADDING + spare / 2
        for panel, (width, _) in zip(self.panels, inner, strict=True):
            yield (x, self.header_height), (width, height), panel
            x += width + PADDING


@dataclass(frozen=True, slots=True)
class Line:
    """An edge: its points, its class and the text shown on hover."""

    points: tuple[Point, ...]
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Scene:
    """Boxes with their corners, lines, and the size of the whole."""

    boxes: tuple[tuple[Point, Box], ...]
    lines: tuple[Line, ...]
    width: float
    height: float
    note: str = ""


def panel_size(panel: Panel) -> Point:
    """Width and height of a region's panel."""
    width = max(panel.scene.width, len(panel.label) * SMALL_WIDTH)
    return width + 2 * PADDING, panel.scene.height + PADDING + HEADER


def make_scene(
    graph: Graph, plan: ExecutionPlan | None = None, max_boxes: int = MAX_BOXES
) -> Scene:
    """Lay out a graph, or a summary of its levels when it has more boxes than ``max_boxes``."""
    if len(graph.nodes) + len(graph.inputs) + len(graph.outputs) > max_boxes:
        from plait.inspect.summary import summary_scene

        return summary_scene(graph, max_boxes, MAX_LEVEL_BOXES)
    return _Drawing(graph, plan, max_boxes).scene()


@dataclass(slots=True)
class _Drawing:
    graph: Graph
    plan: ExecutionPlan | None
    budget: int
    boxes: list[Box] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    free: list[int] = field(default_factory=list)

    def scene(self) -> Scene:
        graph = self.graph
        names = value_names(graph)
        inline = inlined_constants(graph)
        ports: dict[Value, tuple[int, float]] = {}
        self.budget -= len(graph.nodes) + len(graph.inputs) + len(graph.outputs)
        for value in graph.inputs:
            ports[value] = (len(self.boxes), 0.5)
            name = names[value]
            self.boxes.append(Box("input", (name, str(value.type)), f"input {name}: {value.type}"))
        steps = {step.node: step for step in self.plan.steps} if self.plan else {}
        nodes = [step.node for step in self.plan.steps] if self.plan else graph.nodes
        for node in nodes:
            if node.results and all(r in inline for r in node.results):
                continue
            self._connect(node, ports, inline, names, steps.get(node))
            count = len(node.results)
            for i, result in enumerate(node.results):
                ports[result] = (len(self.boxes), (i + 1) / (count + 1))
            self.boxes.append(self._box(node, names, inline, steps.get(node)))
        first_output = len(self.boxes)
        for i, value in enumerate(graph.outputs):
            self._output(i, value, ports, inline, names)
        sizes = [box.size for box in self.boxes]
        outputs = frozenset(range(first_output, len(self.boxes)))
        found = lay_out(sizes, self.edges, outputs, frozenset(self.free))
        boxes = tuple(zip(found.corners, self.boxes, strict=True))
        lines = tuple(map(Line, found.routes, self.kinds, self.titles))
        return Scene(boxes, lines, found.width, found.height)

    def _connect(
        self,
        node: Node,
        ports: Mapping[Value, tuple[int, float]],
        inline: Mapping[Value, str],
        names: Mapping[Value, str],
        step: Step | None,
    ) -> None:
        if node.op.has(Trait.COMMUTATIVE):
            self.free.append(len(self.boxes))
        drawn = [(i, v) for i, v in enumerate(node.operands) if v not in inline]
        for place, (i, value) in enumerate(drawn):
            in_place = step is not None and step.in_place_of == i
            self._edge(value, ports, (place + 1) / (len(drawn) + 1), names)
            self.kinds[-1] = "in-place" if in_place else self.kinds[-1]

    def _edge(
        self,
        value: Value,
        ports: Mapping[Value, tuple[int, float]],
        port: float,
        names: Mapping[Value, str],
    ) -> None:
        source, source_port = ports[value]
        self.edges.append(Edge(source, len(self.boxes), source_port, port))
        self.kinds.append("token" if str(value.type) == "token" else "data")
        self.titles.append(f"{names[value]}: {value.type}")

    def _output(
        self,
        index: int,
        value: Value,
        ports: Mapping[Value, tuple[int, float]],
        inline: Mapping[Value, str],
        names: Mapping[Value, str],
    ) -> None:
        label = "return" if len(self.graph.outputs) == 1 else f"return {index}"
        shown = inline.get(value, names[value])
        title = f"output {index}: {shown}: {value.type}"
        if value not in inline:
            self._edge(value, ports, 0.5, names)
        self.boxes.append(Box("output", (label, shown), title))

    def _box(
        self, node: Node, names: Mapping[Value, str], inline: Mapping[Value, str], step: Step | None
    ) -> Box:
        head = node.op.name
        constants = [inline.get(v) for v in node.operands]
        if any(constants):
            head += "(" + ", ".join(c if c is not None else "·" for c in constants) + ")"
        shown = ", ".join(attribute_texts(node))
        if shown and len(shown) <= MAX_ATTRIBUTES:
            head += f" {shown}"
        lines = [head]
        if node.results:
            lines.append(result_line(node, names))
        title = hover_text(node, names)
        if step is not None:
            lines += storage_texts(step, names)
            title += "".join(f"\n{d.kind}: {d.reason}" for d in step.decisions)
        return Box(category(node), tuple(lines), title, self._panels(node))

    def _panels(self, node: Node) -> tuple[Panel, ...]:
        panels = []
        for region in node.regions:
            plan = self.plan.plans.get(region) if self.plan else None
            panels.append(Panel(region.name, make_scene(region, plan, max(self.budget, 0))))
            self.budget -= sum(1 for _ in region.walk())
        return tuple(panels)


def category(node: Node) -> str:
    """The class of a node's box, by the traits of its op."""
    return next((name for trait, name in _CATEGORIES if node.op.has(trait)), "other")


def inlined_constants(graph: Graph) -> dict[Value, str]:
    """Constants of one value, and moves of them: shown where they are used, not as boxes."""
    found: dict[Value, str] = {}
    for node in graph.nodes:
        if len(node.results) != 1 or node.regions:
            continue
        array = getattr(node.attributes.get("value"), "array", None)
        if node.op.has(Trait.CONSTANT) and array is not None and array.size == 1:
            found[node.results[0]] = str(array.reshape(())[()])
        moved = [found.get(v) for v in node.operands]
        if node.op.has(Trait.DATA_MOVEMENT) and len(moved) == 1 and moved[0] is not None:
            found[node.results[0]] = moved[0]
    return found
