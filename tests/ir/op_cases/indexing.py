"""Cases of gather, scatter and slices at run-time positions; indices out of range clamp."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir import DTYPES, Op, ops
from plait.ir.types import is_bool, is_complex, is_integer
from tests.ir.op_cases import Case, array

F = "float32"
INDEX_DTYPES = [d for d in DTYPES if is_integer(d)]


def indices(
    shape: tuple[int, ...], low: int, high: int, dtype: Any = "int64", seed: int = 0
) -> Any:
    return np.random.default_rng(seed).integers(low, high, shape).astype(dtype)


def picks(dtype: Any, shape: tuple[int, ...], *index: Any, axes: Any, batch: int = 0) -> Case:
    return Case(ops.gather, (array(dtype, shape), *index), {"axes": axes, "batch": batch})


def puts(
    mode: str, dtype: Any, shape: Any, *index: Any, axes: Any, batch: int = 0, **more: Any
) -> Case:
    """Scatter into zeros and ones what gather would pick, its values in another order."""
    x = array(dtype, shape, 1)
    picked = ops.gather.infer_types(
        picks(dtype, shape, *index, axes=axes).types, {"axes": axes, "batch": batch}
    )[0]
    updates = array(dtype, picked.shape, 2)  # type: ignore[union-attr, arg-type]
    attributes = {"axes": axes, "batch": batch, "mode": mode, **more}
    return Case(ops.scatter, (x, updates, *index), attributes)


def window(dtype: Any, shape: tuple[int, ...], starts: tuple[int, ...], sizes: Any) -> Case:
    places = tuple([np.asarray(i, np.int64) for i in starts])
    return Case(ops.dynamic_slice, (array(dtype, shape), *places), {"sizes": sizes})


def update(dtype: Any, shape: tuple[int, ...], starts: tuple[int, ...], sizes: Any) -> Case:
    places = tuple([np.asarray(i, np.int32) for i in starts])
    return Case(ops.dynamic_update_slice, (array(dtype, shape), array(dtype, sizes, 1), *places))


def takes(mode: str, dtype: Any) -> bool:
    if mode in ("min", "max"):
        return not is_complex(dtype)
    return mode == "set" or not is_bool(dtype)


SHAPE = (3, 4, 5)
EACH = np.asarray([[2, 0], [3, 3]])
MODES = ("set", "add", "mul", "min", "max")

GATHERS: list[Case] = [
    *[picks(d, SHAPE, EACH, axes=(1,)) for d in DTYPES],
    *[picks(F, SHAPE, indices((6,), 0, 5, d), axes=(2,)) for d in INDEX_DTYPES],
    picks(F, (7,), np.asarray(3), axes=(0,)),
    picks(F, (7,), indices((5,), -20, 20), axes=(0,)),
    picks(F, (7,), np.asarray([2**63, 2**64 - 1, 3], np.uint64), axes=(0,)),
    picks(F, (300,), indices((5,), -128, 127, "int8"), axes=(0,)),
    picks(F, (4, 0), indices((3,), 0, 4), axes=(0,)),
    picks(F, (0, 4), indices((0,), 0, 1), axes=(0,)),
    picks(F, (0, 4), indices((2, 0), 0, 1), axes=(0,)),
    picks(F, (4, 5), indices((0, 3), 0, 4), axes=(1,)),
    picks(F, SHAPE, indices((2, 3), 0, 3), indices((2, 3), 0, 4, seed=1), axes=(0, 1)),
    picks(F, SHAPE, indices((2,), 0, 3), indices((2,), -9, 9, seed=1), axes=(0, 2)),
    picks(F, SHAPE, *[indices((), 0, 3, "int32", i) for i in range(3)], axes=(0, 1, 2)),
    picks(F, SHAPE, indices((3, 2), 0, 4), axes=(1,), batch=1),
    picks(F, SHAPE, indices((3, 4, 6), 0, 5), axes=(2,), batch=2),
    picks(F, SHAPE, indices((3, 2, 2), -2, 9), axes=(2,), batch=1),
    picks(F, (2, *SHAPE), *[indices((2, 3), 0, 4, seed=i) for i in (0, 1)], axes=(1, 3), batch=1),
    picks(F, (0, 4), indices((0, 3), 0, 4), axes=(1,), batch=1),
]

SCATTERS: list[Case] = [
    *[puts(m, d, SHAPE, EACH, axes=(1,)) for m in MODES for d in DTYPES if takes(m, d)],
    *[puts("add", F, SHAPE, indices((6,), 0, 5, d), axes=(2,)) for d in INDEX_DTYPES],
    *[puts(m, F, SHAPE, np.asarray([3, 0]), axes=(1,), unique=True) for m in MODES],
    *[puts(m, F, (7,), indices((9,), -3, 12), axes=(0,)) for m in MODES],
    puts("set", F, (7,), np.asarray(3), axes=(0,)),
    puts("set", F, (0, 4), indices((0,), 0, 1), axes=(0,)),
    puts("add", F, (4, 0), indices((3,), 0, 4), axes=(0,)),
    puts("set", F, (4, 5), indices((0, 3), 0, 4), axes=(1,)),
    puts("set", F, SHAPE, indices((4, 3), 0, 3), indices((4, 3), 0, 4, seed=1), axes=(0, 1)),
    puts("add", F, SHAPE, indices((8,), 0, 3), indices((8,), -9, 9, seed=1), axes=(0, 2)),
    puts("set", F, SHAPE, *[indices((5,), 0, 3, "int32", i) for i in range(3)], axes=(0, 1, 2)),
    puts("set", F, SHAPE, indices((3, 6), 0, 4), axes=(1,), batch=1),
    puts("add", F, SHAPE, indices((3, 4, 6), 0, 5), axes=(2,), batch=2),
    puts("max", F, SHAPE, indices((3, 2, 2), -2, 9), axes=(2,), batch=1),
    Case(
        ops.scatter,
        (
            np.zeros(3, F),
            np.arange(6, dtype=F).reshape(2, 3).T,
            np.asarray([[0, 1, 0], [1, 2, 0]]).T,
        ),
        {"axes": (0,)},
    ),
]

SLICES: list[Case] = [
    *[window(d, (4, 5), (1, 2), (2, 3)) for d in DTYPES],
    window(F, (), (), ()),
    window(F, (7,), (-3,), (4,)),
    window(F, (7,), (6,), (4,)),
    window(F, (7,), (2,), (0,)),
    window(F, (0, 3), (1, 1), (0, 2)),
    window(F, (2, 3, 4), (1, 0, 9), (1, 3, 2)),
    Case(
        ops.dynamic_slice,
        (array(F, (300,)), np.asarray(200, np.uint8)),
        {"sizes": (7,)},
    ),
    Case(ops.dynamic_slice, (array(F, (9,)), np.asarray(2**64 - 1, np.uint64)), {"sizes": (7,)}),
]

UPDATES: list[Case] = [
    *[update(d, (4, 5), (1, 2), (2, 3)) for d in DTYPES],
    update(F, (), (), ()),
    update(F, (7,), (-3,), (4,)),
    update(F, (7,), (6,), (4,)),
    update(F, (7,), (2,), (0,)),
    update(F, (0, 3), (1, 1), (0, 2)),
    update(F, (2, 3, 4), (1, 0, 9), (1, 3, 2)),
    update(F, (2, 3), (0, 0), (2, 3)),
]

CASES: list[Case] = [*GATHERS, *SCATTERS, *SLICES, *UPDATES]
OPS: tuple[Op, ...] = (ops.gather, ops.scatter, ops.dynamic_slice, ops.dynamic_update_slice)
