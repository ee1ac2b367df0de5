"""A Python number that changes from call to call: a compiled function stays what it was."""

from __future__ import annotations

import inspect
import math
import numbers
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

import plait as pl

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
PARAMETERS = re.compile(r"Parameters\n-+\n(.*?)(?:\n\n[A-Z]\w+\n-+|\Z)", re.DOTALL)


def described(result: Any) -> Any:
    """Class, dtype, shape and bits of a result."""
    if isinstance(result, pl.Tensor):
        return ("Tensor", result.dtype.name, result.shape, result.numpy().tobytes())
    if isinstance(result, (np.ndarray, np.generic)):
        return (type(result).__name__, result.dtype.name, result.shape, result.tobytes())
    if isinstance(result, (list, tuple)):
        return (type(result).__name__, *map(described, result))
    if isinstance(result, dict):
        return ("dict", *[(described(k), described(v)) for k, v in result.items()])
    return (type(result).__name__, repr(result))


def outcome(function: Callable[..., Any], *args: Any) -> Any:
    """What a call gives, or the class of what it raises."""
    pl.random.seed(0)
    try:
        return described(function(*args))
    except Exception as error:
        return next(c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins")


def assert_same(
    function: Callable[..., Any], values: Sequence[Any] = (2, 1, 3, 1), x: Any = X
) -> None:
    """The compiled function gives what the function gives, for one number after the other."""
    compiled = pl.graph_function(function, backend="planned")
    wanted = [outcome(function, x, n) for n in values]
    assert any(type(w) is tuple for w in wanted), wanted
    for n, want in zip(values, wanted, strict=True):
        assert outcome(compiled, x, n) == want, n


def repeated_in_place(n: Any) -> Any:
    items = [1, 2]
    items *= n
    return items


def counted(x: Any, n: Any) -> Any:
    i = 0
    while i < n:
        x, i = x + 1, i + 1
    return x


PYTHON: dict[str, Callable[[Any, Any], Any]] = {
    "list * n": lambda x, n: [x] * n,
    "n * list": lambda x, n: n * [x],
    "tuple * n": lambda x, n: (x, 1) * n,
    "list *= n": lambda x, n: repeated_in_place(n),
    "str * n": lambda x, n: "ab" * n,
    "n * bytes": lambda x, n: n * b"ab",
    "f-string": lambda x, n: f"{n}",
    "f-string with a format": lambda x, n: f"{n:03d}",
    "str": lambda x, n: str(n),
    "%": lambda x, n: "%d %s" % (n, n),  # noqa: UP031
    "format": lambda x, n: "{}".format(n),  # noqa: UP032
    "dict key": lambda x, n: {n: x},
    "dict item": lambda x, n: {1: x, 2: x + 1, 3: x + 2}[n],
    "set": lambda x, n: sorted({n, 2}),
    "hash": lambda x, n: hash(n),
    "in a set": lambda x, n: n in {1, 2},
    "in a list": lambda x, n: n in [1, 2],
    "if": lambda x, n: x if n > 1 else -x,
    "and": lambda x, n: n and x,
    "while": counted,
    "range": lambda x, n: [x[0, 0, i] for i in range(n)],
    "match": lambda x, n: match(n),
    "isinstance": lambda x, n: (isinstance(n, int), isinstance(n, float), isinstance(n < 2, bool)),
    "numbers": lambda x, n: (isinstance(n, numbers.Integral), isinstance(n / 2, numbers.Integral)),
    "type": lambda x, n: type(n / 2 if n.bit_length() else n) is float,
    "int": lambda x, n: int(n),
    "float": lambda x, n: float(n),
    "complex": lambda x, n: complex(n),
    "bool": lambda x, n: bool(n),
    "round": lambda x, n: (round(n / 3), round(n / 3, 2), round(1.23456, n)),
    "trunc": lambda x, n: math.trunc(n / 2),
    "floor": lambda x, n: math.floor(n / 2),
    "ceil": lambda x, n: math.ceil(n / 2),
    "math": lambda x, n: (math.sqrt(n), math.factorial(n), math.comb(5, n), x * math.log(n)),
    "chr": lambda x, n: (chr(64 + n), hex(n), bin(n)),
    "methods": lambda x, n: (n.bit_length(), n.numerator, (n / 2).is_integer(), n.to_bytes(2)),
    "list index": lambda x, n: ([1, 2, 3, 4][n], [1, 2, 3, 4][:n]),
    "slice": lambda x, n: (x[:n], x[..., n:], x[..., ::n]),
    "index": lambda x, n: (x[0, n - 1], x[..., n], x[0, n - 1 :, -n]),
    "shape": lambda x, n: pl.zeros((x.shape[0] + n, n * x.shape[1])),
    "comparisons": lambda x, n: (n < 2, n != 2, n == 2, max(n, 2), sorted([n, 2])),
    "arithmetic": lambda x, n: (n + 1, 2 - n, n * n, n / 2, 7 // n, 7 % n, -n, ~n, abs(-n), n & 1),
    "divmod": lambda x, n: divmod(7, n),
    "powers": lambda x, n: (n**2, 2**n, n**-1, (-n) ** 0.5, 0.5**n, 1e200**n if n < 2 else 0),
    "shifts": lambda x, n: (1 << n, n << 70, 8 >> n),
    "booleans": lambda x, n: ((n < 2) + (n < 3), -(n < 2), (n < 2) * n, (n < 2) & (n < 3)),
    "not of a bool": lambda x, n: (not (n < 2), (n < 2) ^ True),
    "division by zero": lambda x, n: (1 / (n - 3), 1 // (n - 3), 1 % (n - 3)),
    "division of zero": lambda x, n: x * (1.0 / (n - 1)),
    "weak": lambda x, n: (x * n, x + n * 0.5, x**n, n - x, x / (1 - 0.9**n)),
    "sum": lambda x, n: sum([n, n]),
    "a list of numbers": lambda x, n: pl.asarray([n, 2]),
    "attribute": lambda x, n: getattr(n, "real", None),
    "no index": lambda x, n: n[...] if n > 5 else n,
}


def match(n: Any) -> str:
    match n:
        case 1:
            return "one"
        case int():
            return "int"
        case _:
            return "other"


@pytest.mark.parametrize("kind", ["tensor", "ndarray"])
@pytest.mark.parametrize("name", PYTHON)
def test_python_gets_the_number(name: str, kind: str) -> None:
    assert_same(PYTHON[name], x=pl.asarray(X) if kind == "tensor" else X)


NUMPY: dict[str, Callable[[Any, Any], Any]] = {
    "shapes": lambda x, n: (np.zeros(n), np.ones((n, 2)), np.full((n,), 1.5), np.eye(n)),
    "arange": lambda x, n: (np.arange(n), np.linspace(0, 1, n)),
    "array": lambda x, n: (np.array([n, 2]), np.asarray(n), np.int8(n), np.float32(n)),
    "sqrt": lambda x, n: np.sqrt(n),
    "x * sqrt": lambda x, n: x * np.sqrt(n),
    "x + exp": lambda x, n: x + np.exp(n),
    "add": lambda x, n: (np.add(n, 1.5), np.add(n, 1), np.add(n, n)),
    "x * maximum": lambda x, n: x * np.maximum(n, 2),
    "ufuncs": lambda x, n: (np.less(n, 2), np.power(n, 2), np.sign(n), np.negative(n), np.sin(n)),
    "more ufuncs": lambda x, n: (np.floor(n / 2), np.isfinite(n), np.divide(n, 2), np.abs(-n)),
    "a scalar goes on": lambda x, n: x * (np.sqrt(n) * 2 + 1),
    "a scalar's value": lambda x, n: x[: int(np.sqrt(n))],
    "reductions": lambda x, n: (np.sum(n), np.mean(n), np.prod(n)),
    "clip": lambda x, n: (np.clip(n, 0, 2), np.clip(n, 0, 2.5), np.clip(x, n, 9)),
    "where": lambda x, n: (np.where(n > 1, n, 0), np.where(x > n, x, n), np.where(x > 1, n, 0)),
    "round": lambda x, n: (np.round(n / 3, 2), np.round(x / 3, n)),
    "stack": lambda x, n: (np.stack([n, n]), np.atleast_1d(n), np.expand_dims(n, 0)),
    "outer": lambda x, n: (np.multiply.outer(n, 2), np.outer(n, 2), np.dot(x, n), np.kron(x, n)),
    "questions": lambda x, n: (np.shape(n), np.ndim(n), np.size(n), np.isscalar(n)),
    "shape functions": lambda x, n: (np.reshape(x, (n * 2, -1)), np.tile(x, n), np.repeat(x, n)),
    "axes": lambda x, n: (np.sum(x, axis=n - 1), np.roll(x, n, axis=n - 1), np.diff(x, n)),
    "weak in a ufunc": lambda x, n: (np.add(x, n), np.multiply(n, x), np.maximum(x, n)),
}


@pytest.mark.parametrize("kind", ["tensor", "ndarray"])
@pytest.mark.parametrize("name", NUMPY)
def test_numpy_gets_the_number(name: str, kind: str) -> None:
    assert_same(NUMPY[name], x=pl.asarray(X) if kind == "tensor" else X)


# Every public function with an integer parameter.

INTEGERS = pl.asarray([[0, 1, 1], [2, 0, 1]])
SQUARE = pl.asarray(X[0, :, :3])
IMAGE = {"x": pl.asarray(X.reshape(1, 4, 6, 1)), "data_format": "channels_last"}
CONVOLUTION = {**IMAGE, "x": pl.ones((1, 6, 6, 6)), "kernel": pl.ones((3, 3, 6, 6))}
OPERANDS: dict[str, dict[str, Any]] = {
    "append": {"values": pl.asarray(X)},
    "argpartition": {"kth": 1},
    "array_split": {"sections": 2},
    "arange": {"start": 0, "stop": 9},
    "avg_pool": {**IMAGE, "window": 7},
    "max_pool": {**IMAGE, "window": 7},
    "bincount": {"x": np.asarray([0, 1, 1])},
    "compress": {"condition": np.asarray([True, False])},
    "concat": {"arrays": [pl.asarray(X), pl.asarray(X)]},
    "constant": {"value": 1.5},
    "convolution": CONVOLUTION,
    "conv_transpose": CONVOLUTION,
    "cov": {"m": pl.asarray(X[0])},
    "cross": {"x": pl.ones((3, 3, 3)), "y": pl.ones((3, 3, 3))},
    "delete": {"obj": 1},
    "dot_product_attention": dict.fromkeys(("query", "key", "value"), pl.ones((1, 2, 1, 4))),
    "diag": {"x": pl.asarray([1.0, 2.0])},
    "dynamic_slice": {"starts": (0, 0, 0)},
    "eye": {"n": 4},
    "flatnonzero": {"size": 5},
    "full": {"shape": 2, "fill_value": 3},
    "full_like": {"fill_value": 3},
    "gather": {"indices": pl.asarray([0, 1])},
    "linspace": {"start": pl.zeros((2, 2)), "stop": 1, "num": 3},
    "geomspace": {"start": pl.ones((2, 2)), "stop": 8.0, "num": 3},
    "insert": {"obj": 1, "values": 5.0},
    "interp": {"xp": [0.0, 9.0], "fp": [1.0, 2.0]},
    "intersect1d": {"y": [1.0, 2.0], "size": 4},
    "logspace": {"start": pl.ones((2, 2)), "stop": 2.0, "num": 3},
    "lexsort": {"keys": pl.asarray(X)},
    "matrix_power": {"x": SQUARE},
    "moveaxis": {"source": 0, "destination": 0},
    "norm": {"x": SQUARE},
    "nonzero": {"size": 5},
    "argwhere": {"size": 5},
    "one_hot": {"indices": INTEGERS, "depth": 4},
    "pad": {"pad_width": 1},
    "partition": {"kth": 1},
    "put_along_axis": {"indices": pl.zeros((2, 3, 4), "int32"), "values": 1.0},
    "quantile": {"q": 0.5},
    "ravel_multi_index": {"multi_index": (pl.asarray([0, 0]), pl.asarray([0, 1]))},
    "repeat": {"repeats": 2},
    "roll": {"shift": 1},
    "scatter": {"indices": 0, "updates": 1.0},
    "setdiff1d": {"y": [1.0, 2.0], "size": 4},
    "split": {"indices_or_sections": 1},
    "squeeze": {"x": pl.ones((1, 1, 1, 3))},
    "stack": {"arrays": [pl.asarray(X), pl.asarray(X)]},
    "swapaxes": {"axis1": 0, "axis2": 1},
    "take": {"indices": [0, 1]},
    "take_along_axis": {"indices": pl.zeros((2, 3, 4), "int32")},
    "tensordot": {"y": pl.asarray(X.transpose(2, 1, 0))},
    "top_k": {"k": 1},
    "trapezoid": {"y": pl.asarray(X)},
    "tri": {"n": 4},
    "union1d": {"y": [1.0, 2.0], "size": 40},
    "unravel_index": {"indices": pl.asarray([0, 0])},
    "unique": {"size": 5},
    "vander": {"x": [1.0, 2.0]},
    "vecdot": {"y": pl.asarray(X)},
}
AXES = ("axis", "axis1", "axis2", "axisa", "axisb", "axisc", "source", "destination", "axes")
# Parameters that take a sequence, and one made of a number.
SEQUENCES: dict[str, Callable[[Any], Any]] = {
    "broadcast_shapes(*shapes)": lambda n: (n, 1),
    "dynamic_slice(sizes)": lambda n: (1, 1, n),
    "permute_dims(axes)": lambda n: (n, (n + 1) % 3, (n + 2) % 3),
    "transpose(axes)": lambda n: (n, (n + 1) % 3, (n + 2) % 3),
    "ravel_multi_index(dims)": lambda n: (n, n + 1),
    "reshape(shape)": lambda n: (-1, n),
    "rot90(axes)": lambda n: (0, n),
    "broadcast_to(shape)": lambda n: (n, 2, 3, 4),
}
SKIPPED = {
    "graph_function": "its options are read before anything is traced",
    **dict.fromkeys(
        ("grad", "gradients_function", "hessian", "jacobian", "value_and_grad", "vmap"),
        "gives a function; its options say which arguments of that one are meant",
    ),
    "loop_gradients": "its options are read before anything is traced",
}


def integer_parameters() -> Iterator[tuple[str, str]]:
    """Public functions and their parameters that take an int, as documented."""
    for name in sorted(pl.__all__):
        function = getattr(pl, name)
        if not inspect.isfunction(function) or function.__name__ != name or name in SKIPPED:
            continue
        section = PARAMETERS.search(inspect.getdoc(function) or "")
        for line in section[1].splitlines() if section else ():
            found = re.match(r"(\S.*?) : (.*)", line)
            if found and re.search(r"\bints?\b|\bnumber\b", found[2]):
                yield from [(name, parameter) for parameter in found[1].split(", ")]


def test_integer_parameters_are_found() -> None:
    found = [*integer_parameters()]
    assert len(found) > 150
    assert {("zeros", "shape"), ("top_k", "k"), ("sum", "axis")} <= {*found}
    assert {name for name, _ in found} >= OPERANDS.keys()


@pytest.mark.parametrize(("name", "parameter"), [*integer_parameters()])
def test_integer_parameter(name: str, parameter: str) -> None:
    function = getattr(pl, name)
    known = inspect.signature(function).parameters
    make = SEQUENCES.get(f"{name}({parameter})", lambda n: n)

    def call(x: Any, n: Any) -> Any:
        if parameter.startswith("*"):
            return function(make(n), (4,))
        given = {"x": x} if "x" in known else {}
        return function(**{**given, **OPERANDS.get(name, {}), parameter: make(n)})

    required = {p.name for p in known.values() if p.default is p.empty} - {parameter, "x"}
    required -= {p.name for p in known.values() if p.kind is p.VAR_POSITIONAL}
    assert required <= OPERANDS.get(name, {}).keys(), f"{name} needs a row in OPERANDS"
    values = (2, 0, 1, 0) if parameter in AXES else (2, 1, 3, 1)
    assert_same(call, values, pl.asarray(X))


RANDOM: dict[str, Callable[[Any, Any], Any]] = {
    "normal": lambda x, n: pl.random.normal(shape=(n, 2)),
    "uniform": lambda x, n: pl.random.uniform(shape=n),
    "bounds": lambda x, n: pl.random.uniform((4,), 0, n),
    "mean": lambda x, n: pl.random.normal((4,), n, 2 * n),
    "a wide randint": lambda x, n: pl.random.randint(-n, 2**40 * n, shape=(5,), dtype="int64"),
    "randint": lambda x, n: pl.random.randint(0, n, shape=(5,)),
    "permutation": lambda x, n: pl.random.permutation(n),
}


@pytest.mark.parametrize("name", RANDOM)
def test_random_shapes(name: str) -> None:
    assert_same(RANDOM[name])


# Dtypes that do not hold the number.


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "uint32", "int64", "uint64"])
def test_a_number_that_does_not_fit_is_refused(dtype: str) -> None:
    limits = np.iinfo(dtype)
    least, most = max(limits.min, -(2**63)), min(limits.max, 2**63 - 1)
    beyond = [n for n in (least - 1, most + 1) if -(2**63) <= n < 2**63]
    x = pl.zeros((3,), dtype)
    for function in (
        lambda x, n: x + n,
        lambda x, n: x.at[1].set(n),
        lambda x, n: pl.clip(x, 0, n),
    ):
        assert_same(function, (1, 2, most, *beyond, 3), x)
    assert_same(lambda x, n: (x < n, x >= n, n == x, x != n), (1, 2, least, most, *beyond, 3), x)


def test_the_refusal_names_the_number_and_the_dtype() -> None:
    f = pl.graph_function(lambda x, n: x + n, backend="planned")
    x = pl.zeros((3,), "int8")
    for n in (1, 2):
        f(x, n)
    with pytest.raises(pl.errors.DTypeError, match=r"300 does not fit dtype int8: .* -128 to 127"):
        f(x, 300)


def test_division_by_zero_names_the_line() -> None:
    f = pl.graph_function(lambda x, n: x * (1 / n), backend="planned")
    for n in (1, 2):
        f(X, n)
    with pytest.raises(pl.errors.DivisionError, match="test_runtime_numbers"):
        f(X, 0)


# What stays a runtime number, and what does not.


@pytest.mark.parametrize(
    "function",
    [
        lambda x, n: x * n + 1,
        lambda x, n: x * np.sqrt(n),
        lambda x, n: x / (1 - 0.9**n),
        lambda x, n: x[0, 0] + (n + 1) / 2,
        lambda x, n: pl.where(x > n, x, n),
    ],
)
def test_arithmetic_keeps_one_program(function: Callable[..., Any]) -> None:
    f = pl.graph_function(function, backend="planned")
    for n in range(1, 8):
        f(X, n)
    assert len(f._specializer) == 2


def test_a_text_kept_outside_has_the_value_of_each_call() -> None:
    shown: list[str] = []

    @pl.graph_function(backend="planned")
    def f(x: Any, n: Any) -> Any:
        shown.append(repr(n))
        return x * n

    for n in (1, 2, 3):
        f(X, n)
    assert shown == ["1", "2", "3"]


def test_a_handler_of_everything_does_not_hide_the_number() -> None:
    def f(x: Any, n: Any) -> Any:
        try:
            return pl.zeros((n,))
        except Exception:
            return x

    assert_same(f)


def test_an_asarray_of_a_tracer_is_a_tensor() -> None:
    assert_same(lambda x, n: (pl.asarray(x), pl.asarray(n), pl.asarray(n, "int64")))


def test_what_a_number_cannot_do_fails_as_ever() -> None:
    """All of it is an error for the number itself, whether or not a tensor could do it."""
    for wrong in (list, len, lambda n: n[0], lambda n: n.sum(), lambda n: [1] + n):  # noqa: RUF005
        f = pl.graph_function(lambda n, wrong=wrong: wrong(n), backend="planned", static="wrong")
        for n in (1, 2, 3):
            with pytest.raises((TypeError, AttributeError)):
                f(n)


def test_floats_are_numbers_too() -> None:
    values = (0.5, 1.5, 2.5, 0.5)
    assert_same(lambda x, n: (x * n, f"{n:.2f}", math.floor(n), isinstance(n, float)), values)
    assert_same(lambda x, n: (x * np.sqrt(n), np.add(n, 1), n**2, 2.0**n), values)
    assert_same(lambda x, n: ((-n) ** 0.5, n**-1, 1 / n, n // 1, n % 0.4), values)
