"""Cases of the ops that move elements: every dtype once, awkward shapes for one dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from plait.ir import DTYPES, Op, ops
from tests.ir.op_cases import Case, array

F = "float32"


def each_dtype(op: Op, shapes: tuple[tuple[int, ...], ...], **attributes: Any) -> list[Case]:
    return [
        Case(op, tuple([array(d, s, seed) for seed, s in enumerate(shapes)]), attributes)
        for d in DTYPES
    ]


def on(op: Op, *shapes: tuple[int, ...], **attributes: Any) -> Case:
    return Case(op, tuple([array(F, s, seed) for seed, s in enumerate(shapes)]), attributes)


def cut(shape: tuple[int, ...], *slices: slice) -> Case:
    bounds = [s.indices(n) for s, n in zip(slices, shape, strict=True)]
    starts, stops, steps = zip(*bounds, strict=True) if bounds else ((), (), ())
    return on(ops.slice_, shape, starts=starts, stops=stops, steps=steps)


def padded(shape: tuple[int, ...], low: Any, high: Any, interior: Any) -> Case:
    return on(ops.pad, shape, (), low=low, high=high, interior=interior)


CASES: list[Case] = [
    *each_dtype(ops.broadcast_to, ((3, 1),), shape=(2, 3, 4)),
    on(ops.broadcast_to, (), shape=()),
    on(ops.broadcast_to, (), shape=(2, 3)),
    on(ops.broadcast_to, (1,), shape=(0,)),
    on(ops.broadcast_to, (1, 3), shape=(0, 3)),
    on(ops.broadcast_to, (2, 3), shape=(2, 3)),
    on(ops.broadcast_to, (0,), shape=(5, 0)),
    *each_dtype(ops.reshape, ((2, 6),), shape=(3, 4)),
    on(ops.reshape, (), shape=(1, 1)),
    on(ops.reshape, (1,), shape=()),
    on(ops.reshape, (0, 3), shape=(2, 0, 5)),
    on(ops.reshape, (2, 3, 4), shape=(24,)),
    *each_dtype(ops.stop_gradient, ((2, 3),)),
    on(ops.stop_gradient, ()),
    on(ops.stop_gradient, (0, 3)),
    *each_dtype(ops.transpose, ((2, 3, 4),), permutation=(2, 0, 1)),
    on(ops.transpose, (), permutation=()),
    on(ops.transpose, (3,), permutation=(0,)),
    on(ops.transpose, (2, 0), permutation=(1, 0)),
    on(ops.transpose, (1, 2, 3, 4), permutation=(3, 1, 0, 2)),
    *each_dtype(ops.slice_, ((5, 6),), starts=(1, 5), stops=(4, -1), steps=(1, -2)),
    cut(()),
    cut((0,), slice(None)),
    cut((7,), slice(None, None, -1)),
    cut((7,), slice(5, 1, -3)),
    cut((7,), slice(2, 2)),
    cut((7,), slice(6, 2, 2)),
    cut((7,), slice(-1, None)),
    cut((4, 5, 6), slice(1, 3), slice(None, None, 2), slice(4, 0, -3)),
    *each_dtype(ops.concat, ((2, 3), (2, 1), (2, 2)), axis=1),
    on(ops.concat, (3,), axis=0),
    on(ops.concat, (0, 2), (3, 2), (0, 2), axis=0),
    on(ops.concat, (2, 3, 4), (2, 3, 4), axis=2),
    *each_dtype(ops.split, ((2, 6),), sizes=(1, 3, 2), axis=1),
    on(ops.split, (4,), sizes=(4,), axis=0),
    on(ops.split, (4, 2), sizes=(0, 4, 0), axis=0),
    on(ops.split, (0, 2), sizes=(0, 0), axis=0),
    on(ops.split, (2, 3, 8), sizes=(2, 2, 2, 2), axis=2),
    *each_dtype(ops.pad, ((2, 3), ()), low=(1, 0), high=(0, 2), interior=(1, 0)),
    padded((), (), (), ()),
    padded((0,), (2,), (1,), (3,)),
    padded((4,), (0,), (0,), (2,)),
    padded((2, 3), (0, 0), (0, 0), (0, 0)),
    padded((2, 0, 3), (1, 1, 1), (0, 1, 2), (0, 0, 1)),
    Case(ops.reshape, (np.ones((4, 6), F)[:, ::2],), {"shape": (3, 4)}),
    Case(
        ops.slice_, (np.ones((4, 6), F).T,), {"starts": (5, 0), "stops": (-1, 4), "steps": (-1, 3)}
    ),
]
