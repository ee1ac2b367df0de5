"""Random programs mean the same as plain Python on NumPy, eager on tensors, and captured."""

from __future__ import annotations

import pytest

from tests.capture.fuzz.campaign import HELD_BACK, examine, report
from tests.capture.fuzz.oracle import Verdict, check
from tests.capture.fuzz.program import Program, generate
from tests.capture.fuzz.shrink import shrink

CHUNK = 25


@pytest.mark.parametrize("start", range(0, 400, CHUNK))
def test_programs_mean_the_same_on_numpy_and_on_tensors(start: int) -> None:
    for seed in range(start, start + CHUNK):
        verdict = check(generate(seed), backends=())
        assert not verdict.wrong, report(seed, verdict, 0)


@pytest.mark.parametrize("start", range(0, 300, 10))
def test_programs_mean_the_same_captured(start: int) -> None:
    for seed in range(start, start + 10):
        if seed in HELD_BACK:
            continue
        verdict = examine(seed)
        assert not verdict.wrong, report(seed, verdict, 10)
        assert verdict.kind != "refused", verdict.detail


def test_a_seed_gives_one_program() -> None:
    assert [generate(seed) for seed in range(20)] == [generate(seed) for seed in range(20)]
    assert len({generate(seed).source for seed in range(20)}) == 20


def test_the_oracle_sees_a_wrong_result() -> None:
    source = generate(4).source
    tricky = source + "\n\ndef main(*given):\n    return given[0] + (xp.__name__ == 'plait')\n"
    assert check(Program(4, tricky, numpy=True), backends=()).wrong
    assert not check(Program(4, tricky, numpy=False), backends=()).wrong


def test_a_failure_is_shrunk_to_what_makes_it_fail() -> None:
    source = generate(5).source
    small = shrink(source + "\n\ndef bad():\n    a = 1\n    return 1 // 0\n", lambda s: "// 0" in s)
    assert len(small.splitlines()) < 6 < len(source.splitlines())


def test_a_report_has_the_seed_and_the_program() -> None:
    text = report(3, Verdict("different", "tensors, planned", "call 0: result"), 0)
    assert "seed 3" in text
    assert "def main(" in text
