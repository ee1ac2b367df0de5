"""XLA agrees with the reference on every case of every op, and has a lowering for each."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from plait import ir
from plait.backends.jax.lowerings import LOWERINGS
from plait.ir.device import Device
from tests.backends.jax.cases import batches, failures
from tests.ir.op_cases import Case

BATCHES = dict(batches())
each_batch = pytest.mark.parametrize("cases", BATCHES.values(), ids=BATCHES.keys())


def test_every_op_has_a_lowering() -> None:
    assert sorted(op.name for op in ir.all_ops() if op.name not in LOWERINGS) == []


def test_every_lowering_is_of_an_op() -> None:
    assert sorted(set(LOWERINGS) - {op.name for op in ir.all_ops()}) == []


@each_batch
def test_xla_agrees_with_the_reference(cases: Sequence[Case]) -> None:
    assert failures(cases) == []


@pytest.mark.gpu
@each_batch
def test_xla_on_a_gpu_agrees_with_the_reference(cases: Sequence[Case]) -> None:
    assert failures(cases, Device("gpu", 0)) == []
