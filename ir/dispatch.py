"""The one interception point: who runs an op: eager execution, a graph builder; tapes look on.

Each thread has a stack of interpreters; the innermost runs the op. Beside it stand its tapes, which
see every op on its way to the interpreter, the innermost tape first. ``active`` is true while any
thread has an interpreter or a tape, so that eager fast paths test a single module global.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from threading import get_ident
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from plait.ir.types import DType, TensorType, TokenType, Type

if TYPE_CHECKING:
    from plait.ir.op import Op

#: True while any thread has an interpreter on its stack or eager work is redirected to a device.
active: bool = False

#: True while any thread has a tape.
recording: bool = False

#: The threads, by number, that run derivative rules on arrays whose types are known to be right.
trusting: set[int] = set()

_lock = threading.Lock()
_active_count = 0
_tape_count = 0


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


class Tape(Protocol):
    """Sees the ops of its thread on their way to the interpreter."""

    def run(
        self,
        op: Op,
        operands: tuple[Any, ...],
        attributes: Mapping[str, Any],
        regions: tuple[Any, ...],
        level: int,
    ) -> Any:
        """Apply ``op`` by the ``level`` tapes below and the interpreter."""
        ...

    def apply(self, function: Any, operands: tuple[Any, ...], level: int) -> tuple[Any, ...]:
        """Apply a ``Differentiable``, likewise."""
        ...


class _Thread:
    """What one thread runs on."""

    __slots__ = ("items", "only", "tapes")

    def __init__(self) -> None:
        self.items: list[Interpreter] = []
        self.tapes: list[Tape] = []
        self.only: Any = None

    def settle(self) -> None:
        """Find out whether one tape alone, that notes arrays, sees what this thread does."""
        tapes = self.tapes
        one = len(tapes) == 1 and not self.items
        self.only = tapes[0] if one and getattr(tapes[0], "notes_arrays", False) else None


class _Local(threading.local):
    def __init__(self) -> None:
        self.thread = _Thread()


_local = _Local()


def activate(step: int, tapes: int = 0) -> None:
    """Count a thread's redirection in (+1) or out (-1) of the global ``active`` flag."""
    global active, recording, _active_count, _tape_count
    with _lock:
        _active_count += step
        if tapes:
            _tape_count += tapes
            recording = _tape_count > 0
        found = _active_count > 0
        if found is not active:
            active = found
            for watcher in _watchers:
                watcher(found)


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
    thread = _local.thread
    thread.items.append(interpreter)
    thread.only = None
    activate(+1)
    try:
        yield interpreter
    finally:
        thread.items.pop()
        thread.settle()
        activate(-1)


def interpreters() -> tuple[Interpreter, ...]:
    """This thread's interpreters, outermost first; empty when plain eager."""
    return tuple(_local.thread.items)


def current() -> Interpreter:
    """The innermost interpreter of this thread; the eager one by default."""
    items = _local.thread.items
    return items[-1] if items else EAGER


def is_eager() -> bool:
    """Whether this thread's ops run at once, on the host, whatever is traced further out."""
    items = _local.thread.items
    return not items or items[-1] is EAGER


def innermost() -> Interpreter | None:
    """The innermost interpreter of this thread; None when plain eager."""
    items = _local.thread.items
    return items[-1] if items else None


@contextmanager
def suspended() -> Iterator[None]:
    """Run the block eagerly in this thread, whatever is being traced or recorded."""
    thread = _local.thread
    saved, tapes = thread.items, thread.tapes
    thread.items, thread.tapes = [], []
    thread.settle()
    try:
        yield
    finally:
        thread.items, thread.tapes = saved, tapes
        thread.settle()


# Tapes.


class _Recorded:
    """A block that a tape sees."""

    __slots__ = ("_tape",)

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def __enter__(self) -> None:
        thread = _local.thread
        thread.tapes = [*thread.tapes, self._tape]
        thread.settle()
        activate(+1, tapes=+1)

    def __exit__(self, *_: object) -> None:
        thread, tape = _local.thread, self._tape
        tapes = thread.tapes
        if tapes and tapes[-1] is tape:
            thread.tapes = tapes[:-1]
        else:
            thread.tapes = [other for other in tapes if other is not tape]
        thread.settle()
        activate(-1, tapes=-1)


def record(tape: Tape) -> AbstractContextManager[None]:
    """Let a tape see the ops of this thread inside the block."""
    return _Recorded(tape)


