"""Augmented assignments: what ``x += v`` changes in place is noted first."""

from __future__ import annotations

import operator
from types import FunctionType
from typing import Any

from plait.ir import dispatch
from plait.tracer.control import calls
from plait.tracer.control.reads import class_attribute, provenance
from plait.tracer.control.writes import mutate
from plait.tracer.tensor import Tensor
from plait.tracer.trusted import is_trusted

#: Classes whose augmented assignments change nothing in place, or note it themselves.
SCALARS = frozenset((int, float, bool, complex, str, Tensor))


def augment(value: Any, operation: str, operand: Any) -> Any:
    """What ``value += operand`` and the like assign.

    Parameters
    ----------
    value, operand : Any
    operation : str
        Its name in the module ``operator``, such as ``"iadd"``.
    """
    if dispatch.active and type(value) not in SCALARS and provenance() is not None:
        custom = class_attribute(type(value), f"__{operation}__")
        if isinstance(custom, FunctionType) and not is_trusted(custom):
            found = calls.call(custom, value, operand)
            if found is not NotImplemented:
                return found
            return getattr(operator, operation[1:] + "_" * (operation in ("iand", "ior")))(
                value, operand
            )
        if custom is not None:
            mutate(value, f"__{operation}__", (operand,))
    return getattr(operator, operation)(value, operand)
