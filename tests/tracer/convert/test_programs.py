"""Random functions mean the same converted: natively, with every hook, with all branches run."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tracer.convert.fake import idle, tracing
from tests.tracer.convert.programs import Program, defined
from tests.tracer.convert.staged import Num, staging, value_of


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**40), st.integers(-4, 9), st.integers(-4, 9))
def test_random_functions_mean_the_same(seed: int, a: int, b: int) -> None:
    text = Program(seed).text()
    function: Any = defined(text, f"<program {seed}>")
    expected = function(a, b)
    for make in (idle, tracing):
        converter = make()
        assert converter.why_not(function) is None, text
        assert converter.convert(function)(a, b) == expected, text
    staged = staging().convert(function)(Num(a), Num(b))
    assert tuple(map(value_of, staged)) == expected, text
