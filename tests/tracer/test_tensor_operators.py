"""Operators and elementwise functions: the fast path means what the record means."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.ir import DTYPES, dispatch, functions
from plait.tracer import wrap
from plait.tracer.tensor_functions import BINARY, UNARY
from plait.tracer.tensor_handle import run

NAMES = [d.name for d in DTYPES]
BINARY_OPERATORS = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "floor_divide": operator.floordiv,
    "remainder": operator.mod,
    "power": operator.pow,
    "bitwise_and": operator.and_,
    "bitwise_or": operator.or_,
    "bitwise_xor": operator.xor,
    "bitwise_left_shift": operator.lshift,
    "bitwise_right_shift": operator.rshift,
    "matmul": operator.matmul,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
    "not_equal": operator.ne,
}


def sample(dtype: str) -> Any:
    return np.asarray([0, 1, 2, 3], "int32").astype(pl.zeros((), dtype=dtype).dtype)


def attempt(function: Callable[..., Any], *args: Any) -> Any:
    """The result's payload, or the class of Plait's error."""
    with np.errstate(all="ignore"):
        try:
            return function(*args)._data
        except pl.errors.PlaitError as error:
            return type(error)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, type) or isinstance(other, type):
        return one is other
    equal_bits = one.tobytes() == other.tobytes()
    return bool(one.dtype == other.dtype and one.shape == other.shape and equal_bits)


@pytest.mark.parametrize("dtype", NAMES)
@pytest.mark.parametrize("name", sorted(UNARY))
def test_fast_unary_functions_are_the_record(name: str, dtype: str) -> None:
    for array in (sample(dtype), sample(dtype)[1], sample(dtype)[:0]):
        fast = attempt(getattr(pl, name), wrap(np.asarray(array)))
        slow = attempt(lambda x: run(getattr(functions, name), (x,), {}), wrap(np.asarray(array)))
        assert same(fast, slow), (fast, slow)


@pytest.mark.parametrize("dtype", NAMES)
@pytest.mark.parametrize("name", sorted(BINARY))
def test_fast_binary_functions_are_the_record(name: str, dtype: str) -> None:
    for second in NAMES:
        pair = (wrap(sample(dtype)), wrap(sample(second)[::-1]))
        fast = attempt(getattr(pl, name), *pair)
        slow = attempt(lambda x, y: run(getattr(functions, name), (x, y), {}), *pair)
        assert same(fast, slow), (second, fast, slow)


@pytest.mark.parametrize("dtype", NAMES)
@pytest.mark.parametrize("name", BINARY_OPERATORS)
def test_operators_are_the_functions(name: str, dtype: str) -> None:
    apply, function = BINARY_OPERATORS[name], getattr(functions, name)
    x = wrap(sample(dtype))
    others: list[Any] = [wrap(sample(d)) for d in ("int32", "float32", dtype)]
    if name != "matmul":
        others += [2, 2.5, True, 1j, -1, 300]
    for other in others:
        fast, slow = (attempt(f, x, other) for f in (apply, lambda a, b: run(function, (a, b), {})))
        assert same(fast, slow), (other, fast, slow)
        if type(other) in (int, float, bool, complex):
            fast, slow = (
                attempt(f, other, x) for f in (apply, lambda a, b: run(function, (a, b), {}))
            )
            assert same(fast, slow), (other, fast, slow)


def test_unary_operators() -> None:
    x = pl.asarray([-1, 2])
    assert (-x).tolist() == [1, -2]
    assert (+x).tolist() == [-1, 2]
    assert abs(x).tolist() == [1, 2]
    assert (~x).tolist() == [0, -3]
    assert (~pl.asarray([True, False])).tolist() == [False, True]


def test_divmod_and_round() -> None:
    quotient, rest = divmod(pl.asarray([7, -7]), 3)
    assert (quotient.tolist(), rest.tolist()) == ([2, -3], [1, 2])
    quotient, rest = divmod(7, pl.asarray([2, 3]))
    assert (quotient.tolist(), rest.tolist()) == ([3, 2], [1, 1])
    assert round(pl.constant(2.567), 1).item() == pytest.approx(2.6)
    x = pl.constant(1.5)
    assert [f(x).item() for f in (math.floor, math.ceil, math.trunc)] == [1, 2, 1]


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "power", "divide", "matmul"])
def test_in_place_operators_are_numpys(name: str) -> None:
    symbol = {"subtract": "sub", "multiply": "mul", "power": "pow", "divide": "truediv"}
    apply = getattr(operator, "i" + symbol.get(name, name))
    array, other = np.eye(3, dtype=np.float32) + 1, np.eye(3, dtype=np.float32) * 2 + 1
    x = pl.asarray(array)
    view, kept = x[0], x
    x = apply(x, pl.asarray(other))
    apply(array, other)
    assert x is kept
    np.testing.assert_allclose(x, array, rtol=1e-6)
    np.testing.assert_allclose(view, array[0], rtol=1e-6)


def test_in_place_operators_keep_the_dtype() -> None:
    x = pl.asarray([1, 2])
    with pytest.raises(pl.errors.DTypeError, match=r"x = x \+ y"):
        x += 1.5
    x += True
    assert x.dtype == pl.int32
    b = pl.zeros(2, dtype="bfloat16")
    b += 1.5
    assert b.dtype == pl.bfloat16
    assert b.tolist() == [1.5, 1.5]


def test_in_place_operators_keep_the_shape() -> None:
    x = pl.zeros(3)
    with pytest.raises(pl.errors.ShapeError, match="in-place add"):
        x += pl.zeros((2, 3))


def test_lists_arrays_and_scalars_are_operands() -> None:
    x = pl.asarray([1.0, 2.0])
    ones = [1.0, 1.0]
    assert (x + ones).dtype == pl.float32
    assert (ones + x).tolist() == [2, 3]
    assert (np.float64(2) * x).dtype == pl.float64
    assert isinstance(np.ones(2) + x, pl.Tensor)
    assert (np.arange(2) @ x).item() == 2


def test_foreign_operands_are_left_to_them() -> None:
    class Foreign:
        def __radd__(self, other: Any) -> str:
            return "mine"

    x: Any = pl.zeros(2)
    assert x + Foreign() == "mine"
    assert (x == None) is False  # noqa: E711
    assert x != "text"
    with pytest.raises(TypeError, match="unsupported operand"):
        x + "text"


def test_zero_dimensional_results_are_arrays() -> None:
    x = pl.constant(2.0)
    for result in (x + x, x * 2, 2 - x, -x, pl.tanh(x), x < 3, x @ x if x.ndim else x, x[...]):
        assert type(result._data) is np.ndarray
        assert result.shape == ()


def test_tensors_are_not_hashable_as_ndarrays() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(pl.zeros(2))


def test_size_one_converts() -> None:
    x = pl.asarray([[3]])
    assert (int(x), float(x), complex(x), bool(x)) == (3, 3.0, 3 + 0j, True)
    assert [10, 20, 30, 40][pl.constant(2)] == 30
    with pytest.raises(pl.errors.ShapeError, match="one element"):
        bool(pl.zeros(2))
    with pytest.raises(pl.errors.ShapeError, match="one element"):
        float(pl.zeros(0))
    with pytest.raises(TypeError, match="index"):
        operator.index(pl.constant(1.0))
    with pytest.raises(TypeError, match="index"):
        operator.index(pl.asarray([1]))


def test_len_iteration_and_membership() -> None:
    x = pl.asarray([[1, 2], [3, 4]])
    assert len(x) == 2
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert 3 in x
    assert 7 not in x
    with pytest.raises(TypeError, match="0-d"):
        len(pl.constant(1))
    with pytest.raises(TypeError, match="0-d"):
        iter(pl.constant(1))


@pytest.mark.parametrize(
    ("attempted", "kind", "words"),
    [
        (lambda: pl.zeros((2, 3)) + pl.zeros(2), "ShapeError", ["add", "(2, 3)", "(2,)"]),
        (lambda: pl.zeros((2, 3)) @ pl.zeros((2, 3)), "ShapeError", ["matmul"]),
        (lambda: pl.zeros(2)[5], "IndexOutOfRangeError", ["x[5]", "(2,)"]),
        (lambda: pl.zeros(2)[0, 1], "IndexOutOfRangeError", ["x[0, 1]"]),
        (lambda: pl.zeros(2, dtype="int8") + 300, "DTypeError", ["300", "int8"]),
        (lambda: pl.zeros(2) << 1, "DTypeError", ["float32"]),
        (lambda: pl.asarray([True]) - pl.asarray([True]), "DTypeError", ["subtract", "bool"]),
        (lambda: pl.reshape(pl.zeros(4), (3,)), "ShapeError", ["reshape", "4", "3"]),
        (lambda: pl.zeros(3).__setitem__(0, [1, 2]), "ShapeError", ["x[...]", "(3,)"]),
        (lambda: pl.zeros(3).__setitem__(0, 1j), "DTypeError", ["complex", "float32"]),
        (lambda: pl.asarray("text"), "DTypeError", ["str"]),
        (lambda: pl.asarray([[1], [1, 2]]), "ShapeError", ["rows"]),
        (lambda: pl.gather([0, 1, 2], 7), "IndexOutOfRangeError", ["gather", "7", "[0, 3)"]),
    ],
)
def test_errors_name_what_and_where(
    attempted: Callable[[], Any], kind: str, words: list[str]
) -> None:
    with pytest.raises(getattr(pl.errors, kind)) as caught:
        attempted()
    text = str(caught.value)
    assert all(word in text for word in words), text
    line = attempted.__code__.co_firstlineno
    assert f"test_tensor_operators.py:{line}" in text


def test_a_raised_numpy_warning_stays_a_warning() -> None:
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        pl.log(pl.zeros(1))
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        pl.ones(1) / pl.zeros(1)


def test_the_fast_path_is_taken() -> None:
    x = pl.zeros(4)
    assert not dispatch.active
    made = x + x
    assert not hasattr(made, "_storage")  # the slower ways set it


def numbers(x: Any, n: Any) -> Any:
    return x * n, n * n, n / 2 > 1


def test_runtime_numbers_are_weak_among_tensors_and_wide_alone() -> None:
    f = pl.graph_function(numbers, backend="reference")
    x = pl.ones(2)
    for n in (1.1, 2.2, 3.3):
        scaled, squared, larger = f(x, n)
        assert scaled.dtype == pl.float32
        assert float(squared) == n * n
        assert bool(larger) == (n / 2 > 1)


def test_kinds_of_results_in_a_trace() -> None:
    kinds: dict[str, str] = {}

    def note(a: Any, t: Any) -> Any:
        kinds.update(
            aa=(a + a)._kind, at=(a + t)._kind, an=(2 * a)._kind, np=np.tanh(a)._kind,
            pl=pl.tanh(a)._kind, sum=a.sum()._kind, key=a[0]._kind, cmp=(a > 1)._kind,
            raw=(np.ones(2) + a)._kind, T=a.T._kind,
        )  # fmt: skip
        return a + a

    result = pl.graph_function(note, backend="reference")(np.ones(2), pl.ones(2))
    assert type(result) is np.ndarray
    assert kinds.pop("at") == kinds.pop("pl") == "tensor"
    assert set(kinds.values()) == {"ndarray"}


@pytest.mark.parametrize(
    "use", [lambda x: x.numpy(), lambda x: x.tobytes(), operator.index, np.asarray, list]
)
def test_a_traced_value_is_not_known(use: Callable[[Any], Any]) -> None:
    def needs(x: Any) -> Any:
        use(x)
        return x

    with pytest.raises((pl.errors.TraceError, TypeError)) as caught:
        pl.graph_function(needs, backend="reference", fullgraph=True)(pl.constant(1))
    if use is not list:
        assert "traced" in str(caught.value)
        assert "test_tensor_operators.py" in str(caught.value)


def test_a_leaked_tensor_says_so() -> None:
    kept: list[Any] = []
    queue = SimpleQueue[Any]()  # its methods are not looked into

    def leak(x: Any) -> Any:
        queue.put(x + 1)
        return x

    pl.graph_function(leak, backend="reference")(pl.zeros(2))
    kept.append(queue.get())
    for use in (lambda t: t + 1, pl.tanh, np.asarray, np.tanh, lambda t: t[0]):
        with pytest.raises(pl.errors.LeakedTracerError, match="outside of the traced function"):
            use(kept[0])
    assert "traced" in repr(kept[0])


def test_a_leaked_tensor_says_so_inside_of_another_trace() -> None:
    kept: list[Any] = []
    queue = SimpleQueue[Any]()  # its methods are not looked into

    def keep(x: Any) -> Any:
        queue.put(x + 1)
        return x

    pl.graph_function(keep, backend="reference")(pl.zeros(2))
    kept.append(queue.get())
    for use in (np.asarray, lambda t: t.item(), lambda t: f"{t:.2f}", lambda t: t.tolist()):
        with pytest.raises(pl.errors.LeakedTracerError, match="outside of the traced function"):
            pl.graph_function(lambda x, use=use: use(kept[0]) + x, backend="reference")(pl.zeros(2))


def test_a_value_of_the_trace_around_this_one_has_not_leaked() -> None:
    def around(x: Any, n: int) -> Any:
        inner = pl.graph_function(lambda y: (np.asarray(x), y)[1], backend="reference")
        if n > 1:
            return pl.graph_function(lambda y: y * int(n), backend="reference")(x)
        return inner(x)

    with pytest.raises(pl.errors.TraceError, match="being traced"):
        pl.graph_function(around, backend="reference", fullgraph=True)(pl.zeros(2), 1)
    found = pl.graph_function(around, backend="reference")(pl.ones(2), 3)
    assert found.tolist() == [3, 3]


@pytest.mark.parametrize("spec", [".2f", ".3g", ">40"])
def test_a_format_needs_the_value(spec: str) -> None:
    text_of = operator.methodcaller("__format__", spec)  # a call that is not looked into
    with pytest.raises(pl.errors.TraceError, match=f"format '{spec}' needs the value"):
        pl.graph_function(lambda x: x * len(text_of(x)), fullgraph=True)(pl.zeros(()))
    assert format(pl.asarray(1.5), ".2f") == "1.50"


@pytest.mark.parametrize("key", [1.0, "a", [1.0], np.ones(2), slice(0, 1.5), (0, 1.5)], ids=str)
def test_what_is_no_index_is_one_error_eager_and_traced(key: Any) -> None:
    x = pl.zeros((3, 4))
    with pytest.raises(pl.errors.PlaitError) as eager:
        x[key]
    with pytest.raises(type(eager.value)):
        pl.graph_function(lambda x: x[key], backend="reference")(x)


def test_a_traced_tensor_of_floats_is_no_index() -> None:
    x: Any = pl.zeros(3)
    forms: list[Any] = [lambda x: x[x], pl.graph_function(lambda x: x[x], backend="reference")]
    for f in forms:
        with pytest.raises(pl.errors.IndexOutOfRangeError):
            f(x)
