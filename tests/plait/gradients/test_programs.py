"""Gradients of programs, in all ways of computing them, against those of jax."""

from __future__ import annotations

import pytest

from tests.plait.gradients.programs.compare import FAMILIES, check_program, family
from tests.plait.gradients.programs.table import Program

ALL = [p for name in FAMILIES for p in family(name)]


@pytest.mark.parametrize("program", ALL, ids=lambda p: str(p.name))
def test_gradients_are_those_of_jax(program: Program) -> None:
    check_program(program)


def test_there_are_many_programs() -> None:
    names = [p.name for p in ALL]
    assert len(set(names)) == len(names) >= 60
