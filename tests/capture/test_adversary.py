"""Programs written to break capture: aliasing across branches and loops, jumps out of finally."""

from __future__ import annotations

import copy
import io
import itertools
import warnings
from typing import Any

import numpy as np
import pytest

import plait as pl
from tests.tracer.control.same import shown

X = np.array([1, 2, 3], "float32")
NEGATIVE = np.array([-4, 5, 6], "float32")
LONG = np.arange(20, dtype="float32")


def given(args: tuple[Any, ...]) -> list[Any]:
    """Fresh arguments: arrays as tensors."""
    return [pl.asarray(a) if isinstance(a, np.ndarray) else copy.copy(a) for a in args]


def outcome(function: Any, args: tuple[Any, ...]) -> tuple[str, str]:
    """What a call gives or raises, and what it leaves in its arguments."""
    mine = given(args)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = shown(function(*mine))
    except Exception as error:
        return f"{type(error).__name__}: {error}", ""
    return found, shown(mine)


def agree(function: Any, *calls: Any, backend: str = "reference") -> None:
    """Compiled, a function does what it does plain, breaks or none."""
    compiled = pl.graph_function(function, backend=backend)
    for call in calls:
        args = call if isinstance(call, tuple) else (call,)
        wanted = outcome(function, args)
        for _ in range(2):
            assert outcome(compiled, args) == wanted


# Elements of tensors of one dimension are copies, rows of others are views.


def test_elements_in_a_loop_are_copies() -> None:
    def f(x: Any) -> Any:
        for v in x:
            v += 1
        for i, v in enumerate(x):
            if i > 0:
                v += x[i - 1]
        return x

    agree(f, X, LONG)


def test_rows_in_a_loop_are_views() -> None:
    def f(x: Any) -> Any:
        for v in x.reshape(-1, 2):
            v += 1
        return x

    agree(f, LONG)


# Aliases out of branches.


def two_names(x: Any) -> Any:
    if x[0] > 0:
        a = b = x * 2
    else:
        a, b = x * 3, x * 4
    a += 100
    return a, b


def a_view_of_what_the_branch_made(x: Any) -> Any:
    if x[0] > 0:
        a = x * 2
        b = a[1:]
    else:
        a = x * 3
        b = a[:2]
    a[:] = 0
    return a, b


def views_of_what_was_there(x: Any) -> Any:
    y = x[1:] if x[0] > 0 else x[:2]
    x[1] = 100
    return y


def a_view_beside_an_error(x: Any) -> Any:
    if x[0] > 0:
        y = x[1:]
    else:
        raise ValueError("negative")
    y[0] = 100
    return x, y


def one_list_under_two_names(x: Any) -> Any:
    if x[0] > 0:
        a = b = [x * 2]
    else:
        a = b = [x * 3]
    a.append(1)
    return a, b, a is b


def one_list_or_two(x: Any) -> Any:
    if x[0] > 0:
        a = b = [x * 2]
    else:
        a, b = [x * 3], [x * 3]
    a.append(1)
    return a, b, a is b


BRANCHES = [
    two_names,
    a_view_of_what_the_branch_made,
    views_of_what_was_there,
    a_view_beside_an_error,
    one_list_under_two_names,
    one_list_or_two,
]


@pytest.mark.parametrize("function", BRANCHES)
def test_aliases_of_what_a_branch_gives(function: Any) -> None:
    agree(function, X, NEGATIVE)


def test_two_names_of_one_tensor_stay_one_graph() -> None:
    def f(x: Any) -> Any:
        if x[0] > 0:
            a = b = x * 2
        else:
            a = b = x * 3
        a += 100
        return a, b

    agree(f, X, NEGATIVE)
    assert pl.graph_function(f, fullgraph=True)(pl.asarray(X))[1].numpy().tolist() == [
        102,
        104,
        106,
    ]


