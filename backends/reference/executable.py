"""A graph run node by node, as an executable: outputs are the caller's own arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from plait.ir import Graph, TensorType, Value, evaluate, live_bytes, nested_graphs
from plait.ir.errors import UnknownNameError


class ReferenceExecutable:
    """A graph that runs by ``plait.ir.evaluate``.

    Attributes
    ----------
    backend : str
    graph : Graph
    """

    backend = "reference"
    __slots__ = ("graph",)

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def __call__(self, *arrays: Any) -> Sequence[Any]:
        """Run on flat arrays of exactly the graph's input types; the outputs share no memory."""
        inputs = [a if type(a) is np.ndarray else _as_array(a) for a in arrays]
        return _own(evaluate(self.graph, inputs), inputs)

    def memory_analysis(self) -> Mapping[str, int]:
        """Bytes of ``arguments``, ``outputs``, ``temporaries``, ``aliases``, and their ``total``.

        Temporaries are the most that lives at once, a value being freed after its last use.
        """
        arguments = sum(map(_nbytes, self.graph.inputs))
        outputs = sum(map(_nbytes, self.graph.outputs))
        temporaries = _temporaries(self.graph)
        total = arguments + outputs + temporaries
        return {
            "arguments": arguments,
            "outputs": outputs,
            "temporaries": temporaries,
            "aliases": 0,
            "total": total,
        }

    def as_text(self, form: str = "ir") -> str:
        """The graph's own text: there is no other form."""
        if form != "ir":
            raise UnknownNameError(f"a reference executable has the form 'ir', not {form!r}")
        return self.graph.as_text()

    def __repr__(self) -> str:
        return f"<ReferenceExecutable {self.graph.name}>"


def _as_array(array: Any) -> Any:
    """An ndarray on the same memory where possible; tokens and host bytes as they are."""
    return np.asarray(array) if hasattr(array, "__array__") else array


def _own(outputs: Sequence[Any], inputs: Sequence[Any]) -> tuple[Any, ...]:
    """Copies of those outputs that are views, read-only, an input, or another output."""
    taken = {id(a) for a in inputs}
    owned: list[Any] = []
    for array in outputs:
        made = array
        if type(array) is np.ndarray and (
            array.base is not None or not array.flags.writeable or id(array) in taken
        ):
            made = array.copy()
        taken.add(id(made))
        owned.append(made)
    return tuple(owned)


def _nbytes(value: Value) -> int:
    type_ = value.type
    return type_.nbytes if type(type_) is TensorType and type_.is_static else 0


def _temporaries(graph: Graph) -> int:
    """The peak of live bytes beyond the outputs, regions included while their node runs."""
    peaks: dict[Graph, int] = {}
    for inner in nested_graphs(graph):
        live = live_bytes(inner)
        during = [
            bytes_ + max([peaks[r] for r in node.regions], default=0)
            for node, bytes_ in zip(inner.nodes, live, strict=True)
        ]
        made = {v for v in inner.outputs if v.node is not None and v.node.operands}
        peaks[inner] = max(max(during, default=0) - sum(map(_nbytes, made)), 0)
    return peaks[graph]
