"""Every exception that Plait raises on purpose, so that callers can catch by class."""

from __future__ import annotations

from typing import Any as _Any
from typing import Self as _Self

__all__ = [
    "AxisError",
    "BackendError",
    "CheckError",
    "DTypeError",
    "DeviceError",
    "DivisionError",
    "GraphBreakWarning",
    "GraphError",
    "IndexOutOfRangeError",
    "LeakedTracerError",
    "LoopCapacityError",
    "MissingPackageError",
    "ParseError",
    "PassError",
    "PlaitError",
    "PlaitWarning",
    "RangeError",
    "RetraceError",
    "SaveError",
    "SavedFileError",
    "ShapeError",
    "SignatureError",
    "TargetError",
    "TraceError",
    "UnknownNameError",
    "VerificationError",
]


def __dir__() -> list[str]:
    return list(__all__)


class PlaitError(Exception):
    """Base of all of Plait's errors.

    Parameters
    ----------
    message : str
        What was wrong and what to do about it.
    location : Location or None
        The user's file and line, shown after the message when known.

    Examples
    --------
    >>> issubclass(pl.errors.PlaitError, Exception)
    True
    """

    location: _Any = None
    details: tuple[_Any, ...] = ()  # the numbers of a failed check

    def __init__(self, message: str = "", location: _Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.location = location

    def at(self, location: _Any) -> _Self:
        """Attach the user's location, unless one is known already."""
        if self.location is None:
            self.location = location
        return self

    def __str__(self) -> str:
        where = f"\n  at {self.location}" if self.location is not None else ""
        return f"{self.message}{where}"

    def __reduce__(self) -> tuple[_Any, ...]:
        return (type(self), (self.message, self.location))


class PlaitWarning(UserWarning):
    """Base of all of Plait's warnings.

    Examples
    --------
    >>> issubclass(pl.errors.PlaitWarning, UserWarning)
    True
    """


class GraphBreakWarning(PlaitWarning):
    """A compiled function that runs in segments, because it cannot be captured as one graph.

    Examples
    --------
    >>> issubclass(pl.errors.GraphBreakWarning, pl.errors.PlaitWarning)
    True
    """


class ShapeError(PlaitError, ValueError):
    """Shapes, ranks, axes or sizes that do not fit together.

    Examples
    --------
    >>> pl.add([1.0, 2.0], [1.0, 2.0, 3.0])
    Traceback (most recent call last):
        ...
    plait.ir.errors.ShapeError: ...
    """


class AxisError(ShapeError, IndexError):
    """An axis that a tensor does not have.

    Examples
    --------
    >>> pl.sum([1, 2], axis=3)
    Traceback (most recent call last):
        ...
    plait.ir.errors.AxisError: ...
    """


class RangeError(ShapeError, OverflowError):
    """A Python number that is too large for what it is to be: a size, a position, a count.

    Examples
    --------
    >>> issubclass(pl.errors.RangeError, OverflowError)
    True
    """


class DTypeError(PlaitError, TypeError):
    """A dtype that an operation does not take, or operands of the wrong kind.

    Examples
    --------
    >>> pl.bitwise_and([1.0], [2.0])
    Traceback (most recent call last):
        ...
    plait.ir.errors.DTypeError: ...
    """


class IndexOutOfRangeError(PlaitError, IndexError):
    """An index outside the range that it indexes, eager or compiled.

    Examples
    --------
    >>> pl.gather([0, 1, 2], 7)
    Traceback (most recent call last):
        ...
    plait.ir.errors.IndexOutOfRangeError: ...
    """


class CheckError(PlaitError, AssertionError):
    """An assertion on tensor values that failed, eager or compiled.

    Examples
    --------
    >>> issubclass(pl.errors.CheckError, AssertionError)
    True
    """


class LoopCapacityError(PlaitError, RuntimeError):
    """A differentiated loop made more trips than its buffers hold.

    Who runs such a graph catches it, differentiates again with room for ``trips``, and runs again.

    Examples
    --------
    >>> issubclass(pl.errors.LoopCapacityError, RuntimeError)
    True
    """

    @property
    def trips(self) -> int:
        """How many trips the loop made; 0 when that is not known."""
        return int(self.details[0]) if self.details else 0


class DivisionError(PlaitError, ZeroDivisionError):
    """A Python number divided by one that is 0, in a compiled function.

    Examples
    --------
    >>> issubclass(pl.errors.DivisionError, ZeroDivisionError)
    True
    """


class UnknownNameError(PlaitError, ValueError):
    """A name (pass, op, backend, attribute, dtype) that does not exist.

    Examples
    --------
    >>> pl.ones((2,), dtype="float31")
    Traceback (most recent call last):
        ...
    plait.ir.errors.UnknownNameError: ...
    """


class TraceError(PlaitError, TypeError):
    """Code that cannot be captured in a graph as it stands.

    Examples
    --------
    >>> issubclass(pl.errors.TraceError, TypeError)
    True
    """


class LeakedTracerError(TraceError):
    """A tensor of a finished or of another trace was used.

    Examples
    --------
    >>> issubclass(pl.errors.LeakedTracerError, pl.errors.TraceError)
    True
    """


class RetraceError(TraceError):
    """A function was to be captured more often than its ``max_traces``; says what differs.

    Examples
    --------
    >>> issubclass(pl.errors.RetraceError, pl.errors.TraceError)
    True
    """


class SignatureError(PlaitError, TypeError):
    """Arguments that a compiled function or a saved graph does not accept.

    Examples
    --------
    >>> issubclass(pl.errors.SignatureError, TypeError)
    True
    """


class GraphError(PlaitError, ValueError):
    """A graph that cannot be built, transformed or run as asked.

    Examples
    --------
    >>> issubclass(pl.errors.GraphError, ValueError)
    True
    """


class VerificationError(GraphError):
    """A graph that breaks a rule of the IR; names the rule, in the message and as ``rule``.

    Examples
    --------
    >>> issubclass(pl.errors.VerificationError, pl.errors.GraphError)
    True
    """

    rule: str = ""


class PassError(GraphError):
    """A pass failed or produced an invalid graph; names the pass and those before it.

    Examples
    --------
    >>> issubclass(pl.errors.PassError, pl.errors.GraphError)
    True
    """


_NOWHERE = ("<string>", 1, 1)  # where a ParseError lies that says no place


class ParseError(GraphError):
    """Text that is not valid IR, a type or a spec; carries line and column.

    Parameters
    ----------
    message : str
        What was expected and what was found.
    file : str
        Name of the text's file, or ``"<string>"``.
    line, column : int
        Position, counted from 1.

    Examples
    --------
    >>> from plait import ir
    >>> ir.parse("graph f(", file="f.ir")
    Traceback (most recent call last):
        ...
    plait.ir.errors.ParseError: f.ir:1:9: error: expected an input such as %x, found ...
    """

    def __init__(
        self, message: str = "", file: str = "<string>", line: int = 1, column: int = 1
    ) -> None:
        super().__init__(message)
        self.file, self.line, self.column = file, line, column

    def __str__(self) -> str:
        if self.location is not None and (self.file, self.line, self.column) == _NOWHERE:
            return super().__str__()
        return f"{self.file}:{self.line}:{self.column}: error: {self.message}"

    def __reduce__(self) -> tuple[_Any, ...]:
        return (type(self), (self.message, self.file, self.line, self.column))


class SaveError(TraceError):
    """A function that a file cannot hold; says what it does that cannot be written down.

    Examples
    --------
    >>> issubclass(pl.errors.SaveError, pl.errors.TraceError)
    True
    """


class SavedFileError(GraphError):
    """A file of a saved function that cannot be written or read: cut, garbled, hostile or newer.

    Examples
    --------
    >>> pl.load("nowhere.plait")
    Traceback (most recent call last):
        ...
    plait.ir.errors.SavedFileError: load: cannot read nowhere.plait: No such file or directory...
    """


class DeviceError(PlaitError, RuntimeError):
    """A device that is not there; lists those that are.

    Examples
    --------
    >>> issubclass(pl.errors.DeviceError, RuntimeError)
    True
    """


class BackendError(PlaitError, RuntimeError):
    """A backend that is missing or cannot run a graph.

    Examples
    --------
    >>> issubclass(pl.errors.BackendError, RuntimeError)
    True
    """


class TargetError(PlaitError, RuntimeError):
    """A command line target that cannot be found, imported or called.

    Examples
    --------
    >>> issubclass(pl.errors.TargetError, RuntimeError)
    True
    """


class MissingPackageError(PlaitError, ImportError):
    """An optional package that is not installed; names the extra to install.

    Examples
    --------
    >>> issubclass(pl.errors.MissingPackageError, ImportError)
    True
    """
