"""Every exception that Plait raises on purpose, so that callers can catch by class."""

from __future__ import annotations

from typing import Any, Self

__all__ = [
    "BackendError",
    "CheckError",
    "DTypeError",
    "DeviceError",
    "GraphError",
    "IndexOutOfRangeError",
    "LeakedTracerError",
    "MissingPackageError",
    "ParseError",
    "PassError",
    "PlaitError",
    "ShapeError",
    "SignatureError",
    "TargetError",
    "TraceError",
    "UnknownNameError",
    "VerificationError",
]


class PlaitError(Exception):
    """Base of all of Plait's errors.

    Parameters
    ----------
    message : str
        What was wrong and what to do about it.
    location : Location or None
        The user's file and line, shown after the message when known.
    """

    location: Any = None

    def __init__(self, message: str = "", location: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.location = location

    def at(self, location: Any) -> Self:
        """Attach the user's location, unless one is known already."""
        if self.location is None:
            self.location = location
        return self

    def __str__(self) -> str:
        where = f"\n  at {self.location}" if self.location is not None else ""
        return f"{self.message}{where}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.message, self.location))


class ShapeError(PlaitError, ValueError):
    """Shapes, ranks, axes or sizes that do not fit together."""


class DTypeError(PlaitError, TypeError):
    """A dtype that an operation does not take, or operands of the wrong kind."""


class IndexOutOfRangeError(PlaitError, IndexError):
    """An index outside the range that it indexes, eager or compiled."""


class CheckError(PlaitError, AssertionError):
    """An assertion on tensor values that failed, eager or compiled."""


class UnknownNameError(PlaitError, ValueError):
    """A name (pass, op, backend, attribute, dtype) that does not exist."""


class TraceError(PlaitError, TypeError):
    """Code that cannot be captured in a graph as it stands."""


class LeakedTracerError(TraceError):
    """A tensor of a finished or of another trace was used."""


class SignatureError(PlaitError, TypeError):
    """Arguments that a compiled function or a saved graph does not accept."""


class GraphError(PlaitError, ValueError):
    """A graph that cannot be built, transformed or run as asked."""


class VerificationError(GraphError):
    """A graph that breaks a rule of the IR; names the rule, in the message and as ``rule``."""

    rule: str = ""


class PassError(GraphError):
    """A pass failed or produced an invalid graph; names the pass and those before it."""


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
    """

    def __init__(
        self, message: str = "", file: str = "<string>", line: int = 1, column: int = 1
    ) -> None:
        super().__init__(message)
        self.file, self.line, self.column = file, line, column

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: error: {self.message}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.message, self.file, self.line, self.column))


class DeviceError(PlaitError, RuntimeError):
    """A device that is not there; lists those that are."""


class BackendError(PlaitError, RuntimeError):
    """A backend that is missing or cannot run a graph."""


class TargetError(PlaitError, RuntimeError):
    """A command line target that cannot be found, imported or called."""


class MissingPackageError(PlaitError, ImportError):
    """An optional package that is not installed; names the extra to install."""
