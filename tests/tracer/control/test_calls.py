"""Calls: what is converted, what is run as it is, and what is noted of it."""

from __future__ import annotations

import copy
import fractions
import functools
import math
import os
import statistics
import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any

import pytest

import plait as pl
from plait.tracer import control as R
from plait.tracer.notes import UnseenCall
from tests.tracer.control import callees
from tests.tracer.control.callees import (
    Checked,
    Derived,
    Items,
    Layer,
    Single,
    Special,
    WithMeta,
    cached,
    counted,
    decorated,
    dispatched,
    doubling,
    endless,
    even,
    fibonacci,
    larger,
    numbers,
)
from tests.tracer.control.same import ops_of, same

VALUES = [pl.asarray(v) for v in (1.0, 4.0, -4.0)]
LAYER = Layer(pl.asarray(2.0))


def manage(x: Any) -> Any:
    with doubling(x) as y:
        print("inside", y)
        x = y + 1
    return x


with_meta: Any = WithMeta


def bounds(*values: Any) -> list[Callable[[Any], Any]]:
    return [lambda v, b=b: larger(v, b) for b in values]  # type: ignore[misc]


def special_methods(x: Any) -> Any:
    own = Special(x)
    if x > 0:
        with own as entered:
            inside = len(entered), own.x
    else:
        inside = len(own), own.x
    return inside, len(own), abs(own), own.x, own.entered, str(own)


CALLEES = {
    "special methods": special_methods,
    "function": lambda x: larger(x, 2.0),
    "module attribute": lambda x: callees.larger(x, y=2.0),
    "dataclass": lambda x: (Checked(x).twice, Checked(value=x * 2).value),
    "class": lambda x: Layer(x).start,
    "instance": lambda x: LAYER(x),
    "methods": lambda x: (
        LAYER.method(x),
        LAYER.method(x, offset=x),
        Layer.method(LAYER, x),
    ),
    "class methods": lambda x: (Layer.made(x).start, Layer.helper(x), LAYER.helper(x)),
    "property": lambda x: Layer(x).doubled,
    "derived": lambda x: (Derived(x).start, Derived(x).method(x)),
    "new": lambda x: Single(x).x,
    "builtin base": lambda x: list(Items(x, -x, 1.0)),
    "metaclass": lambda x: with_meta(x).x,
    "partial": lambda x: (functools.partial(larger, y=2.0)(x), functools.partial(Layer, x)().start),
    "bound partial": lambda x: functools.partial(LAYER.method, offset=1.0)(x),
    "decorated": lambda x: decorated(x),
    "context manager": manage,
    "lru_cache": lambda x: (x * fibonacci(60), cached(3) is cached(3)),
    "singledispatch": lambda x: (dispatched(x), dispatched(3)),
    "generator": lambda x: list(numbers(x)),
    "callbacks": lambda x: (list(map(decorated, [x, x + 1])), sorted([x, -x], key=Layer.helper)),
    "lambda": lambda x: (lambda v: v if v > 2.0 else v + 2.0)(x),
    "closure": lambda x: [f(x) for f in bounds(2.0, 5.0)],
    "recursion": lambda x: counted(x, 5),
    "graph function": lambda x: pl.graph_function(larger)(x, 2.0) if False else larger(x, 2.0),
    "alias": lambda x: (list[int]([1, 2]), x),
    "pure library": lambda x: (copy.copy([x]), fractions.Fraction(1, 3), math.gcd(4, 6), x),
    "exception": lambda x: (repr(ValueError("a", 1)), x),
}


@pytest.mark.parametrize("name", CALLEES)
def test_callees_are_captured(name: str) -> None:
    same(CALLEES[name], *VALUES)


def containers(x: Any) -> Any:
    items, table, bag = [x], {"a": x}, {1}
    queue, count, default = deque([x], maxlen=3), Counter("ab"), defaultdict(list)
    if x > 2:
        items.append(x * 2)
        items.pop()
        items.extend(v for v in (x, x))
        del items[-2:]
        items.insert(0, x + 1)
        items.reverse()
        items.remove(items[0])
        table.update(a=x + 5)
        table.setdefault("a", 3)
        queue.rotate(1)
    else:
        table["a"] = x - 1
        items[0] = x * 3
    bag.add(2)
    bag.discard(1)
    queue.append(x)
    count.update("b")
    default["k"].append(x)
    list.append(items, 1)
    append = items.append
    append(2)
    return items, table, bag, list(queue), dict(count), dict(default)


def test_methods_of_containers_are_undone_and_merged() -> None:
    same(containers, *VALUES)


def test_containers_keep_their_identity() -> None:
    def f(x: Any) -> Any:
        items: list[Any] = [x]
        other = items
        if x > 0:
            items[0] = x * 2
        items.sort()
        other.append(OrderedDict(a=1)["a"])
        return items is other, other

    same(f, *VALUES)