def test_a_tensor_that_a_branch_may_replace_is_written_in_the_graph() -> None:
    def f(x: Any) -> Any:
        a = x * 1
        if x[0] > 0:
            a = a + 1
        a += 5
        return a

    agree(f, X, NEGATIVE)
    pl.graph_function(f, fullgraph=True, backend="reference")(pl.asarray(X))


class Holder:
    """An object with attributes."""

    v: Any


def an_object_of_one_branch(x: Any) -> Any:
    if x[0] > 0:
        h = Holder()
        h.v = x * 2
    else:
        raise ValueError("negative")
    return h.v


def an_object_of_a_loop(x: Any) -> Any:
    for v in x:
        h = Holder()
        h.v = v * 2
    return h.v


@pytest.mark.parametrize("function", [an_object_of_one_branch, an_object_of_a_loop])
def test_objects_that_control_flow_makes(function: Any) -> None:
    agree(function, X, NEGATIVE)


# Aliases out of loops.


def bump(a: Any) -> None:
    a += 1


def one_tensor_twice(x: Any) -> Any:
    a, b, k = x * 1, x * 2, x[0] * 0
    while k < 3:
        a = b = a + 1
        k = k + 1
    a += 100
    return a, b


def a_view_of_what_the_loop_made(x: Any) -> Any:
    a = x * 1
    b, k = a[1:], x[0] * 0
    while k < 3:
        a = a + 1
        b = a[1:]
        k = k + 1
    a[:] = 0
    return a, b


def a_tensor_written_later(x: Any) -> Any:
    a, b, k = x * 1, x * 1, x[0] * 0
    while k < 3:
        bump(a)
        b = a
        k = k + 1
    bump(a)
    return a, b


def a_list_twice(x: Any) -> Any:
    a, k = [x, x], x[0] * 0
    b = a
    while k < 3:
        a = b = [a[0] + 1, a[1]]
        k = k + 1
    a.append(1)
    return a, b, a is b


def a_list_named_anew(x: Any) -> Any:
    a, b, k = [x * 1], [x * 1], x[0] * 0
    while k < 3:
        a[0] = a[0] + 1
        b = a
        k = k + 1
    return a, b, a is b


def one_tensor_in_a_list_twice(x: Any) -> Any:
    items, k = [x * 1, x * 2], x[0] * 0
    while k < 2:
        n = items[0] + 1
        items[0] = n
        items[1] = n
        k = k + 1
    items[0] += 5
    return items


def a_name_that_the_loop_keeps(x: Any) -> Any:
    a, b, k = x * 1, x * 2, x[0] * 0
    m = a
    while k < 3:
        a, b = a, b + 1
        k = k + 1
    a += 5
    return a, b, m


def a_name_from_before_no_trip(x: Any) -> Any:
    a, k = x * 1, x[0] * 1
    m = a
    while k < 0:
        a = a + 1
        k = k + 1
    a += 5
    return a, m


def another_name_is_written(x: Any) -> Any:
    a, k, s = x * 1, x[0] * 0, x * 0
    t = a
    while k < 3:
        t += 1
        s = s + a
        a = a + t
        k = k + 1
    return a, t, s


def a_sum_kept_by_another_name(x: Any) -> Any:
    total, best, k = 0, x * 0, x[0] * 0
    while k < 4:
        total += x
        best = total
        k = k + 1
    return total, best, best is total


LOOPS = [
    one_tensor_twice,
    a_view_of_what_the_loop_made,
    a_tensor_written_later,
    a_list_twice,
    a_list_named_anew,
    one_tensor_in_a_list_twice,
    a_name_that_the_loop_keeps,
    a_name_from_before_no_trip,
    another_name_is_written,
    a_sum_kept_by_another_name,
]


@pytest.mark.parametrize("function", LOOPS)
def test_aliases_of_what_a_loop_gives(function: Any) -> None:
    agree(function, X, NEGATIVE)


# Aliases in lists that grow.


def one_tensor_in_two_lists(x: Any) -> Any:
    a: list[Any] = []
    b: list[Any] = []
    for row in x.reshape(-1, 2):
        w = row * 2
        a.append(w)
        b.append(w)
    a[3] += 100
    return a, b, a[0] is b[0]


