"""The builder of a branch or a loop's body: closed, what it uses from around it is an operand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plait.ir import Graph, GraphBuilder, TensorType, Value, dispatch
from plait.ir.location import user_location
from plait.tracer.outcome import Restart, stop
from plait.tracer.places import Journal
from plait.tracer.tensor import Tensor
from plait.tracer.trace import Trace


class Region(Trace):
    """The builder of one region of control flow, inside a trace or another region.

    Parameters
    ----------
    parent : Trace
    name : str
    restart : hashable, optional
        The decision to trace again with when a number that the region carries must be known.

    Attributes
    ----------
    outers : list of Value
        Values of the parent that the region uses, in the order of ``captured``.
    captured : list of Value
        The inputs that stand for them.
    length : Value or None
        Of a loop whose number of iterations is computed, that number.
    diverged : bool
        Whether the code of the region ends in an exception.
    begins : dict
        What the inputs that a loop carries hold before it, where that is known.
    other : Region or None
        Of a second branch, the first one.
    movable : dict
        Iterators, files and arrays that the code of the region has made, by identity.
    """

    def __init__(self, parent: Trace, name: str, restart: Any = None) -> None:
        GraphBuilder.__init__(self, name, locate=user_location)
        self.parent = parent
        self.provenance = parent.provenance
        self.adopted = parent.adopted
        self.outer = []
        self.journal = Journal()
        self.is_lazy = parent.is_lazy
        self.restart = restart
        self.length: Value | None = None
        self.outers: list[Value] = []
        self.captured: list[Value] = []
        self.diverged = False
        self.other: Region | None = None
        self.begins: dict[Value, Any] = {}
        self.movable: dict[int, Any] = {}
        self._known: dict[Value, Value] = {}
        self._sources: dict[Value, Value] = {}
        self._numbers = {}
        self._arrays = []
        self._met = {}

    @property
    def root(self) -> Trace:
        """The trace that it is part of."""
        return self.parent.root

    # Opening and closing.

    def open(self) -> None:
        """Let the ops of this thread be written down here."""
        self.root.regions.append(self)
        self.__enter__()

    def leave(self) -> None:
        """Let the ops of this thread be written down in the parent again."""
        GraphBuilder.__exit__(self, None, None, None)
        self.root.regions.pop()

    def again(self) -> Any:
        """A context in which further ops are written down here, after ``leave``."""
        return dispatch.use(self)

    # What a region takes from around it.

    @property
    def captures(self) -> Any:  # type: ignore[override]
        """Those of the whole trace."""
        return self.root.captures

    @property
    def needed(self) -> Any:  # type: ignore[override]
        """The numbers that the whole trace needs."""
        return self.root.needed

    def lift_foreign(self, value: Value) -> Value:
        """The input that stands for a value of a trace or a region around this one."""
        known = self._known.get(value)
        if known is None:
            outer = value if self.parent.owns(value) else self.parent.lift_foreign(value)
            known = self._known.get(outer)
            if known is None:
                known = self.input(outer.type, f"outer{len(self.outers)}")
                self.outers.append(outer)
                self.captured.append(known)
                self._sources[known] = outer
                self._known[outer] = known
            self._known[value] = known
        return known

    def read_tensor(self, handle: Tensor) -> Value:
        """A tensor made outside of the trace."""
        return self.lift(self.root.read_tensor(handle))

    def is_outside(self, handle: Any) -> bool:
        """Whether a tensor's elements are not those of the whole trace."""
        return self.root.is_outside(handle)

    def write_tensor(self, handle: Tensor) -> None:
        """Make a tensor from outside the trace's own."""
        self.root.write_tensor(handle)

    def read_variable(self, variable: Any) -> Any:
        """The current value of a variable."""
        return self.lift(self.root.read_variable(variable))

    def _state(self, variable: Any) -> Any:
        return self.root._state(variable)

    def variable_made(self, variable: Any) -> None:
        """Note that the function being traced makes a variable."""
        self.root.variable_made(variable)

    def outside_value(self, handle: Tensor) -> Any:
        """The array from outside that a tracer stands for; the tracer itself when none is."""
        return self.root.outside_value(handle)

    def number(self, type_: TensorType, name: str, position: int = 0) -> Value:
        """An input for a Python number that the region carries."""
        value = self.input(type_, name)
        self._numbers[value] = position
        return value

    def number_needed(self, value: Value) -> None:
        """Trace again without the region, or with the number static, where that makes it known.

        Raises
        ------
        Restart
            The region carries the number, and can be unrolled.
        NumberNeeded
            It is computed from arguments alone.
        """
        pending, seen = [value], {value}
        while pending:
            v = pending.pop()
            if v in self._numbers:
                if self.restart is None:
                    continue
                raise stop(self, Restart(self.restart, "a number of the loop must be known"))
            if not self.owns(v):
                self.parent.number_needed(v)
            elif v.node is None:
                outer = self.outer_of(v)
                if outer is None:
                    continue
                self.parent.number_needed(outer)
            else:
                fresh = [x for x in v.node.operands if x not in seen]
                seen.update(fresh)
                pending.extend(fresh)

    def avoid(self, reason: str) -> None:
        """Trace again without this region, where that can be.

        Raises
        ------
        Restart, NumberNeeded
            It is a loop that can be unrolled, or whose length is a number of the arguments.
        """
        if self.restart is not None:
            raise stop(self, Restart(self.restart, reason))
        if self.length is not None:
            self.parent.number_needed(self.length)

    def outer_of(self, value: Value) -> Value | None:
        """The value of the parent that an input stands for; None for any other value."""
        return self._sources.get(value)

    # Closing.

    def finish(self) -> None:
        """Make inputs of arrays that live on outside: they may change from call to call."""
        for met, node in self._arrays:
            array, value = met.now(), node.results[0]
            if array is None or value.node is None:
                continue
            outer = self.parent.lift(array)
            object.__setattr__(value, "node", None)
            object.__setattr__(value, "name", f"outer{len(self.outers)}")
            self.nodes.remove(node)
            self.inputs.append(value)
            self.outers.append(outer)
            self.captured.append(value)
            self._sources[value] = outer
            self._known.setdefault(outer, value)

    def graph(self, inputs: Sequence[Value], outputs: Sequence[Value]) -> Graph:
        """The region with its inputs in the order given."""
        for i, value in enumerate(inputs):
            object.__setattr__(value, "index", i)
        return Graph(self.name, tuple(inputs), tuple(self.nodes), tuple(outputs))


def join_captures(regions: Sequence[Region]) -> list[Value]:
    """Let regions capture the same values in the same order; gives those of the parent."""
    outers: dict[Value, None] = {}
    for region in regions:
        outers.update(dict.fromkeys(region.outers))
    for region in regions:
        region.captured = [region.lift_foreign(v) for v in outers]
        region.outers = list(outers)
    return list(outers)


__all__ = ["Region", "join_captures"]
