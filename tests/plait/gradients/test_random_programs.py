"""Random programs with control flow and writes: tapes, graphs and differences agree."""

from __future__ import annotations

import hypothesis
import hypothesis.strategies as st
import pytest

from tests.plait.gradients.fuzz.grammar import generate
from tests.plait.gradients.fuzz.oracle import Verdict, check, verdict


def demand(seed: int, found: Verdict) -> None:
    """Fail, and show the program, when the ways do not agree."""
    again = f"python -m tests.plait.gradients.fuzz {seed}"
    assert found.kind != "wrong", f"{again}\n{found.detail}\n{generate(seed)}"


@pytest.mark.parametrize("block", range(6))
def test_ways_agree(block: int) -> None:
    kinds = []
    for seed in range(10 * block, 10 * block + 10):
        found = verdict(seed)
        demand(seed, found)
        kinds.append(found.kind)
    assert kinds.count("same") >= 7, kinds


@hypothesis.given(st.integers(1_000, 2**40))
@hypothesis.settings(
    max_examples=min(hypothesis.settings().max_examples, 2_000),
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_ways_agree_on_any(seed: int) -> None:
    demand(seed, verdict(seed))


def test_a_wrong_gradient_is_seen() -> None:
    source = "def main(x, m, s, n, c):\n    return pl.sum(pl.stop_gradient(x) * x)\n"
    assert check(source, 0).kind == "wrong"
