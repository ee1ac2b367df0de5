"""Placing buffers with known lifetimes in one stretch of memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

#: Offsets are multiples of this: a cache line, and what XLA takes without a copy.
ALIGNMENT = 64
#: With this many buffers, an arena this near to the bound is not improved further.
MANY, NEAR = 2000, 1.05
#: Up to this many buffers, the best order is changed so often to come nearer to the bound.
FEW, TRIES = 256, 48


@dataclass(frozen=True, slots=True)
class Lifetime:
    """A buffer: the steps that it lives through, both included, and its bytes."""

    born: int
    last: int
    nbytes: int


def aligned(nbytes: int) -> int:
    """Bytes rounded up to the alignment."""
    return -(-nbytes // ALIGNMENT) * ALIGNMENT


def max_live_bytes(buffers: Sequence[Lifetime]) -> int:
    """The largest sum of (aligned) bytes alive at one step: no arena can be smaller."""
    events: dict[int, int] = {}
    for b in buffers:
        events[b.born] = events.get(b.born, 0) + aligned(b.nbytes)
        events[b.last + 1] = events.get(b.last + 1, 0) - aligned(b.nbytes)
    live = peak = 0
    for step in sorted(events):
        live += events[step]
        peak = max(peak, live)
    return peak


def allocate(buffers: Sequence[Lifetime]) -> tuple[list[int], int]:
    """Offsets of the buffers, and the bytes of the arena.

    Best fit in order of birth is tried first, then best fit in order of size, of bytes times
    steps, and of the crowd that a buffer lives in; the smallest arena wins. With few buffers,
    the one that ends highest is then placed first, again and again, while that may help.
    """
    bound = max_live_bytes(buffers)
    offsets, total = _sweep(buffers)
    for order in (_by_size, _by_area, _by_crowd):
        enough = NEAR * bound if len(buffers) > MANY else bound
        if total <= enough:
            break
        found = _place(buffers, order(buffers))
        if found[1] < total:
            offsets, total = found
    if total > bound and len(buffers) <= FEW:
        offsets, total = _improve(buffers, offsets, total, bound)
    return offsets, total


def _improve(
    buffers: Sequence[Lifetime], offsets: list[int], total: int, bound: int
) -> tuple[list[int], int]:
    """Place first what stood highest, a few times over."""
    order = _by_crowd(buffers)
    last, height = offsets, total
    for _ in range(TRIES):
        top = next(i for i in order if last[i] + aligned(buffers[i].nbytes) == height)
        order.remove(top)
        order.insert(0, top)
        last, height = _place(buffers, order)
        if height < total:
            offsets, total = last, height
        if total <= bound:
            break
    return offsets, total


def _sweep(buffers: Sequence[Lifetime]) -> tuple[list[int], int]:
    """Best fit in order of birth; a block is free again after its last step."""
    offsets = [0] * len(buffers)
    free: list[tuple[int, int]] = []  # (offset, bytes) in order of offset, never adjacent
    dying: dict[int, list[int]] = {}
    for i, b in enumerate(buffers):
        dying.setdefault(b.last, []).append(i)
    deaths = sorted(dying)
    total = passed = 0
    for i in sorted(range(len(buffers)), key=lambda i: (buffers[i].born, -buffers[i].nbytes)):
        while passed < len(deaths) and deaths[passed] < buffers[i].born:
            for dead in dying[deaths[passed]]:
                _release(free, offsets[dead], aligned(buffers[dead].nbytes))
            passed += 1
        size = aligned(buffers[i].nbytes)
        fitting = [(nbytes, offset) for offset, nbytes in free if nbytes >= size]
        if fitting:
            nbytes, offset = min(fitting)
        else:  # grow, from the free block at the end if there is one
            at_end = bool(free) and sum(free[-1]) == total
            offset = free[-1][0] if at_end else total
            nbytes = size
            total = offset + size
            if at_end:
                free[-1] = (offset, size)
            else:
                free.append((offset, size))
        offsets[i] = offset
        at = free.index((offset, nbytes))
        free[at : at + 1] = [(offset + size, nbytes - size)] if nbytes > size else []
    return offsets, total


def _release(free: list[tuple[int, int]], offset: int, nbytes: int) -> None:
    """Give a block back, joined with its free neighbors."""
    if nbytes == 0:
        return
    at = next((k for k, (o, _) in enumerate(free) if o > offset), len(free))
    if at < len(free) and free[at][0] == offset + nbytes:
        nbytes += free.pop(at)[1]
    if at > 0 and sum(free[at - 1]) == offset:
        offset, before = free.pop(at - 1)
        nbytes += before
        at -= 1
    free.insert(at, (offset, nbytes))


def _by_size(buffers: Sequence[Lifetime]) -> list[int]:
    return _ranked(buffers, lambda b: (-b.nbytes, b.born - b.last, b.born))


def _by_area(buffers: Sequence[Lifetime]) -> list[int]:
    return _ranked(buffers, lambda b: (-b.nbytes * (b.last - b.born + 1), b.born))


def _ranked(buffers: Sequence[Lifetime], key: Callable[[Lifetime], Any]) -> list[int]:
    return sorted(range(len(buffers)), key=lambda i: key(buffers[i]))


def _by_crowd(buffers: Sequence[Lifetime]) -> list[int]:
    """Those that live through the fullest step first."""
    steps = max(b.last for b in buffers) + 2
    change = np.zeros(steps, np.int64)
    for b in buffers:
        change[b.born] += aligned(b.nbytes)
        change[b.last + 1] -= aligned(b.nbytes)
    live: Any = np.cumsum(change)
    return _ranked(buffers, lambda b: (-int(live[b.born : b.last + 1].max()), -b.nbytes, b.born))


def _place(buffers: Sequence[Lifetime], order: Sequence[int]) -> tuple[list[int], int]:
    """Best fit in a given order: the smallest gap between those that live at the same time."""
    born, last, start, end = np.zeros((4, len(buffers)), np.int64)
    offsets = [0] * len(buffers)
    total = 0
    for count, i in enumerate(order):
        b, size = buffers[i], aligned(buffers[i].nbytes)
        meets = (born[:count] <= b.last) & (last[:count] >= b.born)
        offset = _gap(start[:count][meets], end[:count][meets], size)
        offsets[i] = offset
        born[count], last[count] = b.born, b.last
        start[count], end[count] = offset, offset + size
        total = max(total, offset + size)
    return offsets, total


def _gap(starts: Any, ends: Any, size: int) -> int:
    """Where a block fits best between taken ones."""
    if len(starts) == 0:
        return 0
    order = np.argsort(starts, kind="stable")
    covered = np.maximum.accumulate(ends[order])
    begins = np.concatenate(([0], covered[:-1]))
    gaps = starts[order] - begins
    fits = gaps >= size
    if not fits.any():
        return int(covered[-1])
    best = int(np.argmin(np.where(fits, gaps, np.iinfo(np.int64).max)))
    return int(begins[best])
