"""Aliases out of branches, out of loops and in lists that grow: who sees a later write."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import plait as pl
from tests.capture.harness import agree

X = np.array([1, 2, 3], "float32")
NEGATIVE = np.array([-4, 5, 6], "float32")
LONG = np.arange(20, dtype="float32")


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


def a_list_made_anew_and_written(x: Any) -> Any:
    items = [x * 0, x + 1]
    for row in x:
        items = [item + row for item in items]
        items[1] += 1
    return items


LOOPS = [
    a_list_made_anew_and_written,
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
