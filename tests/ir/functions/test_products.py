"""Products and einsum equal NumPy's; halves accumulate in float32; einsum picks a cheap order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait.ir import GraphBuilder, TensorType, as_dtype, functions
from plait.ir.errors import DTypeError, ParseError, PlaitError, ShapeError
from plait.ir.op import node_flops
from tests.payloads import run

DTYPES = ["bool", "int8", "int32", "uint64", "float32", "float64", "complex64"]
# Sums in another order differ in the last bits: some units of the last place of the largest term.
TOLERANCE = {"float32": 1e-5, "complex64": 1e-5, "float64": 1e-13}


def numbers(shape: tuple[int, ...], dtype: str = "float64", seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    values = random.integers(0, 5, shape) + (1j if dtype == "complex64" else 0)
    return np.asarray(values).astype(dtype)


def check(function: Any, model: Any, *arrays: Any) -> None:
    found, wanted = run(function, *arrays), np.asarray(model(*arrays))
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    limit = TOLERANCE.get(wanted.dtype.name, 0)
    np.testing.assert_allclose(found, wanted, rtol=limit, atol=limit)


MATMULS = [
    ((2, 3), (3, 4)),
    ((3,), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3,)),
    ((5, 2, 3), (3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((1, 2, 3), (5, 3, 4)),
    ((6, 1, 2, 3), (5, 3, 4)),
    ((2, 3), (5, 3, 4)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 3)),
    ((0, 2, 3), (3, 4)),
]


@pytest.mark.parametrize(("left", "right"), MATMULS, ids=str)
def test_matmul_shapes(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    check(functions.matmul, np.matmul, numbers(left), numbers(right, seed=1))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("other", DTYPES)
def test_matmul_dtypes(dtype: str, other: str) -> None:
    check(functions.matmul, np.matmul, numbers((2, 3), dtype), numbers((3, 2), other, 1))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_are_rounded_once(dtype: str) -> None:
    x = np.full((1, 4096), 1, as_dtype(dtype))
    y = np.full((4096, 1), 1, as_dtype(dtype))
    assert run(functions.matmul, x, y).item() == 4096
    assert run(lambda a, b: functions.einsum("ij,jk", a, b), x, y).item() == 4096


@pytest.mark.parametrize("name", ["dot", "inner", "outer", "kron"])
@pytest.mark.parametrize(
    ("left", "right"), [((), (3,)), ((3,), (3,)), ((2, 3), (3, 3)), ((4, 2, 3), (5, 3, 3))]
)
def test_numpys_products(name: str, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    check(getattr(functions, name), getattr(np, name), numbers(left), numbers(right, seed=1))


@pytest.mark.parametrize("dtype", DTYPES)
def test_vector_products_keep_the_dtype(dtype: str) -> None:
    x, y = numbers((4, 3), dtype), numbers((4, 3), dtype, 1)
    check(functions.vdot, np.vdot, x, y)
    check(functions.vecdot, np.vecdot, x, y)


def test_vector_products_conjugate_the_first() -> None:
    x, y = numbers((4, 3), "complex64"), numbers((4, 3), "complex64", 1)
    check(functions.vdot, np.vdot, x, y)
    check(functions.vecdot, np.vecdot, x, y)
    check(functions.vecdot, np.vecdot, x, y[0])
    check(
        lambda a, b: functions.vecdot(a, b, axis=0),
        lambda a, b: np.vecdot(a.T, b.T),
        x,
        y,
    )


@pytest.mark.parametrize("axes", [0, 1, 2, ([1, 2], [0, 1]), (2, 1), ([-1], [1])], ids=str)
def test_tensordot(axes: Any) -> None:
    x, y = numbers((4, 3, 2)), numbers((3, 2, 4), seed=1)
    if axes == 1:
        y = numbers((2, 5), seed=1)
    if axes == ([1, 2], [0, 1]) or axes == 2:
        y = numbers((3, 2, 5), seed=1)
    check(lambda a, b: functions.tensordot(a, b, axes), lambda a, b: np.tensordot(a, b, axes), x, y)


@pytest.mark.parametrize("dtype", ["int32", "float32", "bool"])
def test_trace(dtype: str) -> None:
    x = numbers((3, 4, 2), dtype)
    for offset in (-1, 0, 2):
        check(lambda a, k=offset: functions.trace(a, k), lambda a, k=offset: np.trace(a, k), x)


@pytest.mark.parametrize("power", [0, 1, 2, 3, 7])
def test_matrix_power(power: int) -> None:
    x = numbers((2, 3, 3))
    check(lambda a: functions.matrix_power(a, power), lambda a: np.linalg.matrix_power(a, power), x)


EINSUMS: list[tuple[str, list[tuple[int, ...]]]] = [
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("ij,jk", [(2, 3), (3, 4)]),
    ("ba", [(2, 3)]),
    ("ii", [(3, 3)]),
    ("ii->i", [(3, 3)]),
    ("iij->ji", [(3, 3, 2)]),
    ("iii->i", [(3, 3, 3)]),
    ("ij->", [(2, 3)]),
    ("i,i", [(3,), (3,)]),
    ("i,j->ij", [(3,), (2,)]),
    ("i,i->i", [(3,), (3,)]),
    ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]),
    ("bij,bkj->bki", [(2, 3, 4), (2, 5, 4)]),
    ("...ij,...jk->...ik", [(5, 2, 3), (3, 4)]),
    ("...i,...i", [(5, 2, 3), (2, 3)]),
    ("i...->...", [(5, 2, 3)]),
    ("...->...", [(5, 2)]),
    ("ij,ij,ij->i", [(2, 3), (2, 3), (2, 3)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)]),
    ("ab,bc,cd,de->ae", [(2, 30), (30, 3), (3, 20), (20, 2)]),
    ("i,j,k->kji", [(2,), (3,), (4,)]),
    ("ij,kl->", [(2, 3), (4, 5)]),
    ("ij,j->ij", [(2, 3), (1,)]),
    ("bqhd,bkhd->bhqk", [(2, 3, 4, 5), (2, 6, 4, 5)]),
    (",ij->ji", [(), (2, 3)]),
    ("ij,jk->ik", [(0, 3), (3, 4)]),
    ("ij,jk->ik", [(2, 0), (0, 4)]),
    ("aab,bcc->ac", [(2, 2, 3), (3, 4, 4)]),
    (" i j , j k -> i k ", [(2, 3), (3, 4)]),
]


@pytest.mark.parametrize(("subscripts", "shapes"), EINSUMS, ids=str)
def test_einsum(subscripts: str, shapes: list[tuple[int, ...]]) -> None:
    arrays = [numbers(s, seed=i) for i, s in enumerate(shapes)]
    check(
        lambda *xs: functions.einsum(subscripts, *xs),
        lambda *xs: np.einsum(subscripts, *xs),
        *arrays,
    )


def test_einsum_of_lists() -> None:
    x, y = numbers((2, 3)), numbers((3, 4), seed=1)
    tails: list[list[Any]] = [[[0, 2]], [[2, 0]], [[]], []]
    for tail in tails:
        check(
            lambda a, b, t=tail: functions.einsum(a, [0, 1], b, [1, 2], *t),
            lambda a, b, t=tail: np.einsum(a, [0, 1], b, [1, 2], *t),
            x,
            y,
        )
    check(lambda a: functions.einsum(a, [30, 5]), lambda a: np.einsum(a, [30, 5]), x)
    check(
        lambda a, b: functions.einsum(a, (..., 1), b, (1, 0), (0, ...)),
        lambda a, b: np.einsum(a, [..., 1], b, [1, 0], [0, ...]),
        x,
        y,
    )


@given(st.data())
def test_random_einsums(data: st.DataObject) -> None:
    sizes = dict(zip("abcd", data.draw(st.tuples(*[st.integers(0, 3)] * 4)), strict=True))
    term = st.text("abcd", max_size=3)
    terms = data.draw(st.lists(term, min_size=1, max_size=3))
    letters = sorted(set("".join(terms)))
    kept = data.draw(st.lists(st.sampled_from(letters), unique=True)) if letters else []
    subscripts = f"{','.join(terms)}->{''.join(kept)}"
    arrays = [numbers(tuple(sizes[c] for c in t), seed=i) for i, t in enumerate(terms)]
    check(
        lambda *xs: functions.einsum(subscripts, *xs),
        lambda *xs: np.einsum(subscripts, *xs),
        *arrays,
    )


def test_einsum_takes_the_cheaper_order() -> None:
    builder = GraphBuilder("chain")
    types = [TensorType(as_dtype("float32"), s) for s in ((1000, 10), (10, 1000), (1000, 1))]
    values = [builder.input(t) for t in types]
    with builder:
        result = functions.einsum("ij,jk,kl->il", *values)
    nodes = builder.build([result]).nodes
    flops = sum(
        node_flops(
            n.op,
            tuple(v.type for v in n.operands),
            tuple(v.type for v in n.results),
            n.attributes,
        )
        for n in nodes
    )
    assert flops == 2 * 10 * 1000 + 2 * 1000 * 10


def test_a_plain_product_is_one_op() -> None:
    builder = GraphBuilder("plain")
    x = builder.input(TensorType(as_dtype("float32"), (2, 3)))
    with builder:
        product = functions.matmul(x, functions.transpose(x))
        spelled = functions.einsum("ij,kj->ik", x, x)
    names = [node.op.name for node in builder.build([product, spelled]).nodes]
    assert names == ["transpose", "matmul", "dot_general"]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: functions.matmul(numbers((2, 3)), numbers((2, 3))), ShapeError, "3 and 2"),
        (lambda: functions.matmul(2.0, numbers((2, 3))), ShapeError, "0-d"),
        (
            lambda: functions.matmul(numbers((2, 2, 3)), numbers((3, 3, 3))),
            ShapeError,
            "broadcast",
        ),
        (lambda: functions.dot(numbers((2,)), numbers((3,))), ShapeError, "differ"),
        (lambda: functions.tensordot(numbers((2,)), numbers((3,)), 2), ShapeError, "2 axes"),
        (lambda: functions.matrix_power(numbers((2, 3)), 2), ShapeError, "square"),
        (lambda: functions.matrix_power(numbers((2, 2)), -1), ShapeError, "power"),
        (lambda: functions.einsum("ij,jk", numbers((2, 3))), ShapeError, "2 operands"),
        (lambda: functions.einsum("ij", numbers((2,))), ShapeError, "1 axes"),
        (lambda: functions.einsum("ij->k", numbers((2, 3))), ParseError, "'k'"),
        (lambda: functions.einsum(numbers((2, 3)), "ij"), ParseError, "come first"),
        (lambda: functions.einsum("i1", numbers((2, 3))), ParseError, "letters"),
        (lambda: functions.einsum(numbers((2,)), [52]), ParseError, r"\[0, 52\)"),
        (lambda: functions.einsum(numbers((2,)), 0.5), ParseError, "list of numbers"),
        (lambda: functions.einsum(numbers((2,)), [0], numbers((2,))), ParseError, "list of"),
        (lambda: functions.einsum("ij->ii", numbers((2, 3))), ParseError, "twice"),
        (lambda: functions.einsum("i,i", numbers((2,)), numbers((3,))), ShapeError, "2 and 3"),
        (lambda: functions.einsum("...i->i", numbers((2, 3))), ParseError, "lacks"),
        (lambda: functions.matmul(["a"], [1]), DTypeError, "numbers"),
    ],
)
def test_bad_products_say_what_is_wrong(call: Any, error: type[PlaitError], words: str) -> None:
    with pytest.raises(error, match=words):
        call()
