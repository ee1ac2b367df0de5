"""Effects in program order: prints, callbacks and checks; and the barrier for passes."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from plait.ir.errors import DTypeError, PlaitError, ShapeError
from plait.ir.op import Op, Trait, register
from plait.ir.template import check_template, error_class, fill, make_error
from plait.ir.types import BytesType, TensorType, TokenType, Type, bool_, is_complex, token

__all__ = ["barrier", "callback", "check", "create_token", "print_"]

FAMILY = "effects"
SCALAR_BOOL = TensorType(bool_, ())
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


def infer_print(*types: Type, template: str, end: str = "\n") -> TokenType:
    """A token; the template has places for the tensors."""
    check_token_first("print", types)
    check_template("print: template", template, [_sample(t) for t in types[1:]])
    if type(end) is not str:
        raise DTypeError(f"print: end must be a string, got {type(end).__name__}")
    return token


def _sample(type_: Type) -> Any:
    """An array of the type, small: symbolic sizes count as 1, and no dimension is over 2."""
    assert type(type_) is TensorType
    return np.ones([min(d, 2) if isinstance(d, int) else 1 for d in type_.shape], type_.dtype)


def _print(_: Any, *arrays: Any, template: str, end: str = "\n") -> Any:
    builtins.print(fill(template, arrays), end=end, flush=True)
    return token


print_ = register(
    Op(
        name="print",
        family=FAMILY,
        doc="print the template filled with the tensors, then ``end``",
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


def infer_check(*types: Type, error: str | Callable[..., Any], message: str) -> Types:
    """No results; the operands are a 0-d bool and 0-d details of any real dtype."""
    if not callable(error):
        error_class(error)
    if not types:
        raise ShapeError("check: expected a condition as operand 0, got no operands")
    if types[0] != SCALAR_BOOL:
        raise _mismatch(types[0])(f"check: operand 0 must be {SCALAR_BOOL}, got {types[0]}")
    for i, t in enumerate(types[1:], 1):
        if type(t) is not TensorType or is_complex(t.dtype):
            raise DTypeError(f"check: operand {i} must be a real scalar, got {t}")
        if t.shape:
            raise ShapeError(f"check: operand {i} must be a scalar, got {t}")
    check_template("check: message", message, [_sample(t) for t in types[1:]])
    return ()


def _mismatch(found: Type) -> type[PlaitError]:
    return ShapeError if type(found) is TensorType and found.dtype == bool_ else DTypeError


def _check(ok: Any, *details: Any, error: str | Callable[..., Any], message: str) -> None:
    if not ok:
        raise make_error(error, message, details)


check = register(
    Op(
        name="check",
        family=FAMILY,
        doc="raise ``error`` with the message, filled with the details, unless ok",
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
