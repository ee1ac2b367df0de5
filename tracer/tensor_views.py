"""Views of traced tensors: a write to one reaches its base and the other views, in SSA."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from plait.ir import Value, dispatch, functions, ops
from plait.ir.errors import ShapeError, TraceError
from plait.ir.location import user_location
from plait.tracer.outcome import Break, stop
from plait.tracer.places import PayloadPlace
from plait.tracer.state import current, note

if TYPE_CHECKING:
    from plait.tracer.tensor_handle import Handle

Forward = Callable[[Any], Any]
Backward = Callable[[Any, Any], Any]


class TracedView:
    """What a traced handle views, and the handles that view it.

    Attributes
    ----------
    parent : Handle or None
        The handle that this one is a view of.
    forward : callable
        Gives this handle's payload from its parent's.
    backward : callable
        Gives the parent's payload from its old one and this handle's.
    children : list of weak references
        The handles that view this one.
    twins : list of Twin
        Handles that share elements with this one, and are no views of it nor it of them.
    maybe : list of weak references
        Handles that share elements with this one or not, which is known at run time only.
    chosen : list of Choice
        Handles of which this one may be the very same, depending on values of the graph.
    choosing : list of weak references
        Handles that this one is among the choices of.
    """

    __slots__ = (
        "backward",
        "children",
        "choosing",
        "chosen",
        "forward",
        "maybe",
        "parent",
        "twins",
    )

    def __init__(
        self,
        parent: Handle | None = None,
        forward: Forward | None = None,
        backward: Backward | None = None,
    ) -> None:
        self.parent = parent
        self.forward = forward
        self.backward = backward
        self.children: list[weakref.ref[Handle]] = []
        self.twins: list[Twin] = []
        self.maybe: list[weakref.ref[Handle]] = []
        self.chosen: list[Choice] = []
        self.choosing: list[weakref.ref[Handle]] = []


@dataclass(frozen=True, slots=True)
class Choice:
    """A handle that another one is where a bool of the graph is ``holds``."""

    handle: Handle
    pred: Value
    holds: bool

    def when(self, also: Any) -> Any:
        """The bool that says that it is, and that another bool holds."""
        mine: Any = self.pred if self.holds else ops.logical_not(self.pred)
        return mine if also is None else ops.logical_and(also, mine)


@dataclass(frozen=True, slots=True)
class Twin:
    """A handle that has elements in common with another one.

    Attributes
    ----------
    handle : Handle
    theirs, mine : ndarray
        Positions of the elements in the other one and in ``handle``, both flat.
    """

    handle: Handle
    theirs: Any
    mine: Any

    def follow(self, payload: Any, written: dict[int, Handle]) -> None:
        """Take over what was written to the other one, whose payload is given."""
        handle = self.handle
        fresh = functions.take(functions.reshape(payload, (-1,)), self.theirs)
        flat = functions.setitem(functions.reshape(handle._data, (-1,)), self.mine, fresh)
        _demand_known(handle)
        note(PayloadPlace(handle))
        handle._data = functions.reshape(flat, handle._data.shape)
        written[id(handle)] = handle
        _refresh(handle, written)


def derive(
    parent: Handle, view: Handle, forward: Forward, backward: Backward | None = None
) -> None:
    """Record that ``view`` is ``forward`` of its parent.

    There are no views of NumPy's scalars, and no tensors that view a caller's array.
    """
    if parent._kind != view._kind or is_scalar(parent):
        return
    view._storage = TracedView(parent, forward, backward or _write_positions(forward))
    if type(parent._data) is Value:
        node = parent._storage
        if node is None:
            node = parent._storage = TracedView()
        node.children = [ref for ref in node.children if ref() is not None]
        node.children.append(weakref.ref(view))
    elif (trace := current()) is not None:
        trace.adopted.note_view(parent, weakref.ref(view))


def _write_positions(forward: Forward) -> Backward:
    """The way back through any view: write its elements at their positions in the parent."""

    def backward(parent: Any, view: Any) -> Any:
        with dispatch.suspended():
            positions = forward(np.arange(parent.size).reshape(parent.shape))
        if np.unique(positions).size < positions.size:
            raise ShapeError(
                "this tensor is a broadcast view, whose elements share memory; copy it first"
            ).at(user_location())
        flat = functions.reshape(parent, (-1,))
        written = functions.setitem(flat, positions.ravel(), functions.reshape(view, (-1,)))
        return functions.reshape(written, parent.shape)

    return backward


def rebind(handle: Handle, payload: Any) -> None:
    """Give a traced handle a new value, and its base and all other views theirs."""
    if handle._kind == "jax":
        raise TraceError(
            "jax arrays are immutable: nothing can be written into them; use x.at[...] outside, "
            "or pass a plait tensor"
        ).at(user_location())
    written = _written(handle, payload)
    for x in list(written.values()):
        _follow_choices(x, written, None, x, True)


def _written(handle: Handle, payload: Any) -> dict[int, Handle]:
    """Write to a handle, its base and all other views; gives them, by identity."""
    written = {id(handle): handle}
    _demand_known(handle)
    note(PayloadPlace(handle))
    handle._data = payload
    node = handle._storage
    while node is not None and node.parent is not None:
        parent = node.parent
        _own(parent)
        _demand_known(parent)
        note(PayloadPlace(parent))
        parent._data = node.backward(parent._data, handle._data)
        handle = parent
        written[id(handle)] = handle
        node = handle._storage
    _refresh(handle, written)
    for twin in node.twins if node is not None else ():
        twin.follow(handle._data, written)
    return written


def _own(handle: Handle) -> None:
    """Make a tensor that is about to be written the trace's own."""
    trace = current()
    if trace is None and type(handle._data) is not Value:
        raise outside(handle)
    if trace is not None and trace.is_outside(handle):
        trace.write_tensor(handle)


