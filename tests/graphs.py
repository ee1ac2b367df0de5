"""Random well-typed graphs over the registered ops, for hypothesis or from a seed.

``graphs()`` is a hypothesis strategy; ``seeded_graph(seed, nodes)`` gives large graphs without it;
``arguments(graph, seed)`` gives arrays for the inputs.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, Protocol, TypeVar

import numpy as np
from hypothesis import strategies as st

from plait import ir
from plait.ir import Graph, GraphBuilder, Literal, Location, Op, TensorType, Trait, Value, ops
from plait.ir.errors import PlaitError

T = TypeVar("T")

#: Ops whose result jumps, is undefined for some operands, or blows up rounding errors: backends
#: that round otherwise (XLA) may disagree on them. ``stable=True`` leaves them out.
STABLE = frozenset(
    (
        *("add", "subtract", "multiply", "maximum", "minimum", "negative", "abs", "square"),
        *("tanh", "sigmoid", "relu", "sin", "cos", "atan", "erf"),
        *("logical_and", "logical_or", "logical_xor", "logical_not"),
        *("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not"),
    )
)
#: Ops that raise or are undefined for some integers in NumPy.
UNDEFINED_ON_INTEGERS = frozenset(
    ("power", "floor_divide", "remainder", "fmod", "shift_left", "shift_right")
)
DTYPES = (
    ir.float32,
    ir.float64,
    ir.float16,
    ir.bfloat16,
    ir.int32,
    ir.int64,
    ir.uint8,
    ir.bool_,
    ir.complex64,
)
MAX_ELEMENTS = 4096


class Choices(Protocol):
    """Where the decisions come from."""

    def integer(self, low: int, high: int) -> int: ...


@dataclass
class Drawn:
    """Decisions of hypothesis, which it can shrink."""

    draw: Callable[[st.SearchStrategy[int]], int]

    def integer(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))


@dataclass
class Seeded:
    """Decisions of a seeded generator."""

    source: random.Random

    def integer(self, low: int, high: int) -> int:
        return self.source.randint(low, high)


@dataclass(frozen=True)
class Options:
    """What the graphs may hold.

    Attributes
    ----------
    dtypes : tuple of dtype
    regions : bool
        Whether there are cond, while, scan and call.
    effects : bool
        Whether there are prints (with their tokens) and checks that hold.
    stable : bool
        Only ops on which backends that round otherwise agree within a small tolerance.
    locations : bool
    """

    dtypes: tuple[Any, ...] = DTYPES
    regions: bool = False
    effects: bool = False
    stable: bool = False
    locations: bool = True


@cache
def elementwise_ops(dtype: Any, stable: bool) -> tuple[tuple[Op, int], ...]:
    """The registered elementwise ops that take equal operands of ``dtype``, with their arity."""
    found: list[tuple[Op, int]] = []
    t = TensorType(dtype, (2,))
    for op in ir.all_ops():
        if Trait.ELEMENTWISE not in op.traits or op.parameters:
            continue
        if stable and op.name not in STABLE:
            continue
        if dtype.kind in "iu" and op.name in UNDEFINED_ON_INTEGERS:
            continue
        for arity in (1, 2, 3):
            try:
                op.infer_types((t,) * arity, {})
            except (PlaitError, TypeError):
                continue
            found.append((op, arity))
    return tuple(found)


class Maker:
    """Adds random nodes to a builder."""

    def __init__(self, choices: Choices, options: Options, depth: int = 0) -> None:
        self.choices = choices
        self.options = options
        self.depth = depth
        self.builder = GraphBuilder("random")
        self.values: list[Value] = []
        self.token: Value | None = None

    def pick(self, items: Sequence[T]) -> T:
        return items[self.choices.integer(0, len(items) - 1)]

    def tensor(self, accepts: Callable[[Value], bool] = lambda _: True) -> Value | None:
        """One of the latest values that fit."""
        recent = islice(reversed(self.values), 200)
        fitting = list(islice(filter(accepts, recent), 6))
        return fitting[self.choices.integer(0, len(fitting) - 1)] if fitting else None

    def like(self, x: Value) -> Value:
        """A value of the type of ``x``, maybe itself."""
        found = self.tensor(lambda v: v.type == x.type)
        return x if found is None else found

    def shape(self) -> tuple[int, ...]:
        return tuple(self.choices.integer(0 if i else 1, 4) for i in range(self.pick((2, 1, 0, 3))))

    def input(self) -> None:
        type_ = TensorType(self.pick(self.options.dtypes), self.shape())
        self.values.append(self.builder.input(type_, self.pick(("x", "y", "w", "a b", ""))))

    def keep(self, results: Any) -> None:
        kept = results if isinstance(results, tuple) else (results,)
        self.values += [v for v in kept if isinstance(v.type, TensorType)]

    def add(self) -> None:
        """One node, or a few that belong together; nothing where the choice does not fit."""
        line = self.choices.integer(0, 99)
        function = self.pick(("", "random", "f.<locals>.g"))
        where = Location("user code.py", line, function) if line else ir.UNKNOWN
        with self.builder.at(where if self.options.locations else ir.UNKNOWN):
            makers = [*PLAIN, *(REGIONS if self.options.regions and self.depth < 2 else ())]
            if self.options.effects:
                makers += EFFECTS
            self.pick(makers)(self)

    def graph(self, inputs: int, nodes: int) -> Graph:
        """A whole graph with random inputs and outputs."""
        for _ in range(inputs):
            self.input()
        with self.builder:
            for _ in range(nodes):
                self.add()
        last = self.values[-1 - self.choices.integer(0, 2) :] or self.values[-1:]
        return self.builder.build(last + ([self.token] if self.token is not None else []))

    def region(self, name: str, inputs: Sequence[ir.Type], outputs: Sequence[Any]) -> Graph:
        """A region with inputs of the types, and outputs of the types where they are given."""
        inner = Maker(self.choices, self.options, self.depth + 1)
        inner.builder = GraphBuilder(name)
        inner.values = [inner.builder.input(t) for t in inputs]
        with inner.builder:
            for _ in range(self.choices.integer(0, 3)):
                inner.add()
            found = [inner.of_type(t) for t in outputs]
        return inner.builder.build(found)

    def of_type(self, type_: Any) -> Value:
        """A value of a type; zeros where there is none."""
        found = self.tensor(lambda v: v.type == type_)
        if found is not None:
            return found
        made: Value = ops.full(value=Literal(np.zeros((), type_.dtype)), shape=type_.shape)
        return made


def add_elementwise(maker: Maker) -> None:
    x = maker.tensor()
    assert x is not None
    fitting = elementwise_ops(x.dtype, maker.options.stable)
    if fitting:
        op, arity = maker.pick(fitting)
        maker.keep(op(*[x, *[maker.like(x) for _ in range(arity - 1)]]))


def add_constant(maker: Maker) -> None:
    dtype, shape = maker.pick(maker.options.dtypes), maker.shape()
    if maker.choices.integer(0, 1):
        maker.keep(ops.constant(value=Literal(fill(dtype, shape, maker.choices.integer(0, 9)))))
    else:
        maker.keep(ops.full(value=Literal(fill(dtype, (), 3)), shape=shape))


def add_select(maker: Maker) -> None:
    condition = maker.tensor(lambda v: v.dtype == ir.bool_)
    if condition is not None:
        x = maker.tensor(lambda v: v.shape == condition.shape)
        assert x is not None
        maker.keep(ops.select(condition, x, maker.like(x)))


def add_cast(maker: Maker) -> None:
    x = maker.tensor(lambda v: v.dtype.kind in "bif")
    wider = {"b": maker.options.dtypes, "i": (ir.int64, ir.float64), "f": (ir.float64,)}
    if x is not None:
        maker.keep(ops.cast(x, dtype=maker.pick(wider[x.dtype.kind])))


def add_transpose(maker: Maker) -> None:
    x = maker.tensor()
    assert x is not None
    axes = list(range(x.ndim))
    turn = maker.choices.integer(0, max(x.ndim - 1, 0))
    maker.keep(ops.transpose(x, permutation=tuple(axes[turn:] + axes[:turn])))


def add_reshape(maker: Maker) -> None:
    x = maker.tensor()
    assert x is not None
    shapes = [(x.size,), (1, x.size), (*x.shape, 1), tuple(reversed(x.shape))]
    maker.keep(ops.reshape(x, shape=maker.pick(shapes)))


def add_broadcast(maker: Maker) -> None:
    x = maker.tensor(lambda v: v.size <= MAX_ELEMENTS // 4 and v.ndim < 5)
    if x is not None:
        maker.keep(ops.broadcast_to(x, shape=(maker.choices.integer(1, 3), *x.shape)))


def add_slice(maker: Maker) -> None:
    x = maker.tensor()
    assert x is not None
    sizes: Any = x.shape
    starts = tuple(maker.choices.integer(0, min(n, 1)) for n in sizes)
    maker.keep(ops.slice_(x, starts=starts, stops=sizes, steps=tuple(1 + (n > 2) for n in sizes)))


def add_concat(maker: Maker) -> None:
    x = maker.tensor(lambda v: v.ndim > 0 and v.size <= MAX_ELEMENTS // 2)
    if x is not None:
        axis = maker.choices.integer(0, x.ndim - 1)
        maker.keep(ops.concat(x, maker.like(x), axis=axis))


def add_split(maker: Maker) -> None:
    x = maker.tensor(lambda v: v.ndim > 0)
    if x is not None:
        axis = maker.choices.integer(0, x.ndim - 1)
        size: Any = x.shape[axis]
        first = maker.choices.integer(0, size)
        maker.keep(ops.split(x, sizes=(first, size - first), axis=axis))


def add_reduction(maker: Maker) -> None:
    x = maker.tensor(lambda v: v.ndim > 0 and v.dtype.kind in "if" and v.size > 0)
    if x is not None:
        names = ("reduce_max", "reduce_min", "reduce_sum")
        op = ir.get_op(maker.pick(names[:2] if x.dtype.itemsize < 4 else names))
        maker.keep(op(x, axes=(maker.choices.integer(0, x.ndim - 1),)))


def add_matmul(maker: Maker) -> None:
    x = maker.tensor(lambda v: v.ndim == 2 and v.dtype in (ir.float32, ir.float64))
    if x is not None:
        y = ops.transpose(maker.like(x), permutation=(1, 0))
        maker.keep(ops.matmul(ops.tanh(x), ops.tanh(y)))


def predicate(maker: Maker) -> Value:
    found = maker.tensor(lambda v: v.type == TensorType(ir.bool_, ()))
    if found is not None:
        return found
    made: Value = ops.constant(value=Literal(np.asarray(bool(maker.choices.integer(0, 1)))))
    return made


def add_cond(maker: Maker) -> None:
    x, y = maker.tensor(), maker.tensor()
    assert x is not None
    assert y is not None
    then = maker.region("then", [x.type, y.type], [y.type])
    other = maker.region("else", [x.type, y.type], [y.type])
    maker.keep(ops.cond(predicate(maker), x, y, regions=(then, other)))


def add_while(maker: Maker) -> None:
    x = maker.tensor()
    assert x is not None
    counter = TensorType(ir.int32, ())
    condition = GraphBuilder("condition")
    i, _ = condition.input(counter, "i"), condition.input(x.type, "x")
    trips = maker.choices.integer(0, 3)
    with condition:
        go_on = ops.less(i, condition.constant(np.int32(trips)))
    inner = maker.region("step", [x.type], [x.type])
    body = GraphBuilder("body")
    i, carried = body.input(counter, "i"), body.input(x.type, "x")
    with body:
        outputs = [ops.add(i, body.constant(np.int32(1))), *body.inline(inner, [carried])]
    start = maker.builder.constant(np.int32(0))
    regions = (condition.build([go_on]), body.build(outputs))
    maker.keep(ops.while_(start, x, regions=regions, num_consts=0)[1])


def add_scan(maker: Maker) -> None:
    xs = maker.tensor(lambda v: v.ndim > 0)
    x = maker.tensor()
    assert x is not None
    if xs is not None:
        item = xs.tensor_type.with_shape(xs.shape[1:])
        body = maker.region("body", [x.type, x.type, item], [x.type, item])
        made = ops.scan(
            *(x, x, xs),
            regions=(body,),
            num_consts=1,
            num_carry=1,
            length=xs.shape[0],
            reverse=bool(maker.choices.integer(0, 1)),
        )
        maker.keep(made)


def add_call(maker: Maker) -> None:
    x, y = maker.tensor(), maker.tensor()
    assert x is not None
    assert y is not None
    callee = maker.region("callee", [x.type, y.type], [y.type, x.type])
    maker.keep(ops.call(x, y, regions=(callee,), name="callee"))


def add_print(maker: Maker) -> None:
    if maker.depth:
        return
    if maker.token is None:
        maker.token = ops.create_token()
    maker.token = ops.print_(maker.token, maker.tensor(), template="x = {}")


def add_check(maker: Maker) -> None:
    ok = maker.builder.constant(np.asarray(True))
    detail = maker.builder.constant(np.int64(3))
    ops.check(ok, detail, error="IndexOutOfRangeError", message="index {}")


Add = Callable[[Maker], None]
PLAIN: tuple[Add, ...] = (
    add_elementwise,
    add_elementwise,
    add_elementwise,
    add_elementwise,
    add_constant,
    add_select,
    add_cast,
    add_transpose,
    add_reshape,
    add_broadcast,
    add_slice,
    add_concat,
    add_split,
    add_reduction,
    add_matmul,
)
REGIONS: tuple[Add, ...] = (add_cond, add_while, add_scan, add_call)
EFFECTS: tuple[Add, ...] = (add_print, add_check)


def fill(dtype: Any, shape: tuple[int, ...], seed: int) -> Any:
    """Small numbers of a dtype: exact in every dtype, and far from overflow."""
    source = np.random.default_rng(seed)
    if dtype == ir.bool_:
        return source.integers(0, 2, shape).astype(bool)
    low = 0 if dtype.kind == "u" else -8
    numbers = np.asarray(source.integers(low, 9, shape))
    if dtype.kind in "iu":
        return numbers.astype(dtype)
    return (numbers / 8).astype(dtype)


@st.composite
def graphs(
    draw: Any, max_nodes: int = 12, max_inputs: int = 3, options: Options | None = None
) -> Graph:
    """Well-typed graphs over the registered ops."""
    maker = Maker(Drawn(draw), options or Options())
    return maker.graph(draw(st.integers(1, max_inputs)), draw(st.integers(0, max_nodes)))


def seeded_graph(seed: int, nodes: int, options: Options | None = None) -> Graph:
    """A graph of about so many nodes, the same for each seed."""
    return Maker(Seeded(random.Random(seed)), options or Options()).graph(3, nodes)


def arguments(graph: Graph, seed: int = 0) -> list[Any]:
    """Arrays for the inputs of a graph."""
    types: Any = graph.input_types
    return [fill(t.dtype, t.shape, seed + i) for i, t in enumerate(types)]
