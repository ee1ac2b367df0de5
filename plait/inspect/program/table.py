"""The table of ops: what each is in a program, an expression of NumPy's or a call of a helper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from plait.ir import Dim, Node, TensorType
from plait.ir.types import DType, bfloat16, float16


class Book(Protocol):
    """What a program as a whole holds."""

    def shape(self, shape: Sequence[Any]) -> str:
        """A shape as a tuple."""

    def size(self, size: Any) -> str:
        """A size, or the name of one that is not known."""

    def dtype(self, dtype: DType) -> str:
        """A dtype; what it needs is imported."""

    def literal(self, array: Any) -> str:
        """An array, in the text or by the name of a constant."""

    def helper(self, name: str) -> str:
        """The name of a helper, which the program takes along."""

    def load(self, line: str) -> None:
        """Have a line that imports something."""


@dataclass(frozen=True, slots=True)
class Site:
    """One application of an op, its operands written already.

    Attributes
    ----------
    node : Node
    args : tuple of str
        Atoms: names, or calls.
    book : Book
    """

    node: Node
    args: tuple[str, ...]
    book: Book

    def __getitem__(self, name: str) -> Any:
        """An attribute, given or by default."""
        given = self.node.attributes
        return given[name] if name in given else self.node.op.parameters[name].default

    def type(self, operand: int = 0) -> TensorType:
        """The type of an operand."""
        return self.node.operands[operand].tensor_type

    @property
    def result(self) -> TensorType:
        """The type of the first result."""
        return self.node.results[0].tensor_type

    @property
    def is_half(self) -> bool:
        """Whether operands are of half precision, which is computed in float32."""
        return self.type().dtype in (float16, bfloat16)

    def call(self, helper: str, *args: Any, **options: Any) -> str:
        """A call of a helper; arguments that are no texts are written as Python shows them."""
        shown = [*map(self.show, args), *[f"{k}={self.show(v)}" for k, v in options.items()]]
        return f"{self.book.helper(helper)}({', '.join(shown)})"

    def show(self, value: Any) -> str:
        """An argument of a call."""
        if isinstance(value, str):
            return value
        if isinstance(value, np.dtype):
            return self.book.dtype(value)
        if type(value) is Dim:
            return self.book.size(value)
        has_dims = type(value) is tuple and any(type(v) is Dim for v in value)
        return self.book.shape(value) if has_dims else repr(value)


Expression = Callable[[Site], str]
TABLE: dict[str, Expression] = {}


def text(*names: str, wide: bool = False) -> Callable[[Expression], Expression]:
    """Register the expression of ops; ``wide`` ones compute half precision in float32."""

    def add(expression: Expression) -> Expression:
        TABLE.update(dict.fromkeys(names, widened(expression) if wide else expression))
        return expression

    return add


def widened(expression: Expression) -> Expression:
    """Half precision computed in float32 and rounded once."""

    def write(site: Site) -> str:
        if not site.is_half:
            return expression(site)
        args = tuple([f"{a}.astype(np.float32)" for a in site.args])
        inner = expression(Site(site.node, args, site.book))
        return f"({inner}).astype({site.book.dtype(site.result.dtype)})"

    return write


def expression_of(site: Site) -> str:
    """The expression of an op; several results come as a tuple.

    Raises
    ------
    KeyError
        There is no text for the op.
    """
    known = TABLE.get(site.node.op.name)
    if known is not None:
        return known(site)
    function = site.node.op.reference
    if isinstance(function, np.ufunc):
        return f"np.{function.__name__}({', '.join(site.args)})"
    raise KeyError(site.node.op.name)


__all__ = ["TABLE", "Book", "Expression", "Site", "expression_of", "text", "widened"]
