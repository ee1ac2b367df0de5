"""A variable's operators: those of a tensor, on the present value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _operator(name: str) -> Callable[..., Any]:
    def method(self: Any, *operands: Any) -> Any:
        return getattr(self.__plait_tensor__(), name)(*operands)

    method.__name__ = name
    return method


class VariableOperators:
    """Every operator of a tensor; hashing stays by identity."""

    __slots__ = ()

    __add__ = _operator("__add__")
    __sub__ = _operator("__sub__")
    __mul__ = _operator("__mul__")
    __truediv__ = _operator("__truediv__")
    __floordiv__ = _operator("__floordiv__")
    __mod__ = _operator("__mod__")
    __pow__ = _operator("__pow__")
    __and__ = _operator("__and__")
    __or__ = _operator("__or__")
    __xor__ = _operator("__xor__")
    __lshift__ = _operator("__lshift__")
    __rshift__ = _operator("__rshift__")
    __matmul__ = _operator("__matmul__")
    __divmod__ = _operator("__divmod__")

    __radd__ = _operator("__radd__")
    __rsub__ = _operator("__rsub__")
    __rmul__ = _operator("__rmul__")
    __rtruediv__ = _operator("__rtruediv__")
    __rfloordiv__ = _operator("__rfloordiv__")
    __rmod__ = _operator("__rmod__")
    __rpow__ = _operator("__rpow__")
    __rand__ = _operator("__rand__")
    __ror__ = _operator("__ror__")
    __rxor__ = _operator("__rxor__")
    __rlshift__ = _operator("__rlshift__")
    __rrshift__ = _operator("__rrshift__")
    __rmatmul__ = _operator("__rmatmul__")
    __rdivmod__ = _operator("__rdivmod__")

    __lt__ = _operator("__lt__")
    __le__ = _operator("__le__")
    __gt__ = _operator("__gt__")
    __ge__ = _operator("__ge__")
    __eq__ = _operator("__eq__")
    __ne__ = _operator("__ne__")

    __neg__ = _operator("__neg__")
    __pos__ = _operator("__pos__")
    __abs__ = _operator("__abs__")
    __invert__ = _operator("__invert__")
    __bool__ = _operator("__bool__")
    __int__ = _operator("__int__")
    __float__ = _operator("__float__")
    __complex__ = _operator("__complex__")
    __index__ = _operator("__index__")
    __len__ = _operator("__len__")
    __contains__ = _operator("__contains__")
    __round__ = _operator("__round__")

    def __hash__(self) -> int:
        return id(self)
