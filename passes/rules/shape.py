"""Algebra of shapes: moves that move nothing, and moves of moves."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir import Node, Shape, TensorType, Trait, Value, ops
from plait.passes.rewriter import Replacement, Rewriter
from plait.passes.rules.match import Rule, made_by, scalar

Bounds = tuple[int, Any, int]


def _is_same_type(_: Rewriter, node: Node) -> Replacement:
    x = node.operands[0]
    return x if x.type == node.results[0].type else None


def _again(rewriter: Rewriter, node: Node) -> Replacement:
    made = made_by(node.operands[0], node.op)
    return None if made is None else rewriter.like(node, made.operands[0])


def _size(type_: Any) -> int | None:
    return type_.size if type(type_) is TensorType and type_.is_static else None


def _broadcast_is_reshape(rewriter: Rewriter, node: Node) -> Replacement:
    x, shape = node.operands[0], node.attributes["shape"]
    size = _size(x.type)
    if size is None or size == 0 or size != _size(node.results[0].type):
        return None
    return rewriter.emit(ops.reshape, x, shape=shape)


def _broadcast_past_new_axes(rewriter: Rewriter, node: Node) -> Replacement:
    made = made_by(node.operands[0], ops.reshape)
    if made is None:
        return None
    (x,), shape = made.operands, made.attributes["shape"]
    if shape != (1,) * (len(shape) - x.ndim) + x.shape:
        return None
    return rewriter.emit(ops.broadcast_to, x, shape=node.attributes["shape"])


def _identity_transpose(_: Rewriter, node: Node) -> Replacement:
    permutation = node.attributes["permutation"]
    return node.operands[0] if permutation == tuple(range(len(permutation))) else None


def _transpose_twice(rewriter: Rewriter, node: Node) -> Replacement:
    made = made_by(node.operands[0], ops.transpose)
    if made is None:
        return None
    first, second = made.attributes["permutation"], node.attributes["permutation"]
    return rewriter.emit(
        ops.transpose, made.operands[0], permutation=tuple([first[i] for i in second])
    )


def _transpose_is_reshape(rewriter: Rewriter, node: Node) -> Replacement:
    """Only axes of size 1 move past others."""
    x = node.operands[0]
    moved = [i for i in node.attributes["permutation"] if x.shape[i] != 1]
    if moved != sorted(moved) or _size(x.type) is None:
        return None
    return rewriter.emit(ops.reshape, x, shape=node.results[0].shape)


def _bounds(node: Node) -> list[Bounds]:
    names = ("starts", "stops", "steps")
    return list(zip(*[node.attributes[name] for name in names], strict=True))


def _slice_all(_: Rewriter, node: Node) -> Replacement:
    x = node.operands[0]
    whole = all(b == (0, d, 1) for b, d in zip(_bounds(node), x.shape, strict=True))
    return x if whole else None


def _emit_slice(rewriter: Rewriter, x: Value, bounds: list[Bounds]) -> Value:
    starts, stops, steps = (tuple(column) for column in zip(*bounds, strict=True))
    return rewriter.emit(ops.slice_, x, starts=starts, stops=stops, steps=steps)


def _plain_bounds(taken: range) -> Bounds:
    """The one way to write the positions of a range: the stop is next to the last position."""
    if len(taken) == 0:
        return (0, 0, 1)
    step = taken.step if len(taken) > 1 else 1
    return (taken[0], taken[-1] + (1 if step > 0 else -1), step)


def _normal_slice(rewriter: Rewriter, node: Node) -> Replacement:
    bounds = _bounds(node)
    normal = [_plain_bounds(range(*b)) if type(b[1]) is int else b for b in bounds]
    return _emit_slice(rewriter, node.operands[0], normal) if normal != bounds else None


def _slice_twice(rewriter: Rewriter, node: Node) -> Replacement:
    made = made_by(node.operands[0], ops.slice_)
    if made is None:
        return None
    joined = [_join(a, b) for a, b in zip(_bounds(made), _bounds(node), strict=True)]
    return _emit_slice(rewriter, made.operands[0], joined)


def _join(inner: Bounds, outer: Bounds) -> Bounds:
    if type(inner[1]) is not int:
        return inner  # a symbolic axis is taken whole both times
    first, second = range(*inner), range(*outer)
    if len(second) == 0:
        return (0, 0, 1)
    start, last = first[second[0]], first[second[-1]]
    step = first.step * second.step
    return _plain_bounds(range(start, last + (1 if step > 0 else -1), step))


def _slice_of_concat(rewriter: Rewriter, node: Node) -> Replacement:
    made = made_by(node.operands[0], ops.concat)
    if made is None:
        return None
    bounds, axis = _bounds(node), made.attributes["axis"]
    start, stop, step = bounds[axis]
    offset = 0
    taken = range(start, stop, step) if type(stop) is int else range(0)
    for x in made.operands:
        size = x.shape[axis]
        if type(size) is not int:
            return None
        if len(taken) and offset <= min(taken) and max(taken) < offset + size:
            moved = _plain_bounds(range(start - offset, stop - offset, step))
            return _emit_slice(rewriter, x, [*bounds[:axis], moved, *bounds[axis + 1 :]])
        offset += size
    return None


def _concat_one(_: Rewriter, node: Node) -> Replacement:
    return node.operands[0] if len(node.operands) == 1 else None


def _concat_empty(rewriter: Rewriter, node: Node) -> Replacement:
    axis = node.attributes["axis"]
    full = [v for v in node.operands if v.shape[axis] != 0]
    if len(full) == len(node.operands) or not full:
        return None
    return rewriter.like(node, *full)


def _concat_flat(rewriter: Rewriter, node: Node) -> Replacement:
    axis = node.attributes["axis"]
    flat: list[Value] = []
    for value in node.operands:
        made = made_by(value, ops.concat)
        joined = made is not None and made.attributes["axis"] == axis
        flat += made.operands if made is not None and joined else (value,)
    return rewriter.like(node, *flat) if len(flat) > len(node.operands) else None


def _concat_of_split(_: Rewriter, node: Node) -> Replacement:
    made = made_by(node.operands[0], ops.split)
    if made is None or made.attributes["axis"] != node.attributes["axis"]:
        return None
    return made.operands[0] if made.results == node.operands else None


def _concat_slices(rewriter: Rewriter, node: Node) -> Replacement:
    axis = node.attributes["axis"]
    joined: list[tuple[Value, Value, list[Bounds]]] = []  # operand, base, bounds of a slice
    for value in node.operands:
        made = made_by(value, ops.slice_)
        base, bounds = (value, []) if made is None else (made.operands[0], _bounds(made))
        if bounds and joined and _follows(joined[-1][1:], (base, bounds), axis):
            _, _, before = joined[-1]
            before[axis] = (before[axis][0], bounds[axis][1], 1)
        else:
            joined.append((value, base, bounds))
    if len(joined) == len(node.operands):
        return None
    parts = [_emit_slice(rewriter, base, b) if b else value for value, base, b in joined]
    return rewriter.like(node, *parts) if len(parts) > 1 else parts[0]


def _follows(
    first: tuple[Value, list[Bounds]], second: tuple[Value, list[Bounds]], axis: int
) -> bool:
    """Whether a slice begins where another one of the same value ends."""
    if first[0] is not second[0] or not first[1]:
        return False
    a, b = first[1][axis], second[1][axis]
    if a[2] != 1 or b[2] != 1 or type(a[1]) is not int or a[1] != b[0]:
        return False
    others = [i for i in range(len(first[1])) if i != axis]
    return all(first[1][i] == second[1][i] for i in others)


def _split_one(_: Rewriter, node: Node) -> Replacement:
    return (node.operands[0],) if len(node.results) == 1 else None


def _split_of_concat(_: Rewriter, node: Node) -> Replacement:
    made = made_by(node.operands[0], ops.concat)
    if made is None or made.attributes["axis"] != node.attributes["axis"]:
        return None
    same = [v.type for v in made.operands] == [r.type for r in node.results]
    return made.operands if same else None


def _pad_nothing(_: Rewriter, node: Node) -> Replacement:
    amounts = [node.attributes[name] for name in ("low", "high", "interior")]
    return None if any(any(a) for a in amounts) else node.operands[0]


def _elementwise_of_broadcasts(rewriter: Rewriter, node: Node) -> Replacement:
    """f(broadcast(x), broadcast(y), c) = broadcast(f(x, y, c)), x and y of one shape."""
    sources: list[Value | None] = []
    shape: Shape | None = None
    for value in node.operands:
        made = made_by(value, ops.broadcast_to)
        if made is None:
            if scalar(value) is None:
                return None
            sources.append(None)
            continue
        if shape is not None and made.operands[0].shape != shape:
            return None
        shape = made.operands[0].shape
        sources.append(made.operands[0])
    if shape is None or _size(node.results[0].type) is None:
        return None
    small = [
        rewriter.fill(scalar(v), TensorType(v.dtype, shape)) if s is None else s
        for s, v in zip(sources, node.operands, strict=True)
    ]
    result = rewriter.like(node, *small)
    return rewriter.emit(ops.broadcast_to, result, shape=node.results[0].shape)


def _fixed_dynamic_slice(rewriter: Rewriter, node: Node) -> Replacement:
    x, *starts = node.operands
    sizes = node.attributes["sizes"]
    if tuple(sizes) == x.shape:
        return x
    known = [scalar(v) for v in starts]
    if any(type(d) is not int for d in x.shape) or any(k is None for k in known):
        return None
    first = [
        int(np.clip(int(k), 0, d - n))  # type: ignore[arg-type]
        for k, d, n in zip(known, x.shape, sizes, strict=True)
    ]
    return _emit_slice(rewriter, x, [(i, i + n, 1) for i, n in zip(first, sizes, strict=True)])


def _whole_update(_: Rewriter, node: Node) -> Replacement:
    x, update = node.operands[:2]
    return update if update.shape == x.shape else None


RULES: tuple[Rule, ...] = (
    Rule("reshape-same", "reshape(x, shape of x) = x", ops.reshape, _is_same_type),
    Rule("reshape-reshape", "reshape(reshape(x, s), t) = reshape(x, t)", ops.reshape, _again),
    Rule("transpose-identity", "transpose(x, 0 1 2 ...) = x", ops.transpose, _identity_transpose),
    Rule("transpose-transpose", "transpose(transpose(x, p), q) = transpose(x, p[q])",
         ops.transpose, _transpose_twice),
    Rule("transpose-reshape", "transpose(x) = reshape(x) when only axes of size 1 move",
         ops.transpose, _transpose_is_reshape),
    Rule("broadcast-same", "broadcast(x, shape of x) = x", ops.broadcast_to, _is_same_type),
    Rule("broadcast-broadcast", "broadcast(broadcast(x, s), t) = broadcast(x, t)",
         ops.broadcast_to, _again),
    Rule("broadcast-reshape", "broadcast(x) = reshape(x) when nothing repeats",
         ops.broadcast_to, _broadcast_is_reshape),
    Rule("broadcast-new-axes", "broadcast(reshape(x, 1 ... shape of x)) = broadcast(x)",
         ops.broadcast_to, _broadcast_past_new_axes),
    Rule("elementwise-broadcasts", "f(broadcast(x), broadcast(y)) = broadcast(f(x, y))",
         Trait.ELEMENTWISE, _elementwise_of_broadcasts),
    Rule("slice-same", "x[:] = x", ops.slice_, _slice_all),
    Rule("slice-normal", "x[a:b:c] with b next to the last position", ops.slice_, _normal_slice),
    Rule("slice-slice", "x[a][b] = x[c]", ops.slice_, _slice_twice),
    Rule("slice-concat", "concat(x, y)[inside x] = x[...]", ops.slice_, _slice_of_concat),
    Rule("concat-one", "concat(x) = x", ops.concat, _concat_one),
    Rule("concat-empty", "concat(x, empty) = concat(x)", ops.concat, _concat_empty),
    Rule("concat-concat", "concat(concat(x, y), z) = concat(x, y, z)", ops.concat, _concat_flat),
    Rule("concat-slices", "concat(x[a:b], x[b:c]) = x[a:c]", ops.concat, _concat_slices),
    Rule("concat-split", "concat(split(x)) = x", ops.concat, _concat_of_split),
    Rule("split-one", "split(x, [n]) = x", ops.split, _split_one),
    Rule("split-concat", "split(concat(x, y)) = x, y", ops.split, _split_of_concat),
    Rule("pad-nothing", "pad(x, v, 0, 0, 0) = x", ops.pad, _pad_nothing),
    Rule("dynamic-slice-fixed", "dynamic_slice(x, constants) = slice(x)", ops.dynamic_slice,
         _fixed_dynamic_slice),
    Rule("update-whole", "dynamic_update_slice(x, y) = y, y of x's shape",
         ops.dynamic_update_slice, _whole_update),
)  # fmt: skip
