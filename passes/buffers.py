"""Which values share memory: a plan's buffers, their lifetimes, and who may write over whom."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from plait.ir import Node, TensorType, Trait, Value
from plait.passes.scheduling import aliased_operands, is_literal, value_bytes


@dataclass(eq=False)
class Buffer:
    """Memory that one value, or several one after the other, occupy.

    Attributes
    ----------
    kind : str
        ``"arena"`` (may get a slot), ``"own"`` (allocated by the op), ``"input"``, ``"donated"``,
        ``"literal"`` or ``"none"`` (tokens and host bytes).
    nbytes, born, last : int
        Size; the step that first writes it; the last step that reads it.
    index : int
        The input's index.
    output : int or None
        The output that it becomes.
    takes_over : Buffer or None
        The donated input's buffer that it is.
    """

    kind: str
    nbytes: int
    born: int
    last: int
    index: int = -1
    output: int | None = None
    takes_over: Buffer | None = None


class Layouts:
    """Strides of values as NumPy will make them, found by running view ops on scratch memory."""

    def __init__(self, nbytes: int) -> None:
        self._memory = np.empty(nbytes, np.uint8)  # never written, so never really there
        self._arrays: dict[Value, Any] = {}
        self._unknown: set[Value] = set()

    def array(self, value: Value) -> Any:
        """A stand-in for a value: contiguous unless it is a view."""
        found = self._arrays.get(value)
        if found is None:
            shape: Any = value.shape
            found = np.ndarray(shape, value.dtype, self._memory)
            self._arrays[value] = found
        return found

    def is_view(self, node: Node, operand: int) -> bool:
        """Whether result 0 shares the operand's memory; remembers its strides."""
        value = node.operands[operand]
        if len(node.operands) > 1 or value in self._unknown:
            self._unknown.add(node.results[0])  # depends on numbers that are not known yet
            return True
        result = node.op.reference(self.array(value), **node.attributes)
        if not np.may_share_memory(result, self._memory):
            return False
        self._arrays[node.results[0]] = result
        return True

    def same(self, value: Value, other: Value) -> None:
        """Give a value the strides of another."""
        self._arrays[value] = self.array(other)
        if other in self._unknown:
            self._unknown.add(value)

    def is_whole(self, value: Value, nbytes: int) -> bool:
        """Whether a value's elements are those of a buffer of so many bytes, in order."""
        if value in self._unknown or value_bytes(value.type) != nbytes:
            return False
        array = self._arrays.get(value)
        return array is None or (array.flags.c_contiguous and array.flags.writeable)


@dataclass
class Buffers:
    """The buffer of each value, built step by step."""

    layouts: Layouts
    last_use: dict[Value, int]
    of: dict[Value, Buffer] = field(default_factory=dict)
    seen: list[Buffer] = field(default_factory=list)

    def add(self, value: Value, kind: str, born: int, index: int = -1) -> Buffer:
        """A new buffer for a value."""
        if type(value.type) is not TensorType:
            kind = "none"
        nbytes = value_bytes(value.type)
        last = max(self.last_use.get(value, born), born)
        buffer = Buffer(kind, nbytes, born, last, index)
        self.of[value] = buffer
        self.seen.append(buffer)
        return buffer

    def join(self, value: Value, buffer: Buffer) -> None:
        """A value in a buffer that is there already."""
        self.of[value] = buffer
        buffer.last = max(buffer.last, self.last_use.get(value, -1))

    def refusal(
        self, node: Node, operand: int, step: int, outputs: Container[Value], kept_for: int | None
    ) -> str | None:
        """Why result 0 cannot take over an operand's buffer; None when it can."""
        value, result = node.operands[operand], node.results[0]
        buffer = self.of[value]
        if buffer.kind == "literal":
            return f"operand {operand} is a constant"
        if buffer.kind == "input":
            return f"operand {operand} is an input that the caller keeps"
        if buffer.last > step:
            late = "it is an output" if value in outputs else "it, or a view of it, is read later"
            return f"operand {operand} is still needed: {late}"
        if kept_for is not None:
            return f"operand {operand}'s buffer is kept for output {kept_for}"
        fits = value_bytes(result.type) == buffer.nbytes and value.shape == result.shape
        if not fits or buffer.nbytes == 0:
            return f"operand {operand} and the result differ in size"
        if not self.layouts.is_whole(value, buffer.nbytes):
            return f"operand {operand} is a view of a part, or in another order"
        for other, v in enumerate(node.operands):
            if self.of[v] is buffer and v is not value:
                return f"operand {other} is another view of operand {operand}'s buffer"
            if v is value and other not in node.op.overwrites:
                return f"operand {other} is the same value and must stay readable"
        return None


def result_kind(node: Node, spread: Container[Node]) -> str:
    """Where results that share no operand's memory can live."""
    if is_literal(node, spread):
        return "literal"
    return "own" if node.op.into is None or node.regions else "arena"


def shared_operands(node: Node, layouts: Layouts) -> list[int | None]:
    """For each result, the operand whose memory it shares as the strides are."""
    found = aliased_operands(node)
    first = found[0] if found else None
    if first is not None and node.op.view is not None and not layouts.is_view(node, first):
        found[0] = None
    if Trait.BARRIER in node.op.traits:
        for value, operand in zip(node.results, node.operands, strict=True):
            if type(value.type) is TensorType:
                layouts.same(value, operand)
    return found