def test_endless_recursion_says_what_to_do() -> None:
    for function in (endless, even):
        compiled = pl.graph_function(function, backend="planned", fullgraph=True)
        with pytest.raises(pl.errors.TraceError, match=r"calls itself .*loop with while"):
            compiled(pl.asarray(3.0))


def test_recursion_on_a_tensor_runs_in_segments() -> None:
    compiled = pl.graph_function(endless, backend="planned")
    with pytest.warns(pl.errors.GraphBreakWarning, match="calls itself"):
        assert compiled(pl.asarray(3.0)).numpy() == 3.0


def test_a_deep_recursion_on_python_values_is_none() -> None:
    same(lambda x: counted_down(x, 200), VALUES[0])


def counted_down(x: Any, n: int) -> Any:
    return x if n == 0 else counted_down(x + 1, n - 1)


def test_random_and_clock_are_no_part_of_a_graph() -> None:
    import random
    import time

    for function in (lambda x: x * random.random(), lambda x: x + time.time()):
        compiled = pl.graph_function(function, backend="planned", fullgraph=True)
        with pytest.raises(pl.errors.TraceError, match="which a graph would fix"):
            compiled(VALUES[0])


def unseen(compiled: Any, x: Any) -> list[str]:
    """The calls that a trace has not looked into."""
    compiled(x)
    notes = compiled._specializer.last.traced.notes
    return [note.function for note in notes if isinstance(note, UnseenCall)]


def test_calls_of_unknown_code_are_noted_with_their_line() -> None:
    namespace: dict[str, Any] = {"__name__": "elsewhere"}
    exec("def unknown(x):\n    return x + 1", namespace)
    unknown = namespace["unknown"]

    def f(x: Any) -> Any:
        return unknown(x) * len(os.path.basename("a/b"))

    compiled = pl.graph_function(f, backend="planned")
    assert unseen(compiled, VALUES[0]) == ["elsewhere.unknown", "posixpath.basename"]
    last: Any = compiled._specializer.last
    note = next(iter(last.traced.notes))
    assert note.location.line == f.__code__.co_firstlineno + 1


def test_trusted_calls_are_not_noted() -> None:
    def f(x: Any) -> Any:
        return pl.tanh(x) * math.sqrt(4) * len(sorted([2, 1])) + copy.deepcopy([1])[0]

    assert unseen(pl.graph_function(f, backend="planned"), VALUES[0]) == []


def test_libraries_are_captured_where_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def f(x: Any) -> Any:
        return statistics._convert(x, float) if False else types.SimpleNamespace(a=x).a

    same(f, VALUES[0])
    with pytest.raises(TypeError, match="names of modules"):
        pl.convert_modules(3)  # type: ignore[arg-type]


def test_hooks_are_plain_calls_where_nothing_is_traced() -> None:
    assert R.call(max, 1, 2) == 2
    assert R.method([1], "count", 1) == 1
    assert R.call(larger, 1.0, 2.0) == 2.0
    assert R.method("{}", "format", 3) == "3"
    assert R.percent("%d", 3) == "3"
    assert R.format_("a", (1.5, "", ".2f"), (2, "r", "")) == "a1.502"
    assert (R.and_(1, lambda: 2), R.or_(0, lambda: 2), R.not_(0)) == (2, 2, True)
    assert R.contains(1, [1])
    assert R.if_expression(0, lambda: 1, lambda: 2) == 2
    with pytest.raises(AssertionError, match="no"):
        R.assert_(False, lambda: "no")  # noqa: PT009
    with pytest.raises(KeyError):
        R.raise_(KeyError("a"), None)


def test_calls_in_a_loop_are_traced_once() -> None:
    def f(x: Any) -> Any:
        while x < 100:
            x = larger(x, 1.0) * 2
        return x

    compiled = same(f, *VALUES)
    assert ops_of(compiled, VALUES[0]).count("while") == 1


def test_functions_of_jax_take_no_traced_tensors() -> None:
    jnp = pytest.importorskip("jax.numpy")
    for function in (lambda x: jnp.sin(x), lambda x: jnp.stack([jnp.ones(2)]) + jnp.sum(x)):
        compiled = pl.graph_function(function, backend="planned", fullgraph=True)
        with pytest.raises(pl.errors.TraceError, match="takes no tensor that is being captured"):
            compiled(VALUES[0])


def test_what_cannot_be_looked_into_breaks_at_the_line_that_calls() -> None:
    namespace: dict[str, Any] = {}
    exec("def unknown(x):\n    return x + 1 if x > 0 else x", namespace)
    unknown = namespace["unknown"]

    def f(x: Any) -> Any:
        return unknown(x)

    compiled = pl.graph_function(f, backend="planned", fullgraph=True)
    with pytest.raises(pl.errors.TraceError, match=r"unknown cannot be looked into: .*") as caught:
        compiled(VALUES[0])
    assert caught.value.location.line == f.__code__.co_firstlineno + 1