class _Paused:
    """A block that a tape does not see."""

    __slots__ = ("_saved", "_tape")

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def __enter__(self) -> None:
        self._saved = _local.thread.tapes
        _set_tapes([other for other in self._saved if other is not self._tape])

    def __exit__(self, *_: object) -> None:
        _set_tapes(self._saved)


def paused(tape: Tape) -> AbstractContextManager[None]:
    """Let a tape of this thread see nothing inside the block."""
    return _Paused(tape)


@contextmanager
def below(level: int) -> Iterator[None]:
    """Let only the outermost ``level`` tapes of this thread see what the block runs."""
    saved = _local.thread.tapes
    _set_tapes(saved[:level])
    try:
        yield
    finally:
        _set_tapes(saved)


def _set_tapes(tapes: list[Tape]) -> None:
    thread = _local.thread
    thread.tapes = tapes
    thread.settle()


def only_tape() -> Any:
    """The tape that alone sees what this thread does, and notes arrays; None for any other case."""
    return _local.thread.only


def is_plain() -> bool:
    """Whether this thread runs ops at once and nothing looks on."""
    thread = _local.thread
    return not thread.items and not thread.tapes


def trust(is_trusted: bool) -> None:
    """Say whether the next ops of this thread run without a look at their operands.

    For derivative rules, which are written to fit: on ndarrays, where nothing looks on.
    """
    if is_trusted:
        trusting.add(get_ident())
    else:
        trusting.discard(get_ident())


def tapes() -> list[Tape]:
    """This thread's tapes, outermost first; not to be changed."""
    return _local.thread.tapes


def depth() -> int:
    """How many interpreters this thread has, without those that only move eager work."""
    items = _local.thread.items
    return len([one for one in items if not hasattr(one, "place")]) if items else 0


def run_at(
    level: int,
    op: Op,
    operands: tuple[Any, ...],
    attributes: Mapping[str, Any],
    regions: tuple[Any, ...],
) -> Any:
    """Apply an op by the outermost ``level`` tapes and the interpreter."""
    if level:
        return _local.thread.tapes[level - 1].run(op, operands, attributes, regions, level - 1)
    return current().run(op, operands, attributes, regions)


def apply_at(level: int, function: Any, operands: tuple[Any, ...]) -> tuple[Any, ...]:
    """Apply a ``Differentiable`` by the outermost ``level`` tapes; below them it runs."""
    if level:
        return _local.thread.tapes[level - 1].apply(function, operands, level - 1)
    results: tuple[Any, ...] = function.apply(operands)
    return results


def apply(function: Any, operands: tuple[Any, ...]) -> tuple[Any, ...]:
    """Apply a ``Differentiable`` to payloads, seen by all tapes of this thread."""
    return apply_at(len(_local.thread.tapes), function, operands)


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
        if op.quick is not None and not attributes:
            dtype = _quick_dtype(op, operands)
            if dtype is not None:
                found = op.reference(*operands)
                return found if type(found) is np.ndarray else np.asarray(found, dtype)
        arrays = [x if type(x) in _NATIVE else np.asarray(x) for x in operands]
        types: tuple[Type, ...] = tuple(
            [a if type(a) is TokenType else TensorType(a.dtype, a.shape) for a in arrays]
        )
        inferred = op.infer_types(types, attributes, regions)
        if regions:
            results = op.reference(*arrays, regions=regions, **attributes)
        else:
            results = op.reference(*arrays, **attributes)
        return as_arrays(results, inferred)


def _quick_dtype(op: Op, operands: tuple[Any, ...]) -> DType | None:
    """The result's dtype where the operands are arrays of equal type, else None."""
    if len(operands) != op.arity or type(operands[0]) is not np.ndarray:
        return None
    first = operands[0]
    if op.arity == 2:
        second = operands[1]
        if (
            type(second) is not np.ndarray
            or first.dtype is not second.dtype
            or first.shape != second.shape
        ):
            return None
    return op.quick.get(first.dtype)  # type: ignore[union-attr]


def as_arrays(results: Any, expected: tuple[Type, ...]) -> Any:
    """What a reference gives as ndarrays of the inferred dtypes."""
    if type(results) is tuple:
        return tuple([as_array(r, t) for r, t in zip(results, expected, strict=True)])
    return as_array(results, expected[0]) if expected else None


def as_array(result: Any, expected: Type) -> Any:
    """A reference's result as an ndarray of the inferred dtype (0-d results come as scalars)."""
    if type(result) is np.ndarray or type(expected) is not TensorType:
        return result
    return np.asarray(result, expected.dtype)


EAGER = EagerInterpreter()
