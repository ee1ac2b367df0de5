"""Cases for every registered op: what infer, reference, ``into`` and all backends agree on.

Each module of this package covers a family of ``plait.ir.ops`` and has a list ``CASES``. A new op
gets its cases there and is thereby tested everywhere.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from plait.ir import Graph, Literal, Op, TensorType, Type
from plait.ir.types import BytesType, TokenType, as_dtype, is_complex


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


SHAPES: tuple[tuple[int, ...], ...] = ((), (0,), (1,), (7,), (2, 0, 3), (2, 3, 4))
SPECIALS = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0)


def array(dtype: Any, shape: tuple[int, ...], seed: int = 0, *, specials: bool = True) -> Any:
    """Random values over the interesting range of a dtype; floats start with special values."""
    dtype = as_dtype(dtype)
    random = np.random.default_rng(seed)
    if dtype == np.bool_:
        return np.asarray(random.integers(0, 2, shape), dtype)
    if dtype.kind in "iu":
        low = 0 if dtype.kind == "u" else -9
        return np.asarray(random.integers(low, 10, shape), dtype)
    values = np.asarray(random.normal(0, 3, shape), np.float64)
    if is_complex(dtype):
        return np.asarray(values + 1j * random.normal(0, 3, shape), dtype)
    if specials and values.size:
        flat = values.reshape(-1)
        some = np.roll(SPECIALS, seed)[: flat.size]
        flat[: len(some)] = some
    return np.asarray(values, dtype)