def a_tensor_and_its_view(x: Any) -> Any:
    a: list[Any] = []
    b: list[Any] = []
    for row in x.reshape(-1, 2):
        w = row * 2
        a.append(w)
        b.append(w[:1])
    a[3] += 100
    return a, b


def rows_themselves(x: Any) -> Any:
    rows = []
    for row in x.reshape(-1, 2):
        rows.append(row[1:])
    x[:] = 0
    return rows


def one_tensor_each_time(x: Any) -> Any:
    a: list[Any] = []
    z = x * 2
    for _ in x:
        a.append(z)
    a[3] += 100
    return a[0], a[3] is z


def a_sum_written_in_place(x: Any) -> Any:
    total = pl.zeros((2,))
    a = []
    for v in x:
        total += v
        a.append(total)
    return a, a[0] is a[1]


def the_last_is_the_state(x: Any) -> Any:
    total = pl.zeros((2,))
    a = []
    for v in x:
        total = total + v
        a.append(total)
    a[-1] += 1000
    return a, total


def the_first_is_the_state_before(x: Any) -> Any:
    h = x * 2
    first = h
    a = []
    for v in x:
        a.append(h)
        h = h + v
    a[0] += 100
    return a[0], a[1], h, first


def two_lists_one_step_apart(x: Any) -> Any:
    a: list[Any] = []
    b: list[Any] = []
    h, p = x * 2, x * 3
    for v in x:
        a.append(h)
        b.append(p)
        p = h
        h = h + v
    a[3] += 100
    return a[3], b[4], h


def one_list_each_time(x: Any) -> Any:
    a: list[Any] = []
    row: list[Any] = []
    for _ in x:
        a.append(row)
    row.append(5)
    return a


def objects(x: Any) -> Any:
    a = []
    for v in x:
        h = Holder()
        h.v = v
        a.append(h)
    a[2].v = a[2].v + 1
    return [h.v for h in a]


LISTS = [
    one_tensor_in_two_lists,
    a_tensor_and_its_view,
    rows_themselves,
    one_tensor_each_time,
    a_sum_written_in_place,
    the_last_is_the_state,
    the_first_is_the_state_before,
    two_lists_one_step_apart,
    one_list_each_time,
    objects,
]


@pytest.mark.parametrize("function", LISTS)
def test_aliases_in_lists_that_grow(function: Any) -> None:
    agree(function, LONG)


# Jumps out of finally, and context managers that drop exceptions.


def a_raise_that_finally_drops(x: Any) -> Any:
    try:
        if x[0] > 0:
            return x
        raise ValueError("negative")
    finally:
        return x * 2  # noqa: B012


def an_index_that_finally_drops(x: Any, i: Any) -> Any:
    s: Any = 0
    for _ in [0, 1]:
        try:
            s = s + x[i]
        finally:
            continue  # noqa: B012
    return s


class Dropping:
    """Drops exceptions."""

    def __enter__(self) -> Dropping:
        return self

    def __exit__(self, *failure: Any) -> Any:
        return True


def a_raise_that_a_manager_drops(x: Any) -> Any:
    with Dropping():
        if x[0] > 0:
            raise ValueError("positive")
        x = x * 2
    return x


def an_assertion_that_a_manager_drops(x: Any) -> Any:
    with Dropping():
        assert x[0] > 0
        x = x * 2
    return x


def an_index_that_a_manager_drops(x: Any, i: Any) -> Any:
    with Dropping():
        x = x[i]
    return x


INDEX = np.array(7, "int32")
DROPPING = [
    (a_raise_that_finally_drops, [X, NEGATIVE]),
    (an_index_that_finally_drops, [(X, INDEX), (X, INDEX - 6)]),
    (a_raise_that_a_manager_drops, [X, NEGATIVE]),
    (an_assertion_that_a_manager_drops, [X, NEGATIVE]),
    (an_index_that_a_manager_drops, [(X, INDEX), (X, INDEX - 6)]),
]