def _refresh(handle: Handle, written: dict[int, Handle]) -> None:
    node = handle._storage
    for ref in node.children if node is not None else ():
        child = ref()
        if child is None or not _views(child, handle) or not _is_live(child._data):
            continue
        if id(child) not in written:
            _demand_known(child)
            note(PayloadPlace(child))
            child._data = child._storage.forward(handle._data)
            written[id(child)] = child
        _refresh(child, written)


def _follow_choices(
    x: Handle, first: dict[int, Handle], when: Any, came: Handle, is_down: bool
) -> None:
    """Let a write reach the handles that one may be, and those that may be it.

    Parameters
    ----------
    x : Handle
        What was written.
    first : dict of Handle
        What was written at first, by identity: it is right as it is.
    when : Value or None
        Says when graph runs whether ``x`` was really written; None where it was for certain.
    came : Handle
        Where the write came from.
    is_down : bool
        Whether no way led from a choice to what chooses: that one's other choices are others.
    """
    node = x._storage
    if not isinstance(node, TracedView):
        return
    ways = [(choice.handle, choice, True) for choice in node.chosen if is_down]
    for ref in node.choosing:
        chooser = ref()
        if chooser is not None and _is_live(chooser._data):
            ways += [(chooser, c, False) for c in chooser._storage.chosen if c.handle is x]
    for target, choice, down in ways:
        if id(target) in first or target is came:
            continue
        both = choice.when(when)
        _own(target)
        reached = _written(target, functions.where(both, x._data, target._data))
        for y in reached.values():
            _follow_choices(y, first, both, x, down)


def _is_live(payload: Any) -> bool:
    """Whether a payload can still be used: not that of a view made in a region that has ended."""
    trace = current()
    if trace is None or type(payload) is not Value:
        return True
    while trace is not None:
        if trace.owns(payload):
            return True
        trace = getattr(trace, "parent", None)
    return False


def _views(child: Handle, handle: Handle) -> bool:
    """Whether a child still is a view of a handle."""
    return getattr(child._storage, "parent", None) is handle


