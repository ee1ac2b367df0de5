"""Cases for every registered op: what infer, reference, ``into`` and all backends agree on.

Each module of this package covers a family of ``plait.ir.ops`` and has a list ``CASES``. A new op
gets its cases there and is thereby tested everywhere.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from plait.ir import Graph, Literal, Op, TensorType, Type, token
from plait.ir.types import BytesType, TokenType, is_complex, is_floating


@dataclass(frozen=True, eq=False)
class Case:
    """One application of an op.

    Attributes
    ----------
    op : Op
    operands : tuple
        Arrays of exactly the dtypes and shapes that the op takes; ``plait.ir.token`` for a token.
    attributes : mapping of str
    regions : tuple of Graph
    tolerance : float or None
        Relative tolerance between backends; None takes the default of the result's dtype, 0 asks
        for equal bits.
    """

    op: Op
    operands: tuple[Any, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    regions: tuple[Graph, ...] = ()
    tolerance: float | None = None

    @property
    def types(self) -> tuple[Type, ...]:
        """Types of the operands."""
        return tuple([type_of(x) for x in self.operands])

    def infer(self) -> tuple[Type, ...]:
        """Inferred types of the results."""
        return self.op.infer_types(self.types, self.attributes, self.regions)

    def run(self) -> tuple[Any, ...]:
        """Results of the reference, always as a tuple."""
        options = {"regions": self.regions} if self.op.has_regions else {}
        with np.errstate(all="ignore"):
            found = self.op.reference(*self.operands, **options, **self.attributes)
        if type(found) is tuple:
            return found
        return () if found is None else (found,)

    def __str__(self) -> str:
        types = ",".join(map(str, self.types))
        attributes = ",".join(f"{k}={_shown(v)}" for k, v in self.attributes.items())
        return f"{self.op.name}({types}){'{' + attributes + '}' if attributes else ''}"


def _shown(value: Any) -> str:
    if isinstance(value, Literal):
        return str(value.type)
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    return str(value).replace(" ", "")


def type_of(x: Any) -> Type:
    """The type of an operand of a case."""
    if isinstance(x, TokenType | BytesType):
        return x
    return TensorType(x.dtype, x.shape)


@cache
def all_cases() -> tuple[Case, ...]:
    """The cases of every family."""
    found: list[Case] = []
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        found += importlib.import_module(f"{__name__}.{module.name}").CASES
    return tuple(found)
