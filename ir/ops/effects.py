"""Effects in program order: prints, callbacks and checks; and the barrier for passes."""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Sequence
from string import Formatter
from typing import Any

import numpy as np

from plait.ir import errors
from plait.ir.display import array_text
from plait.ir.errors import DTypeError, PlaitError, ShapeError
from plait.ir.op import Op, Trait, register
from plait.ir.types import BytesType, TensorType, TokenType, Type, bool_, int64, token

__all__ = ["barrier", "callback", "check", "create_token", "print_"]

FAMILY = "effects"
SCALAR_BOOL = TensorType(bool_, ())
SCALAR_INT64 = TensorType(int64, ())
Types = tuple[Type, ...]


def check_token_first(name: str, types: Types) -> None:
    """Demand a token, then tensors."""
    if not types or type(types[0]) is not TokenType:
        found = str(types[0]) if types else "no operands"
        raise DTypeError(f"{name}: operand 0 must be a token, got {found}")
    for i, t in enumerate(types[1:], 1):
        if type(t) is not TensorType:
            raise DTypeError(f"{name}: operand {i}: expected a tensor, got {t}")


def infer_create_token() -> TokenType:
    """A token."""
    return token


create_token = register(
    Op(
        name="create_token",
        family=FAMILY,
        doc="the first token of a chain of effects",
        infer=infer_create_token,
        reference=lambda: token,
        traits=frozenset((Trait.EFFECT,)),
    )
)


_SPEC = re.compile(r"(?:.?[<>=^])?[-+ ]?#?0?\d{0,3}[,_]?(?:\.\d{1,3})?[A-Za-z%]?")


def check_template(what: str, template: str, samples: Sequence[Any]) -> None:
    """Demand a format template with places (``{}``, ``{0}``, ``{:.3f}``) for the samples only."""
    try:
        for _, name, spec, _ in Formatter().parse(template):
            if name and not name.isdecimal():
                raise ValueError(f"a place is named by a position, found {name!r}")
            if spec and not _SPEC.fullmatch(spec):
                raise ValueError(f"format {spec!r} is not a plain one such as '.3f'")
        template.format(*samples)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ShapeError(
            f"{what} {template!r} does not take {len(samples)} value(s): {error}"
        ) from None


class _Shown:
    """An array inside a format template: its own text, or its number under a format."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __format__(self, spec: str) -> str:
        return format(self.array.item(), spec) if spec else str(self)

    def __str__(self) -> str:
        return array_text(self.array)

    __repr__ = __str__


def infer_print(*types: Type, template: str) -> TokenType:
    """A token; the template has a place for each tensor."""
    check_token_first("print", types)
    check_template("print: template", template, [_Shown(_sample(t)) for t in types[1:]])
    return token


def _sample(type_: Type) -> Any:
    """An array of the type, small: symbolic sizes count as 1, and no dimension is over 2."""
    assert type(type_) is TensorType
    return np.ones([min(d, 2) if isinstance(d, int) else 1 for d in type_.shape], type_.dtype)


def _print(_: Any, *arrays: Any, template: str) -> Any:
    builtins.print(template.format(*[_Shown(a) for a in arrays]), flush=True)
    return token


print_ = register(
    Op(
        name="print",
        family=FAMILY,
        doc="print template.format(*tensors) and a newline",
        infer=infer_print,
        reference=_print,
        traits=frozenset((Trait.EFFECT, Trait.HOST)),
    )
)


def infer_callback(*types: Type, function: Callable[..., Any], result_types: Types) -> Types:
    """A token, then ``result_types``."""
    check_token_first("callback", types)
    if not callable(function):
        raise DTypeError(f"callback: function must be callable, got {type(function).__name__}")
    for i, t in enumerate(result_types):
        if not isinstance(t, (TensorType, BytesType)):
            raise DTypeError(f"callback: result type {i}: expected a tensor type, got {t!r}")
    return (token, *result_types)


def _callback(
    _: Any, *arrays: Any, function: Callable[..., Any], result_types: tuple[TensorType, ...]
) -> Any:
    """Call the function; it gets copies and its results are copied, so that it may keep both."""
    found = function(*[a.copy() for a in arrays])
    several = isinstance(found, (tuple, list))
    results = found if several else () if found is None and not result_types else (found,)
    if len(results) != len(result_types):
        raise ShapeError(
            f"callback {_name(function)} gave {len(results)} result(s), "
            f"expected {len(result_types)}"
        )
    checked = [
        _check_result(function, i, r, t)
        for i, (r, t) in enumerate(zip(results, result_types, strict=True))
    ]
    return (token, *checked)


def _check_result(function: Any, index: int, result: Any, wanted: TensorType) -> Any:
    array = np.array(result, order="C")
    if array.dtype != wanted.dtype:
        raise DTypeError(
            f"callback {_name(function)}: result {index} has dtype {array.dtype}, "
            f"expected {wanted}; convert it in the function"
        )
    if array.shape != wanted.shape:
        raise ShapeError(
            f"callback {_name(function)}: result {index} has shape {array.shape}, expected {wanted}"
        )
    return array


def _name(function: Any) -> str:
    return getattr(function, "__qualname__", type(function).__name__)


callback = register(
    Op(
        name="callback",
        family=FAMILY,
        doc="call a Python function on the tensors",
        infer=infer_callback,
        reference=_callback,
        traits=frozenset((Trait.EFFECT, Trait.HOST)),
    )
)


def error_class(name: str) -> type[PlaitError]:
    """The exception that a check raises.

    Raises
    ------
    UnknownNameError
        ``plait.ir.errors`` has no exception of this name.
    """
    found = getattr(errors, name, None) if name in errors.__all__ else None
    if found is None:
        known = ", ".join(errors.__all__)
        raise errors.UnknownNameError(f"check: unknown error {name!r}; known errors: {known}")
    made: type[PlaitError] = found
    return made


def infer_check(*types: Type, error: str, message: str) -> Types:
    """No results; the operands are a 0-d bool and 0-d int64 details."""
    error_class(error)
    if not types:
        raise ShapeError("check: expected a condition as operand 0, got no operands")
    for i, t in enumerate(types):
        wanted = SCALAR_INT64 if i else SCALAR_BOOL
        if t != wanted:
            same = type(t) is TensorType and t.dtype == wanted.dtype
            raise (ShapeError if same else DTypeError)(
                f"check: operand {i} must be {wanted}, got {t}"
            )
    check_template("check: message", message, [0] * (len(types) - 1))
    return ()


def _check(ok: Any, *details: Any, error: str, message: str) -> None:
    if not ok:
        raise error_class(error)(message.format(*[int(d) for d in details]))


check = register(
    Op(
        name="check",
        family=FAMILY,
        doc="raise ``error`` with message.format(*details) unless ok",
        infer=infer_check,
        reference=_check,
        traits=frozenset((Trait.EFFECT,)),
    )
)


def infer_barrier(*types: Type) -> Types:
    """The operands' types."""
    if not types:
        raise ShapeError("barrier: expected at least one operand")
    return types


barrier = register(
    Op(
        name="barrier",
        family=FAMILY,
        doc="the same values; no pass moves or merges work across it",
        infer=infer_barrier,
        reference=lambda *values: values,
        traits=frozenset((Trait.BARRIER,)),
    )
)