# What is known at run time only.


def entangle(a: Handle, b: Handle) -> None:
    """Record that two tensors share elements or not, which is known at run time only.

    Reading them is fine. When one is written in place while the other lives, no graph can follow.
    """
    if a is b or (_is_immutable(a) and _is_immutable(b)):
        return
    if {a._kind, b._kind} & {"number", "jax"}:
        return
    for x, y in ((a, b), (b, a)):
        known = _node(x).maybe
        if not any(ref() is y for ref in known):
            known.append(weakref.ref(y))


def choose(made: Handle, source: Handle, pred: Value, holds: bool) -> None:
    """Record that a fresh tensor is another one where ``pred`` is ``holds``: writes reach both."""
    _node(made).chosen.append(Choice(source, pred, holds))
    _node(source).choosing.append(weakref.ref(made))


def stand_for(made: Handle, source: Handle) -> None:
    """Record that a tensor may be another one, or what that one views or may be.

    The other one may go away; what it may have been lives on.
    """
    others: dict[int, Handle] = {}
    pending = [source]
    while pending:
        x = pending.pop()
        others[id(x)] = x
        node = getattr(x, "_storage", None)
        if isinstance(node, TracedView):
            near = [ref() for ref in (*node.maybe, *node.choosing)]
            others |= {id(y): y for y in near if y is not None}
            pending += _below(node)
    for y in others.values():
        entangle(made, y)


def _below(node: TracedView) -> list[Handle]:
    """What a handle is a view of, and what it may be."""
    parents = [node.parent] if node.parent is not None else []
    return [*parents, *(choice.handle for choice in node.chosen)]


def relatives(handle: Handle) -> dict[int, Handle]:
    """The tensors that one is a view of or may be, itself included, by identity."""
    found: dict[int, Handle] = {}
    pending = [handle]
    while pending:
        x = pending.pop()
        if id(x) in found:
            continue
        found[id(x)] = x
        node = getattr(x, "_storage", None)
        if isinstance(node, TracedView):
            near = [ref() for ref in (*node.maybe, *node.choosing)]
            pending += [*_below(node), *(y for y in near if y is not None)]
    return found


def _is_immutable(x: Handle) -> bool:
    return x._kind in ("number", "jax") or is_scalar(x)


def is_scalar(x: Handle) -> bool:
    """Whether a traced handle stands for a scalar of NumPy, not for an array without axes.

    An array is what others may view.
    """
    is_flat = x._kind == "ndarray" and not x._data.ndim
    return is_flat and not isinstance(getattr(x, "_storage", None), TracedView)


def as_array(x: Handle) -> None:
    """Let a traced handle of an ndarray stand for an array, also without axes."""
    if is_scalar(x):
        x._storage = TracedView()


def _node(x: Handle) -> TracedView:
    if type(x._data) is not Value:  # from outside: it gets its storage back at the end
        current().write_tensor(x)
    if not isinstance(x._storage, TracedView):
        x._storage = TracedView()
    return x._storage


def _demand_known(handle: Handle) -> None:
    """Break the graph at a write that reaches another tensor or not; rely on layouts that tell."""
    trace = current()
    if trace is not None:
        trace.root.layouts.written(handle)
    node = handle._storage
    if isinstance(node, TracedView) and any(ref() is not None for ref in node.maybe):
        raise stop(
            current(),
            Break(
                "a tensor is written in place that may be, or share memory with, another one, "
                "depending on a tensor's value or on the trips of a loop; copy it there"
            ),
        )


def outside(handle: Handle) -> TraceError:
    """The error for a write, while tracing, to a tensor that was made outside."""
    data = handle._data
    return TraceError(
        f"a compiled function cannot write into a tensor made outside of it "
        f"({data.dtype.name}, shape {tuple(data.shape)}); pass it as an argument, or keep the "
        "state in a pl.Variable and assign to that"
    ).at(user_location())
