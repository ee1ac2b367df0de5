"""Values, nodes and graphs: pure SSA with closed regions, immutable, compared by identity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plait.ir.errors import DTypeError, TraceError
from plait.ir.location import Location
from plait.ir.types import DType, Shape, TensorType, Type

if TYPE_CHECKING:
    import networkx

    from plait.ir.cost import Cost
    from plait.ir.op import Op


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Value:
    """The result of a node, or an input of a graph. Compared and hashed by identity.

    Attributes
    ----------
    type : Type
        What the value is.
    node : Node or None
        The node that computes it; None for an input of a graph.
    index : int
        Position among the node's results or the graph's inputs.
    name : str
        An input's name; empty for results.
    """

    type: Type
    node: Node | None = None
    index: int = 0
    name: str = ""

    @property
    def tensor_type(self) -> TensorType:
        """The type, which must be a tensor's."""
        if type(self.type) is TensorType:
            return self.type
        raise DTypeError(f"expected a tensor, found a value of type {self.type}")

    @property
    def dtype(self) -> DType:
        """Dtype of a tensor value."""
        kind = self.type
        return kind.dtype if type(kind) is TensorType else self.tensor_type.dtype

    @property
    def shape(self) -> Shape:
        """Shape of a tensor value."""
        kind = self.type
        return kind.shape if type(kind) is TensorType else self.tensor_type.shape

    @property
    def ndim(self) -> int:
        """Number of dimensions of a tensor value."""
        return len(self.tensor_type.shape)

    @property
    def size(self) -> int:
        """Number of elements of a tensor value."""
        return self.tensor_type.size

    def __bool__(self) -> bool:
        raise TraceError(f"a value of a graph ({self.type}) has no truth value while tracing")

    def __index__(self) -> int:
        raise TraceError(
            f"a size or an index is asked of a tensor ({self.type}) that is being traced, whose "
            "value is not known yet; pass a Python number"
        )

    __int__ = __index__

    def __float__(self) -> float:
        raise TraceError(f"a number is asked of a tensor ({self.type}) that is being traced")

    __array_ufunc__ = None

    def __repr__(self) -> str:
        source = self.name or (f"{self.node.op.name}#{self.index}" if self.node else "input")
        return f"Value({source}: {self.type})"


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One application of an op. Made by a builder, never changed.

    Attributes
    ----------
    op : Op
        The op record.
    operands : tuple of Value
        Data, by position.
    attributes : mapping of str
        Parameters, by keyword: numbers, strings, dtypes, tuples of these, or a ``Literal``.
    regions : tuple of Graph
        Bodies of control flow. Closed: what a region uses reaches it as an operand.
    location : Location
        The user's line.
    results : tuple of Value
        What the node computes.
    """

    op: Op
    operands: tuple[Value, ...]
    attributes: Mapping[str, Any]
    regions: tuple[Graph, ...]
    location: Location
    results: tuple[Value, ...] = field(default=(), init=False)

    @staticmethod
    def make(
        op: Op,
        operands: tuple[Value, ...],
        attributes: Mapping[str, Any],
        regions: tuple[Graph, ...],
        location: Location,
        result_types: tuple[Type, ...],
    ) -> Node:
        """Build a node together with its results."""
        node: Any = _new(_OpenNode)
        node.op = op
        node.operands = operands
        node.attributes = attributes
        node.regions = regions
        node.location = location
        results: list[Value] = []
        for type_ in result_types:
            value: Any = _new(_OpenValue)
            value.type = type_
            value.node = node
            value.index = len(results)
            value.name = ""
            value.__class__ = Value
            results.append(value)
        node.results = tuple(results)
        node.__class__ = Node
        made: Node = node
        return made

    @property
    def has_effect(self) -> bool:
        """Whether the node, or one in its regions, must run even when its results are unused."""
        if self.op.is_effect or not self.regions:
            return self.op.is_effect
        return any(n.has_effect for r in self.regions for n in r.nodes)

    def __repr__(self) -> str:
        types = ", ".join(str(r.type) for r in self.results)
        return f"Node({self.op.name} -> {types})"


class _OpenValue(Value):
    """A value that is being made: filling a frozen one takes four times as long."""

    __slots__ = ()
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__


class _OpenNode(Node):
    """A node that is being made."""

    __slots__ = ()
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__


_new = object.__new__


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Graph:
    """A function in SSA form: inputs, nodes in an order that respects data, outputs.

    ``str(graph)`` is the text form; ``plait.ir.parse`` reads it back.
    """

    name: str
    inputs: tuple[Value, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[Value, ...]

    @property
    def input_types(self) -> tuple[Type, ...]:
        """Types of the inputs."""
        return tuple([v.type for v in self.inputs])

    @property
    def output_types(self) -> tuple[Type, ...]:
        """Types of the outputs."""
        return tuple([v.type for v in self.outputs])

    def walk(self) -> Iterator[Node]:
        """All nodes in order, those of regions after the node that holds them."""
        for node in self.nodes:
            yield node
            for region in node.regions:
                yield from region.walk()

    def as_text(self, **options: Any) -> str:
        """The text form. Options are those of ``plait.ir.print_graph``."""
        from plait.ir.text import print_graph

        return print_graph(self, **options)

    def inspect(self, passes: str | None = None) -> Any:
        """A page about the graph, what each pass makes of it, and its plan; one HTML file.

        Parameters
        ----------
        passes : str, optional
            The pipeline to run; the default one when None.

        Returns
        -------
        Inspection
            A notebook shows it; ``.save(path)`` writes it, ``.html`` is its text.
        """
        from plait.ir.display import inspect

        return inspect(self, passes=passes)

    def to_networkx(self) -> networkx.MultiDiGraph[Any]:
        """The graph as a ``networkx.MultiDiGraph`` of inputs and nodes."""
        from plait.ir.analysis import to_networkx

        return to_networkx(self)

    def cost(self) -> Cost:
        """FLOPs and bytes moved, loops counted by their trips where known."""
        from plait.ir.cost import graph_cost

        return graph_cost(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from plait.ir.display import mime_bundle

        return mime_bundle(self)

    def __str__(self) -> str:
        return self.as_text()

    def __repr__(self) -> str:
        ins, outs = (", ".join(map(str, t)) for t in (self.input_types, self.output_types))
        return f"<Graph {self.name}({ins}) -> ({outs}), {len(self.nodes)} nodes>"
