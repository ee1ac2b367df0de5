"""Cases of the contractions: every dtype, batches, empty and vector-like operands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plait.ir import DTYPES, ops
from tests.ir.op_cases import Case, array

F = "float32"


def finite(dtype: Any, shape: tuple[int, ...], seed: int) -> Any:
    return array(dtype, shape, seed, specials=False)


def matmuls() -> Iterator[Case]:
    for dtype in DTYPES:
        yield Case(ops.matmul, (finite(dtype, (3, 4), 0), finite(dtype, (4, 5), 1)))
    for x, y in (
        ((1, 1), (1, 1)),
        ((0, 4), (4, 3)),
        ((3, 0), (0, 2)),
        ((1, 7), (7, 1)),
        ((2, 3, 4), (2, 4, 5)),
        ((2, 1, 3, 4), (2, 1, 4, 2)),
        ((0, 3, 4), (0, 4, 5)),
        ((17, 33), (33, 9)),
    ):
        yield Case(ops.matmul, (finite(F, x, 0), finite(F, y, 1)))
    yield Case(ops.matmul, (array(F, (3, 4), 0), array(F, (4, 2), 1)))
    yield Case(ops.matmul, (finite("float16", (2, 300), 0), finite("float16", (300, 2), 1)))
    yield Case(ops.matmul, (finite(F, (4, 3), 0).T, finite(F, (5, 4), 1).T))


def dots() -> Iterator[Case]:
    attributes: dict[str, Any] = {"contracting": ((2,), (0,)), "batch": ((0,), (2,))}
    for dtype in DTYPES:
        operands = (finite(dtype, (2, 3, 4), 0), finite(dtype, (4, 5, 2), 1))
        yield Case(ops.dot_general, operands, attributes)
    for x, y, contracting, batch in (
        ((), (), ((), ()), ((), ())),
        ((3,), (3,), ((0,), (0,)), ((), ())),
        ((3,), (2,), ((), ()), ((), ())),
        ((3, 2), (3, 2), ((0, 1), (0, 1)), ((), ())),
        ((3, 2), (2, 3), ((0, 1), (1, 0)), ((), ())),
        ((3, 2), (3, 2), ((), ()), ((0, 1), (0, 1))),
        ((2, 0, 3), (0, 3), ((1,), (0,)), ((2,), (1,))),
        ((2, 3, 4, 5), (5, 2, 6), ((3,), (0,)), ((0,), (1,))),
    ):
        operands = (finite(F, x, 0), finite(F, y, 1))
        yield Case(ops.dot_general, operands, {"contracting": contracting, "batch": batch})


CASES: list[Case] = [*matmuls(), *dots()]
