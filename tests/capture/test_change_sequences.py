"""Random sequences of outside changes and calls never give a stale result."""

from __future__ import annotations

import pytest

from tests.capture.changes.sequences import generate, report, stale

CHUNK = 25


@pytest.mark.parametrize("start", range(0, 400, CHUNK))
def test_no_result_is_stale(start: int) -> None:
    for seed in range(start, start + CHUNK):
        sequence = generate(seed)
        found = stale(sequence)
        assert not found, report(sequence, found)
