"""Runtime numbers as Python's: what asks for their value makes them static."""

from __future__ import annotations

from typing import Any

from plait.tracer.number_operators import CLASSES
from plait.tracer.rendering import is_rendering
from plait.tracer.tensor_handle import Handle, call, traced_error


class Number(Handle):
    """Python's protocols of numbers, for handles that stand for one."""

    __slots__ = ()

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """The class of number, so that ``isinstance(n, int)`` says what it says of the number."""
        return CLASSES[self._data.dtype.kind] if self._kind == "number" else type(self)

    def __hash__(self) -> int:
        self._ask("hash()")
        raise TypeError(f"unhashable type: '{type(self).__name__}'")

    def __str__(self) -> str:
        if not is_rendering():
            self._ask("str()")
        return super().__str__()

    def __format__(self, spec: str) -> str:
        if not is_rendering():
            self._ask("a format")
        return super().__format__(spec)

    def __round__(self, ndigits: int | None = None) -> Any:
        self._ask("round()")
        return call("round", self) if ndigits is None else call("round", self, ndigits)

    def __trunc__(self) -> Any:
        self._ask("trunc()")
        return call("trunc", self)

    def __floor__(self) -> Any:
        self._ask("floor()")
        return call("floor", self)

    def __ceil__(self) -> Any:
        self._ask("ceil()")
        return call("ceil", self)

    def _ask(self, what: str) -> None:
        """Make the number static, if this is one."""
        if self._kind == "number":
            raise traced_error(self, what)
