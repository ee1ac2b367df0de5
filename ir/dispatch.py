"""The one interception point: who runs an op: eager execution, a graph builder, a tape.

Each thread has a stack of interpreters; the innermost runs the op. ``active`` is true while any
thread has one, so that eager fast paths test a single module global.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from plait.ir.types import TensorType, TokenType, Type

if TYPE_CHECKING:
    from plait.ir.op import Op

#: True while any thread has an interpreter on its stack or eager work is redirected to a device.
active: bool = False

_lock = threading.Lock()
_active_count = 0


class Interpreter(Protocol):
    """Runs strict ops on payloads of its own kind."""

    def run(
        self,
        op: Op,
        operands: tuple[Any, ...],
        attributes: Mapping[str, Any],
        regions: tuple[Any, ...],
    ) -> Any:
        """Apply ``op``; one result, or a tuple when the op's ``infer`` returns a tuple."""
        ...


class _Stack(threading.local):
    def __init__(self) -> None:
        self.items: list[Interpreter] = []


_stack = _Stack()


def activate(step: int) -> None:
    """Count a thread's redirection in (+1) or out (-1) of the global ``active`` flag."""
    global active, _active_count
    with _lock:
        _active_count += step
        changed = active != (_active_count > 0)
        active = _active_count > 0
        if changed:
            for watcher in _watchers:
                watcher(active)


_watchers: list[Callable[[bool], None]] = []


def watch(watcher: Callable[[bool], None]) -> None:
    """Call ``watcher(active)`` now and whenever ``active`` changes.

    A hot path keeps a copy of the flag among its module's own globals: half the look-ups.
    """
    with _lock:
        _watchers.append(watcher)
        watcher(active)


@contextmanager
def use(interpreter: Interpreter) -> Iterator[Interpreter]:
    """Let ``interpreter`` run the ops of this thread inside the block."""
    _stack.items.append(interpreter)
    activate(+1)
    try:
        yield interpreter
    finally:
        _stack.items.pop()
        activate(-1)


def interpreters() -> tuple[Interpreter, ...]:
    """This thread's interpreters, outermost first; empty when plain eager."""
    return tuple(_stack.items)


def current() -> Interpreter:
    """The innermost interpreter of this thread; the eager one by default."""
    items = _stack.items
    return items[-1] if items else EAGER


@contextmanager
def suspended() -> Iterator[None]:
    """Run the block eagerly in this thread, whatever is being traced."""
    saved, _stack.items = _stack.items, []
    try:
        yield
    finally:
        _stack.items = saved


_NATIVE = frozenset((np.ndarray, TokenType))
Executor = Callable[["Op", tuple[Any, ...], Mapping[str, Any], tuple[Any, ...]], Any]


class EagerInterpreter:
    """Runs ops at once: on NumPy by the op's reference, elsewhere by a registered executor."""

    def __init__(self) -> None:
        self.executors: dict[type, Executor] = {}

    def register_executor(self, payload: type, executor: Executor) -> None:
        """Let ``executor`` run ops that have an operand of class ``payload``.

        From then on ``active`` stays true: fast paths must not take such an operand for NumPy's.
        """
        if payload not in self.executors:
            activate(+1)
        self.executors[payload] = executor

    def run(
        self,
        op: Op,
        operands: tuple[Any, ...],
        attributes: Mapping[str, Any],
        regions: tuple[Any, ...],
    ) -> Any:
        """Check the types, then run the op on its operands' kind of array."""
        if self.executors:
            for operand in operands:
                executor = self.executors.get(type(operand))
                if executor is not None:
                    return executor(op, operands, attributes, regions)
        arrays = [x if type(x) in _NATIVE else np.asarray(x) for x in operands]
        types: tuple[Type, ...] = tuple(
            [a if type(a) is TokenType else TensorType(a.dtype, a.shape) for a in arrays]
        )
        inferred = op.infer_types(types, attributes, regions)
        if regions:
            results = op.reference(*arrays, regions=regions, **attributes)
        else:
            results = op.reference(*arrays, **attributes)
        if type(results) is tuple:
            return tuple([as_array(r, t) for r, t in zip(results, inferred, strict=True)])
        return as_array(results, inferred[0]) if inferred else None


def as_array(result: Any, expected: Type) -> Any:
    """A reference's result as an ndarray of the inferred dtype (0-d results come as scalars)."""
    if type(result) is np.ndarray or type(expected) is not TensorType:
        return result
    return np.asarray(result, expected.dtype)


EAGER = EagerInterpreter()
