"""The graph builder: an interpreter that writes ops down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import numpy as np

from plait.ir import dispatch
from plait.ir.errors import GraphError, LeakedTracerError, PlaitError
from plait.ir.graph import Graph, Node, Value
from plait.ir.literal import Literal
from plait.ir.location import UNKNOWN, Location
from plait.ir.op import Op, get_op
from plait.ir.types import Type


class GraphBuilder:
    """Builds one graph, node by node, types inferred and checked at each step.

    Parameters
    ----------
    name : str
        Name of the graph.
    locate : callable, optional
        ``locate(depth)`` gives the location of each new node, which is that many calls up or more;
        the one set with ``at`` comes first.

    Examples
    --------
    >>> from plait import ir
    >>> builder = ir.GraphBuilder("double")
    >>> x = builder.input(ir.parse_type("f32[2]"), "x")
    >>> with builder:
    ...     y = ir.ops.add(x, x)
    >>> print(builder.build([y]))
    graph double(%x: f32[2]) -> (f32[2]) {
      %0: f32[2] = add(%x, %x)
      return %0
    }
    """

    def __init__(
        self, name: str = "graph", locate: Callable[[int], Location] | None = None
    ) -> None:
        self.name = name
        self.inputs: list[Value] = []
        self.nodes: list[Node] = []
        self._owned: set[Value] = set()
        self._location = UNKNOWN
        self._locate = locate
        self._scopes: list[Any] = []

    def input(self, type_: Type, name: str = "") -> Value:
        """Add an input; unnamed ones are named by position."""
        value = Value(type_, None, len(self.inputs), name or f"arg{len(self.inputs)}")
        self.inputs.append(value)
        self._owned.add(value)
        return value

    def owns(self, value: Value) -> bool:
        """Whether the value was made by this builder."""
        return value in self._owned

    def emit(self, op: Op | str, *operands: Any, regions: Any = (), **attributes: Any) -> Any:
        """Append a node; the strict form, without making this the current interpreter."""
        record = get_op(op) if isinstance(op, str) else op
        return self.run(record, operands, attributes, tuple(regions))

    def run(
        self,
        op: Op,
        operands: tuple[Any, ...],
        attributes: Mapping[str, Any],
        regions: tuple[Any, ...] = (),
    ) -> Any:
        """Append a node and return its result, or a tuple when ``infer`` gives a tuple."""
        owned, lift = self._owned, self.lift
        values = tuple([x if type(x) is Value and x in owned else lift(x) for x in operands])
        types = [v.type for v in values]
        inferred: Any
        if regions or op.has_regions:
            inferred = op.infer(*types, regions=regions, **attributes)
        else:
            inferred = op.infer(*types, **attributes)
        several = type(inferred) is tuple
        node = self.append(
            op, values, attributes, regions, inferred if several else (inferred,), self.location(2)
        )
        return node.results if several else node.results[0]

    def append(
        self,
        op: Op,
        operands: tuple[Value, ...],
        attributes: Mapping[str, Any],
        regions: tuple[Graph, ...],
        result_types: tuple[Type, ...],
        location: Location,
    ) -> Node:
        """Append a node whose types are known to be right."""
        node = Node.make(op, operands, attributes, regions, location, result_types)
        self.nodes.append(node)
        self._owned.update(node.results)
        return node

    def copy(self, node: Node, operands: Iterable[Any], regions: Any = None) -> tuple[Value, ...]:
        """Append a node like ``node`` with other operands (and regions); types are inferred."""
        kept = node.regions if regions is None else tuple(regions)
        values = tuple([self.lift(x) for x in operands])
        same = kept is node.regions and all(
            a.type == b.type for a, b in zip(values, node.operands, strict=True)
        )
        if same:
            types = tuple([r.type for r in node.results])
        else:
            types = node.op.infer_types(tuple([v.type for v in values]), node.attributes, kept)
        made = self.append(node.op, values, node.attributes, kept, types, node.location)
        return made.results

    def inline(self, graph: Graph, arguments: Iterable[Any]) -> tuple[Value, ...]:
        """Append all nodes of ``graph`` with its inputs replaced; returns its outputs here."""
        mapping = dict(zip(graph.inputs, [self.lift(a) for a in arguments], strict=True))
        for node in graph.nodes:
            results = self.copy(node, [mapping[v] for v in node.operands])
            mapping.update(zip(node.results, results, strict=True))
        return tuple([mapping[v] for v in graph.outputs])

    def constant(self, array: Any) -> Value:
        """A constant node for an array or scalar of one of Plait's dtypes."""
        literal = array if isinstance(array, Literal) else Literal(array)
        result: Value = self.run(get_op("constant"), (), {"value": literal})
        return result

    def lift(self, payload: Any) -> Value:
        """The value of this builder that stands for an operand."""
        if type(payload) is Value:
            if payload in self._owned:
                return payload
            return self.lift_foreign(payload)
        if isinstance(payload, PlaitError):
            raise payload
        if isinstance(payload, (np.ndarray, np.generic, bool, int, float, complex)):
            return self.constant(payload)
        raise GraphError(f"{type(payload).__name__} cannot be an operand of a graph's node")

    def lift_foreign(self, value: Value) -> Value:
        """What to do with a value of another builder; tracing captures those of outer traces."""
        raise LeakedTracerError(
            f"{value!r} belongs to another graph than {self.name!r}; "
            "pass it as an argument or return it from its own function"
        )

    def location(self, depth: int = 1) -> Location:
        """Location of the next node, which the code ``depth`` calls up, or its caller, asks for."""
        if self._locate is None or self._location is not UNKNOWN:
            return self._location
        return self._locate(depth + 1)

    @contextmanager
    def at(self, location: Location) -> Iterator[None]:
        """Give the nodes of the block this location."""
        saved, self._location = self._location, location
        try:
            yield
        finally:
            self._location = saved

    def build(self, outputs: Iterable[Any]) -> Graph:
        """Close the graph."""
        values = tuple([self.lift(x) for x in outputs])
        return Graph(self.name, tuple(self.inputs), tuple(self.nodes), values)

    def __enter__(self) -> Self:
        scope = dispatch.use(self)
        scope.__enter__()
        self._scopes.append(scope)
        return self

    def __exit__(self, *failure: Any) -> None:
        self._scopes.pop().__exit__(*failure)


def region(name: str, types: Iterable[Type], function: Callable[..., Any]) -> Graph:
    """A graph whose nodes are the ops that ``function`` applies to inputs of the types.

    Parameters
    ----------
    name : str
    types : iterable of Type
        Types of the inputs.
    function : callable
        Takes one value for each input; returns a value, a tuple or list of values, or None.

    Examples
    --------
    >>> from plait import ir
    >>> t = ir.parse_type("f32[2]")
    >>> print(ir.region("square", [t], lambda x: ir.ops.multiply(x, x)))
    graph square(%arg0: f32[2]) -> (f32[2]) {
      %0: f32[2] = multiply(%arg0, %arg0)
      return %0
    }
    """
    builder = GraphBuilder(name)
    inputs = [builder.input(t) for t in types]
    with builder:
        found = function(*inputs)
    if found is None:
        return builder.build(())
    return builder.build(found if isinstance(found, (tuple, list)) else (found,))
