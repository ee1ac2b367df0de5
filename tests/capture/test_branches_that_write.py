"""One branch gives a place another tensor, the other one writes into the tensor that is there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import plait as pl
from tests.capture.harness import agree

X = np.array([1, 2, 3], "float32")
NEGATIVE = np.array([-4, 5, 6], "float32")


class Holder:
    """An object with a tensor, and a list of one."""

    def __init__(self, v: Any) -> None:
        self.v = v
        self.kept = [v * 2]


def set_or_written(x: Any) -> Any:
    box = Holder(x * 3)
    before = box.v
    if x[0] > 0:
        box.v = x * 2
    else:
        box.v[1] = 70
    return box.v, before


def written_or_set(x: Any) -> Any:
    box = Holder(x * 3)
    before = box.v[1:]
    if x[0] > 0:
        before += 7
    else:
        box.v = x + 1
    return box.v, before


def set_or_written_in_a_dict(x: Any) -> Any:
    table = {"v": x * 2, "w": x * 3}
    if x[0] > 0:
        table["v"] = x - 1
    elif x[1] > 4:
        table["v"] *= x[2]
    else:
        table["w"][:2] = 5
    return table


def set_or_written_through_a_list(x: Any) -> Any:
    box = Holder(x)
    if x[0] > 0:
        box.kept = [x]
    else:
        box.kept[0][0] = 9
    return box.kept


def set_or_written_outside(x: Any) -> Any:
    if x[0] > 0:
        KEPT["v"] = x * 2
    else:
        KEPT["v"][1] = 70
    return x


KEPT: dict[str, Any] = {}
CHOSEN = [set_or_written, written_or_set, set_or_written_in_a_dict, set_or_written_through_a_list]


@pytest.mark.parametrize("function", CHOSEN)
def test_a_place_that_one_branch_sets_and_the_other_writes_into(function: Any) -> None:
    agree(function, X, NEGATIVE, -X)


def test_a_place_outside_that_one_branch_sets_and_the_other_writes_into() -> None:
    found = []
    for f in (set_or_written_outside, pl.graph_function(set_or_written_outside)):
        for x in (X, NEGATIVE):
            KEPT["v"] = before = pl.asarray([1.0, 2.0, 3.0])
            f(pl.asarray(x))
            found.append([KEPT["v"].numpy().tolist(), before.numpy().tolist()])
    assert found[:2] == found[2:]
