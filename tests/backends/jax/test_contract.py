"""XLA agrees with the reference on every case of every op, and has a lowering for each."""

from __future__ import annotations

import pytest

from plait import ir
from plait.backends.jax.lowerings import LOWERINGS
from plait.ir.device import Device
from tests.backends.jax.cases import FAMILIES, batches, failures


def test_every_op_has_a_lowering() -> None:
    assert sorted(op.name for op in ir.all_ops() if op.name not in LOWERINGS) == []


def test_every_lowering_is_of_an_op() -> None:
    assert sorted(set(LOWERINGS) - {op.name for op in ir.all_ops()}) == []


@pytest.mark.parametrize("family", FAMILIES)
def test_xla_agrees_with_the_reference(family: str) -> None:
    assert [wrong for cases in batches(family) for wrong in failures(cases)] == []


@pytest.mark.gpu
@pytest.mark.parametrize("family", FAMILIES)
def test_xla_on_a_gpu_agrees_with_the_reference(family: str) -> None:
    gpu = Device("gpu", 0)
    assert [wrong for cases in batches(family) for wrong in failures(cases, gpu)] == []