@pytest.mark.parametrize(("function", "calls"), DROPPING)
def test_exceptions_that_are_dropped(function: Any, calls: Any) -> None:
    agree(function, *calls)


class Keeping(Dropping):
    """Drops no exception."""

    def __exit__(self, *failure: Any) -> Any:
        return None


def test_a_manager_that_drops_nothing_is_part_of_the_graph() -> None:
    def f(x: Any, i: Any) -> Any:
        with Keeping():
            return x[i]

    agree(f, (X, INDEX - 6))
    pl.graph_function(f, fullgraph=True, backend="reference")(pl.asarray(X), pl.asarray(1))


# Objects that move on: iterators, files, NumPy arrays made inside.


def an_iterator_in_a_branch(x: Any) -> Any:
    it = iter([1, 2, 3])
    a = next(it) if x[0] > 0 else 0
    return a, next(it)


def an_iterator_in_a_test(x: Any) -> Any:
    k, s = x[0], 0
    it = iter(range(10))
    while k < 4 and next(it) < 3:
        k = k + 1
        s += 1
    return float(k), list(it)


def a_counter_in_a_loop(x: Any) -> Any:
    c = itertools.count()
    s: Any = 0
    for v in x:
        s = s + next(c) * v
    return s


def a_file_in_a_branch(x: Any) -> Any:
    file = io.StringIO()
    if x[0] > 0:
        file.write("a")
    file.write("b")
    return file.getvalue()


def an_array_in_a_branch(x: Any) -> Any:
    a = np.zeros(3)
    if x[0] > 0:
        a[0] = 1
    return a


def attributes_as_a_dict(x: Any) -> Any:
    h = Holder()
    if x[0] > 0:
        vars(h).update(v=3)
    else:
        vars(h).update(v=4)
    return float(h.v)


class Counted(list[Any]):
    """Knows its length."""

    def append(self, v: Any) -> None:
        """Append, and count."""
        super().append(v)
        self.count_ = len(self)


def a_list_that_counts(x: Any) -> Any:
    items = Counted()
    for v in x:
        items.append(v)
    return items.count_, items[-1]


MOVING = [
    an_iterator_in_a_branch,
    an_iterator_in_a_test,
    a_counter_in_a_loop,
    a_file_in_a_branch,
    an_array_in_a_branch,
    attributes_as_a_dict,
    a_list_that_counts,
]


@pytest.mark.parametrize("function", MOVING)
def test_objects_that_move_on(function: Any) -> None:
    agree(function, X, NEGATIVE)


def test_iterators_of_a_branch_are_part_of_the_graph() -> None:
    def f(x: Any) -> Any:
        if x[0] > 0:
            for a, b in zip([1, 2], [x, x * 2], strict=True):
                x = x + a * b
        return x, dict(zip("ab", [x, x], strict=True))["a"]

    agree(f, X, NEGATIVE)
    pl.graph_function(f, fullgraph=True, backend="reference")(pl.asarray(X))


# Views that NumPy copies, methods that are compiled.


def test_a_transposed_tensor_is_copied_by_reshape() -> None:
    def f(x: Any) -> Any:
        y = x.reshape(4, 5).T
        y[0] = 0
        z = y.reshape(-1)
        z[0] = 50
        w = x.ravel()
        w[1] = 60
        return x, y, z, w

    agree(f, LONG)


def test_a_compiled_method_of_what_is_made_inside() -> None:
    class Sum:
        """Adds up."""

        def __init__(self, start: Any) -> None:
            self.count, self.total = 0, start

        @pl.graph_function
        def step(self, v: Any) -> Any:
            self.count += 1
            if v > 0:
                self.total = self.total + v
            return self.total

    def f(x: Any) -> Any:
        found = Sum(x * 0)
        for v in [x[0], x[1]]:
            found.step(v)
        return found.total, found.count

    agree(f, X, NEGATIVE)
