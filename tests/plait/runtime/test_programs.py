"""The programs of a function: those used last first, bounded, numbers from outside."""

from __future__ import annotations

from typing import Any

import plait as pl
from plait.runtime.programs import Programs


def test_programs_are_bounded_and_those_used_last_first() -> None:
    kept: Any = Programs(3)
    a, b, c, d = (Any, str, int, float)
    for key, program in (("k", a), ("k", b), ("other", c)):
        assert list(kept.add(key, program)) == []
    assert kept.candidates("k") == (b, a)
    kept.use("k", a)
    assert kept.candidates("k") == (a, b)
    assert kept.last is a
    assert list(kept.add("new", d)) == ["other"]
    assert kept.candidates("other") == ()
    assert list(kept.add("new", c)) == ["k"]
    assert kept.candidates("k") == (a,)
    assert len(kept) == 3
    kept.use("gone", a)
    kept.clear()
    assert len(kept) == 0
    assert kept.last is None


def test_the_program_used_last_is_asked_first_and_the_cache_is_bounded() -> None:
    state = {"mode": "a"}
    f = pl.graph_function(
        lambda x: x + len(state["mode"]) if state["mode"] else x, backend="planned", cache_size=2
    )
    for mode in ("a", "bb", "ccc", "a", "ccc"):
        state["mode"] = mode
        assert f(pl.zeros(1)).item() == len(mode)
        assert len(f._specializer) <= 2


def test_numbers_that_are_inputs_and_then_needed_are_static() -> None:
    state: dict[str, Any] = {"n": 1, "loop": False}

    def function(x: Any) -> Any:
        if state["loop"]:
            return [x for _ in range(state["n"])]
        return x * state["n"]

    f = pl.graph_function(function, backend="planned")
    for n in (1, 2, 3):
        state["n"] = n
        assert f(pl.ones(1)).item() == n
    assert len(f._specializer) == 2
    state["loop"] = True
    for n in (3, 2, 3):
        state["n"] = n
        assert len(f(pl.ones(1))) == n
