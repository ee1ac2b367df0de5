"""Placing buffers: none overlap in memory and time, the arena is near its bound."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from plait.passes.arena import ALIGNMENT, Lifetime, aligned, allocate, max_live_bytes

lifetimes = st.builds(
    lambda born, length, nbytes: Lifetime(born, born + length, nbytes),
    st.integers(0, 20),
    st.integers(0, 8),
    st.integers(0, 1000),
)


def overlaps(a: Lifetime, b: Lifetime) -> bool:
    return a.born <= b.last and b.born <= a.last


@given(st.lists(lifetimes, max_size=24))
def test_what_lives_at_the_same_time_lies_apart(buffers: list[Lifetime]) -> None:
    offsets, total = allocate(buffers)
    assert total >= max_live_bytes(buffers)
    for i, a in enumerate(buffers):
        assert offsets[i] % ALIGNMENT == 0
        assert offsets[i] + aligned(a.nbytes) <= total
        for j in range(i):
            b = buffers[j]
            if overlaps(a, b):
                apart = (
                    offsets[i] + aligned(a.nbytes) <= offsets[j]
                    or offsets[j] + aligned(b.nbytes) <= offsets[i]
                )
                assert apart or 0 in (a.nbytes, b.nbytes)


def test_nothing_needs_nothing() -> None:
    assert allocate([]) == ([], 0)


def test_one_after_the_other_share() -> None:
    assert allocate([Lifetime(0, 1, 64), Lifetime(2, 3, 64), Lifetime(4, 4, 32)])[1] == 64


def test_large_buffers_that_birth_order_misplaces_reach_the_bound() -> None:
    buffers = [Lifetime(0, 1, 64), Lifetime(1, 5, 64), Lifetime(2, 5, 128)]
    assert allocate(buffers)[1] == max_live_bytes(buffers) == 192


def test_random_lifetimes_stay_near_the_bound() -> None:
    source = random.Random(0)
    ratios = []
    for _ in range(40):
        count = source.choice((10, 30, 60))
        buffers = []
        for _ in range(count):
            born = source.randint(0, count)
            buffers.append(Lifetime(born, born + source.randint(1, 12), source.randint(1, 5000)))
        ratios.append(allocate(buffers)[1] / max_live_bytes(buffers))
    assert max(ratios) <= 1.1


def test_the_same_every_time() -> None:
    source = random.Random(1)
    buffers = [Lifetime(i, i + source.randint(1, 9), source.randint(1, 999)) for i in range(99)]
    assert allocate(buffers) == allocate(list(buffers))
