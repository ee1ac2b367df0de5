"""The example of docs/adding_an_op.md works as written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plait.ir import op as op_module
from tests.gradients import check_gradients
from tests.ir.op_cases import Case, type_of

TEXT = (Path(__file__).parents[2] / "docs" / "adding_an_op.md").read_text(encoding="utf-8")


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names that the document's code defines; the registry is as before afterwards."""
    monkeypatch.setattr(op_module, "_registry", dict(op_module._registry))
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        exec(compile(block, "adding_an_op.md", "exec"), names)
    return names


def test_the_documented_op_keeps_the_contract(example: dict[str, Any]) -> None:
    cases: list[Case] = example["CASES"]
    for case in cases:
        (result,) = case.run()
        assert (type_of(result),) == case.infer()
        out = np.array(case.operands[0])
        assert case.op.into is not None
        case.op.into(out, out, **case.attributes)
        np.testing.assert_array_equal(out, result)


def test_the_documented_derivative_is_right(example: dict[str, Any]) -> None:
    check_gradients(lambda x: example["softcap"](x, limit=2.0), np.linspace(-3.0, 3.0, 7))


def test_the_documented_function_promotes(example: dict[str, Any]) -> None:
    found = example["softcap_function"]([-1000, 0, 1000], limit=2.0)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, [-2, 0, 2])
    with pytest.raises(ValueError, match="positive"):
        example["softcap_function"](1.0, limit=-1.0)
