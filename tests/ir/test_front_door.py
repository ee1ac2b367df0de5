"""Names that the IR loads on demand exist, and loading one leaves no module in its place."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

from plait import ir


@pytest.mark.parametrize("name", sorted(ir._LAZY))
def test_lazy_names_exist(name: str) -> None:
    found = getattr(ir, name)
    assert not isinstance(found, ModuleType)
    assert getattr(ir, name) is found


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no 'nope'"):
        _ = ir.nope


def test_importing_plait_leaves_the_compiler_out() -> None:
    code = (
        "import sys, plait; "
        "print([m for m in ('plait.passes', 'plait.ir.text', 'jax') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
