"""Algebra of casts: only what loses nothing is dropped."""

from __future__ import annotations

from plait.ir import (
    DType,
    Node,
    Value,
    bfloat16,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    is_bool,
    is_complex,
    is_floating,
    is_integer,
    is_signed,
    ops,
    real_dtype,
)
from plait.passes.rewriter import Rewriter
from plait.passes.rules.match import Rule, inner, made_by

_PRECISION: dict[DType, int] = {bfloat16: 8, float16: 11, float32: 24, float64: 53}
_WIDER_FLOATS: dict[DType, tuple[DType, ...]] = {
    float16: (float16, float32, float64, complex64, complex128),
    bfloat16: (bfloat16, float32, float64, complex64, complex128),
    float32: (float32, float64, complex64, complex128),
    float64: (float64, complex128),
    complex64: (complex64, complex128),
    complex128: (complex128,),
}


def is_lossless(source: DType, target: DType) -> bool:
    """Whether every value of ``source`` has an equal in ``target``.

    >>> from plait import ir
    >>> is_lossless(ir.int32, ir.float32), is_lossless(ir.int32, ir.float64)
    (False, True)
    """
    if source == target or is_bool(source):
        return True
    if is_integer(source):
        bits = source.itemsize * 8 - is_signed(source)
        if is_integer(target):
            room = target.itemsize * 8 - is_signed(target)
            return bits <= room and is_signed(target) >= is_signed(source)
        return not is_bool(target) and bits <= _PRECISION[real_dtype(target)]
    return target in _WIDER_FLOATS[source]


def _skip(middle: DType, source: DType, target: DType) -> bool:
    """Whether source to middle to target is source to target, in every bit."""
    if not is_lossless(source, middle):
        return False
    # Outside the range of the integers, what a cast gives depends on the dtype it comes from.
    return not (is_integer(target) and (is_floating(source) or is_complex(source)))


def _same(_: Rewriter, node: Node) -> Value | None:
    x = node.operands[0]
    return x if x.dtype == node.results[0].dtype else None


def _chain(rewriter: Rewriter, node: Node) -> Value | None:
    middle = node.operands[0]
    x = inner(middle, ops.cast)
    target = node.results[0].dtype
    if x is None or not _skip(middle.dtype, x.dtype, target):
        return None
    return rewriter.emit(ops.cast, x, dtype=target)


_COMPARISONS = (
    ops.equal,
    ops.not_equal,
    ops.less,
    ops.less_equal,
    ops.greater,
    ops.greater_equal,
)


def _compare(rewriter: Rewriter, node: Node) -> Value | None:
    x, y = (made_by(v, ops.cast) for v in node.operands)
    if x is None or y is None:
        return None
    a, b = x.operands[0], y.operands[0]
    known = a.dtype == b.dtype and is_lossless(a.dtype, node.operands[0].dtype)
    return rewriter.emit(node.op, a, b) if known else None


RULES: tuple[Rule, ...] = (
    Rule("cast-same", "cast(x, dtype of x) = x", ops.cast, _same),
    Rule("cast-cast", "cast(cast(x, a), b) = cast(x, b), a holds every x", ops.cast, _chain),
    *[
        Rule(
            f"{op.name.replace('_', '-')}-casts",
            "cast(x, a) < cast(y, a) = x < y, a holds every x and y",
            op,
            _compare,
        )
        for op in _COMPARISONS
    ],
)
