"""Options of the gradient of loops: what they refuse, and that they are the thread's."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from plait.ir.autodiff import capacity
from plait.ir.autodiff.capacity import LoopOptions
from plait.ir.errors import LoopCapacityError, RangeError


@pytest.mark.parametrize(
    ("trips", "room"), [(0, 1), (1, 1), (2, 2), (3, 4), (64, 64), (65, 128), (1000, 1024)]
)
def test_the_next_capacity_is_a_power_of_two(trips: int, room: int) -> None:
    assert capacity.next_capacity(trips) == room


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"capacity": 0}, "capacity must be a number of 1 or more, got 0"),
        ({"capacity": 1.5}, "capacity must be"),
        ({"max_iterations": -1}, "max_iterations must be a number of 0 or more"),
        ({"checkpoints": 0}, "checkpoints must be a number of 1 or more"),
        ({"checkpoint": "log"}, "checkpoint must be 'sqrt' or None, got 'log'"),
        ({"checkpoint": "sqrt", "checkpoints": 3}, "not both"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], says: str) -> None:
    with pytest.raises(RangeError, match=says):
        LoopOptions(**options)


def test_options_hold_inside_the_block_and_in_its_thread_only() -> None:
    seen: list[int] = []
    with capacity.use(LoopOptions(capacity=7)):
        thread = threading.Thread(target=lambda: seen.append(capacity.current().capacity))
        thread.start()
        thread.join()
        seen.append(capacity.current().capacity)
        with pytest.raises(KeyError), capacity.use(LoopOptions(capacity=9)):
            raise KeyError
        seen.append(capacity.current().capacity)
    assert [*seen, capacity.current().capacity] == [64, 7, 7, 64]


def test_an_error_that_was_not_raised_by_a_check_knows_no_count() -> None:
    assert LoopCapacityError("full").trips == 0
