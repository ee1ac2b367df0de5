"""Control flow on traced values: which regions come of it, and what cannot be staged and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait import ir
from plait.ir.errors import TraceError

CONTROL = ("cond", "while", "scan")


def graph_of(function: Callable[..., Any], *args: Any) -> Any:
    """The traced graph."""
    compiled = pl.graph_function(function, fullgraph=True, backend="reference")
    return compiled.graph(*args, stage="traced")


def regions(function: Callable[..., Any], *args: Any) -> Counter[str]:
    """How many of each control op the graph has, nested ones included."""
    return Counter(n.op.name for n in graph_of(function, *args).walk() if n.op.name in CONTROL)


def agree(function: Callable[..., Any], *calls: tuple[Any, ...]) -> None:
    """Demand equal results of the plain and the compiled function."""
    compiled = pl.graph_function(function, fullgraph=True, backend="reference")
    for args in calls:
        wanted, found = function(*args), compiled(*args)
        for a, b in zip(flat(wanted), flat(found), strict=True):
            np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def flat(result: Any) -> list[Any]:
    return [*result] if isinstance(result, (tuple, list)) else [result]


X = pl.constant([3.0, -1.0, 2.0])


def test_a_branch_is_one_cond() -> None:
    def f(x):  # type: ignore[no-untyped-def]
        if x > 0:
            y = pl.sin(x)
        else:
            y = pl.cos(x)
        return y

    assert regions(f, pl.constant(1.0)) == {"cond": 1}
    agree(f, (pl.constant(1.0),), (pl.constant(-1.0),))


def test_a_branch_between_what_is_there_is_a_selection() -> None:
    def f(x, best):  # type: ignore[no-untyped-def]
        if x > best:
            best = x
        return best

    assert regions(f, pl.constant(1.0), pl.constant(2.0)) == {}
    agree(f, (pl.constant(1.0), pl.constant(2.0)), (pl.constant(3.0), pl.constant(2.0)))


def test_branches_of_different_dtype_promote() -> None:
    def f(x):  # type: ignore[no-untyped-def]
        return x * 2 if x > 0 else x / 2

    assert graph_of(f, pl.constant(4)).outputs[0].dtype == np.float64


def test_early_returns_need_no_guards() -> None:
    def f(x):  # type: ignore[no-untyped-def]
        if x < 0:
            return x * 0
        if x < 1:
            return x * x
        return pl.sqrt(x)

    assert regions(f, pl.constant(1.0)) == {"cond": 2}
    agree(f, (pl.constant(-2.0),), (pl.constant(0.5),), (pl.constant(9.0),))


def test_a_name_of_one_branch_is_an_error_only_when_used() -> None:
    def f(x):  # type: ignore[no-untyped-def]
        if x > 0:
            y = x + 1
        return y

    compiled = pl.graph_function(f, fullgraph=True, backend="reference")
    assert float(compiled(pl.constant(1.0))) == 2.0
    with pytest.raises(UnboundLocalError, match="y"):
        compiled(pl.constant(-1.0))

    def g(x):  # type: ignore[no-untyped-def]
        if x > 0:
            y = x + 1
            x = y
        return x

    agree(g, (pl.constant(1.0),), (pl.constant(-1.0),))


def test_a_while_is_one_while() -> None:
    def f(n):  # type: ignore[no-untyped-def]
        total = 0
        while n > 0:
            total += n
            n = n - 1
        return total

    assert regions(f, pl.constant(4)) == {"while": 1}
    agree(f, (pl.constant(4),))


def test_a_carry_that_widens_is_traced_again() -> None:
    def f(a):  # type: ignore[no-untyped-def]
        while a > 1:
            a = a / 2
        return a

    graph = graph_of(f, pl.constant(9))
    assert graph.outputs[0].dtype == np.float64
    agree(f, (pl.constant(9),))


def test_a_loop_over_a_tensor_is_a_scan() -> None:
    def f(x):  # type: ignore[no-untyped-def]
        total = pl.zeros(())
        for row in x:
            total = total + pl.sin(row)
        return total

    assert regions(f, X) == {"scan": 1}
    agree(f, (X,))


def test_a_list_that_grows_is_the_stack_of_a_scan() -> None:
    def f(x):  # type: ignore[no-untyped-def]
        out, total = [], pl.zeros(())
        for row in x:
            total = total + row
            out.append(total)
        return pl.stack(out)

    compiled = pl.graph_function(f, fullgraph=True, backend="reference")
    assert regions(f, X) == {"scan": 1}
    names = [n.op.name for n in compiled.graph(X).nodes]
    assert "concat" not in names
    agree(f, (X,))


def test_a_list_that_is_read_while_it_grows_is_unrolled() -> None:
    def f(x):  # type: ignore[no-untyped-def]
        out = [x[0]]
        for row in x:
            out.append(out[-1] + row)
        return out[-1]

    assert regions(f, X) == {}
    agree(f, (X,))


def test_the_length_of_a_list_that_grows_is_not_that_of_the_first_iteration() -> None:
    def f(x):  # type: ignore[no-untyped-def]
        out: list[Any] = []
        for row in x:
            out.append(row * len(out))
        return tuple(out)

    agree(f, (X,))


def test_the_first_element_goes_alone_when_types_settle_then() -> None:
    def f(x):  # type: ignore[no-untyped-def]
        best = None
        for row in x:
            if best is None or row > best:
                best = row
        return best

    assert regions(f, X) == {"scan": 1}
    agree(f, (X,))


def test_long_ranges_are_staged_and_short_ones_unrolled() -> None:
    def f(x, n):  # type: ignore[no-untyped-def]
        for i in range(n):
            x = x + i
        return x

    assert regions(f, pl.constant(0), 16) == {}
    assert regions(f, pl.constant(0), 17) == {"scan": 1}
    agree(f, (pl.constant(0), 3), (pl.constant(0), 100))


def test_a_long_range_whose_index_is_needed_is_unrolled() -> None:
    def f(x, n):  # type: ignore[no-untyped-def]
        names = [str(i) for i in range(n)]
        for i in range(n):
            if names[i].endswith("7"):
                x = x + 1
        return x

    assert regions(f, pl.constant(0), 20) == {}
    agree(f, (pl.constant(0), 20))


def test_a_range_of_a_tensor_is_a_while() -> None:
    def f(n):  # type: ignore[no-untyped-def]
        total = 0
        for i in range(n):
            total = total + i
        return total

    assert regions(f, pl.constant(5)) == {"while": 1}
    agree(f, (pl.constant(5),), (pl.constant(0),))


def test_a_break_ends_the_loop() -> None:
    def f(x, bound):  # type: ignore[no-untyped-def]
        count = 0
        for value in x:
            if value < bound:
                break
            count += 1
        return count

    assert regions(f, X, pl.constant(0.0))["while"] == 1
    agree(f, (X, pl.constant(0.0)), (X, pl.constant(-9.0)), (X, pl.constant(9.0)))


def test_rows_are_views() -> None:
    def f(m: Any) -> Any:
        for row in m:
            row += 1
            row[0] = 9
        return m

    def fresh() -> Any:
        return pl.constant(np.arange(6.0).reshape(3, 2))

    compiled = pl.graph_function(f, fullgraph=True, backend="reference")
    np.testing.assert_array_equal(compiled(fresh()).numpy(), f(fresh()).numpy())
    assert regions(f, fresh()) == {"scan": 1}


def test_writes_in_a_loop_reach_all_views() -> None:
    def f(x, n):  # type: ignore[no-untyped-def]
        y = x * 1
        view = y[1:]
        while n > 0:
            y[n] = y[n - 1] + view[0]
            n = n - 1
        return y, view

    agree(f, (X, pl.constant(2)))


def test_a_dict_that_a_loop_changes_is_carried() -> None:
    def f(x: Any) -> Any:
        state: dict[str, Any] = {"sum": pl.zeros(()), "count": 0}
        for value in x:
            state["sum"] = state["sum"] + value
            state["count"] += 1
        return state["sum"] / state["count"]

    assert regions(f, X) == {"scan": 1}
    agree(f, (X,))


def test_an_attribute_that_a_branch_changes_is_merged() -> None:
    class Box:
        value: Any = 0

    def f(x):  # type: ignore[no-untyped-def]
        box = Box()
        box.value = x
        if x > 0:
            box.value = x + 1
        return box.value

    agree(f, (pl.constant(1.0),), (pl.constant(-1.0),))


def test_aliases_stay_aliases() -> None:
    def f(x):  # type: ignore[no-untyped-def]
        a = x * 1
        b = a
        if x > 0:
            a += 1
        b += 1
        return a, b

    agree(f, (pl.constant(1.0),), (pl.constant(-1.0),))


def test_a_name_for_both_branches_names_one_object() -> None:
    def f(x):  # type: ignore[no-untyped-def]
        if x > 0:
            a = b = x + 1
        else:
            a = b = x - 1
        a += 1
        return b

    agree(f, (pl.constant(1.0),), (pl.constant(-1.0),))


def test_different_shapes_are_an_error_that_names_them() -> None:
    def f(x):  # type: ignore[no-untyped-def]
        y = x
        if pl.sum(x) > 0:
            y = pl.concat([x, x])
        return y

    with pytest.raises(TraceError, match=r"y is f32\[6\] and f32\[3\].*the if at line"):
        graph_of(f, X)


def test_writing_to_a_view_that_a_branch_has_chosen_cannot_be_captured() -> None:
    def f(x, y):  # type: ignore[no-untyped-def]
        z = x[1:] if pl.sum(x) > 0 else y[1:]
        z[0] = 7
        return x, y

    with pytest.raises(TraceError, match="written in place"):
        graph_of(f, X * 1, X * 2)


def test_nested_loops_and_branches() -> None:
    def f(m):  # type: ignore[no-untyped-def]
        total = pl.zeros(())
        for row in m:
            for x in row:
                if x > 0:
                    total = total + x
                else:
                    while x < 0:
                        x = x + 1
                        total = total - x
        return total

    m = pl.constant(np.array([[1.0, -2.0], [-3.5, 4.0]]))
    assert regions(f, m) == {"scan": 2, "cond": 1, "while": 1}
    agree(f, (m,))


def test_a_raise_in_a_branch_is_a_check() -> None:
    def f(x):  # type: ignore[no-untyped-def]
        if x < 0:
            raise ValueError("negative")
        return pl.sqrt(x)

    compiled = pl.graph_function(f, fullgraph=True, backend="reference")
    assert float(compiled(pl.constant(4.0))) == 2.0
    with pytest.raises(ValueError, match="negative"):
        compiled(pl.constant(-4.0))


def test_regions_hold_what_they_use_as_operands() -> None:
    captured = pl.constant(5.0)

    def f(x):  # type: ignore[no-untyped-def]
        while x < captured:
            x = x * captured
        return x

    graph = graph_of(f, pl.constant(0.5))
    ir.verify(graph)
    agree(f, (pl.constant(0.5),))


@pytest.mark.parametrize(("start", "stop", "step"), [(0, 7, 2), (7, 0, -3), (3, 3, 1), (5, 1, 2)])
def test_ranges_with_traced_steps(start: int, stop: int, step: int) -> None:
    def f(a, b, c):  # type: ignore[no-untyped-def]
        total = a * 0
        for i in range(a, b, c):
            total = total * 10 + i
        return total

    agree(f, (pl.constant(start), pl.constant(stop), pl.constant(step)))


def test_a_step_of_zero_is_pythons_error() -> None:
    def f(n):  # type: ignore[no-untyped-def]
        total = n * 0
        for i in range(0, 5, n):
            total = total + i
        return total

    with pytest.raises(ValueError, match="must not be zero"):
        pl.graph_function(f, backend="reference")(pl.constant(0))


def test_enumerate_zip_and_reversed_are_staged() -> None:
    def f(x, y):  # type: ignore[no-untyped-def]
        total = pl.zeros(())
        for i, (a, b) in enumerate(zip(x, y, strict=True), start=1):
            total = total + i * a * b
        for a in reversed(x):
            total = total * 0.5 + a
        return total

    assert regions(f, X, X * 2) == {"scan": 2}
    agree(f, (X, X * 2))


def test_a_number_that_only_a_loop_needs_is_fixed_alone() -> None:
    def count(n: Any) -> Any:
        yield from range(n)  # a generator cannot yield inside of a captured loop

    def f(x: Any, n: Any, rate: Any) -> Any:
        for i in count(n):
            x = x + i * rate
        return x

    compiled = pl.graph_function(f, fullgraph=True, backend="reference")
    for n, rate in ((2, 0.5), (3, 1.5), (3, 2.5), (3, 3.5)):
        assert float(compiled(pl.constant(1.0), n, rate)) == float(f(pl.constant(1.0), n, rate))
    assert len(compiled.explain(fixes=False).traces) <= 3
