"""A captured function called in a trace: what it reads and changes outside is the trace's, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from plait.ir import Value
from plait.tracer.control import writes
from plait.tracer.control.text import Text
from plait.tracer.effects import Effect, Making
from plait.tracer.guards import Guard
from plait.tracer.paths import Argument, Attr, Cell, Class, Global, Held, Item, Path
from plait.tracer.places import (
    AttrPlace,
    CellPlace,
    ContentPlace,
    GlobalPlace,
    Place,
)
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_handle import wrap
from plait.tracer.trace import Capture, TracedFunction


class Inner:
    """One call of a captured function inside a trace.

    Parameters
    ----------
    trace : Trace
        The one around it.
    traced : TracedFunction
    leaves : sequence
        The leaves of its arguments.
    found : tuple
        What its paths lead to.
    is_inside : bool
        Whether it is a method that was first asked for while tracing.
    """

    def __init__(
        self,
        trace: Any,
        traced: TracedFunction,
        leaves: Sequence[Any],
        found: tuple[Any, ...],
        is_inside: bool = False,
    ) -> None:
        self._is_inside = is_inside
        self.trace = trace
        self.provenance = trace.root.provenance
        self.leaves = leaves
        self.traced = traced
        self.sources = found[: len(traced.captures)]
        self.objects = found[len(traced.captures) :]
        self._inherit()

    # What it reads.

    def _inherit(self) -> None:
        """Guard for the trace what the captured function is guarded by, where that is outside."""
        for guard in self.traced.guards:
            path = self._rebased(guard.path)
            if path is None:
                continue
            expected = guard.expected
            if isinstance(expected, Path):
                expected = self._rebased(expected)
                if expected is None:
                    continue
            made = Guard(path, guard.kind, expected, guard.location)
            self.provenance.guards.setdefault(made.key, made)
        paths = [capture.path for capture in self.traced.captures]
        for path, value in zip(paths, self.sources, strict=True):
            self._register(path, value)
        for path, value in zip(self.traced.found, self.objects, strict=True):
            self._register(path, value)

    def _register(self, path: Path | None, value: Any) -> None:
        rebased = None if path is None else self._rebased(path)
        if rebased is not None and not isinstance(value, (bool, int, float, complex)):
            self.provenance.root(value, rebased)

    def _rebased(self, path: Path) -> Path | None:
        """The same way for the trace; None where the trace made or changed what is on it."""
        if isinstance(path, Argument):
            root: Path | None = self.provenance.path_of(self.leaves[path.position])
            return root
        place = self._place(path)
        if place is not None and self.provenance.is_written(place):
            return None
        if path.parent is None:
            return path if not path.text or type(path) in (Global, Cell) else self._held(path)
        parent = self._rebased(path.parent)
        if parent is None or parent is path.parent:
            return None if parent is None else path
        if isinstance(path, Attr):
            return Attr(parent, path.name)
        if isinstance(path, Item):
            return Item(parent, path.index)
        return Class(parent)

    def _held(self, path: Path) -> Path | None:
        try:
            value = path.find(self.leaves)
        except Exception:
            return None
        known: Path | None = self.provenance.path_of(value)
        if known is None and self._is_inside and isinstance(path, Held) and path.is_weak:
            return None  # the trace has made the object whose method is called
        return known or path

    def _place(self, path: Path) -> Place | None:
        if isinstance(path, Global):
            return GlobalPlace(path.namespace, path.name)
        if isinstance(path, Cell):
            return CellPlace(path.cell, path.text)
        if path.parent is None or not isinstance(path, (Attr, Item)):
            return None
        try:
            owner = path.parent.find(self.leaves)
        except Exception:
            return None
        return AttrPlace(owner, path.name) if isinstance(path, Attr) else ContentPlace(owner)

    def operand(self, capture: Capture, source: Any) -> Any:
        """What stands in the trace for something that the captured function takes from outside."""
        if capture.kind == "variable":
            return self.trace.read_variable(source)
        if capture.kind == "number" and capture.path is not None:
            path = self._rebased(capture.path)
            found = source if path is None else self.provenance.read(path, source)
            if type(found) is Tensor:
                return self.trace.lift(found._data)
            return self.trace.lift(np.asarray(found, capture.type.dtype))
        if isinstance(source, np.ndarray):
            source = self.provenance.stand_in(source)
        if type(source) is Tensor:
            data = source._data
            return self.trace.lift(data) if type(data) is Value else self.trace.read_tensor(source)
        return self.trace.lift(source)

    # What it gives and changes.

    def result(self, output: Any, results: tuple[Any, ...]) -> Any:
        """The value of one leaf of the result."""
        if output.kind == "argument":
            return self.leaves[output.index]
        if output.kind == "outside":
            return self.provenance.stand_in(self.objects[output.index])
        if output.kind in ("static", "made"):
            return output.value
        if output.kind == "array":
            return output.value.copy()
        if output.kind == "text":
            text, count = output.value
            return Text(text, results[output.index : output.index + count])
        return wrap(results[output.index], output.kind)

    def replay(self, effect: Effect, making: Making) -> None:
        """Make a change as captured code does: noted, to be made again at each call."""
        target = self.objects[effect.target]
        if effect.kind == "tensor":
            assert effect.value is not None
            self.provenance.stand_in(target)[...] = making.make(effect.value)
        elif effect.kind == "item" and effect.value is not None:
            writes.set_item(target, effect.name, making.make(effect.value))
        else:
            self._note(effect, target)
            effect.apply(making)

    def _note(self, effect: Effect, target: Any) -> None:
        kind = effect.kind
        if kind == "cell":
            self.provenance.cells.add(id(target))
        if kind in ("attribute", "global", "cell"):
            place: Any = {"attribute": AttrPlace, "global": GlobalPlace, "cell": CellPlace}[kind]
            self.trace.note(place(target, effect.name))
        else:
            self.trace.note(ContentPlace(target))
            self.provenance.note_edit(target, () if kind == "extend" else None)


__all__ = ["Inner"]
