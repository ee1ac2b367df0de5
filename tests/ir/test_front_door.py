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


LEFT_OUT = (
    "jax",
    "plait.ir.autodiff.forward",
    "plait.ir.autodiff.graphs",
    "plait.ir.autodiff.partition",
    "plait.ir.batching",
    "plait.ir.derivatives",
    "plait.ir.text",
    "plait.passes",
    "plait.runtime.gradients",
    "plait.vectorized",
)
USES = (
    "plait.sum(plait.tanh(plait.ones(3) * 2.0) + 1).item()",
    "plait.graph_function(lambda x: x + 1)",
    "dir(plait)",
)


@pytest.mark.parametrize("use", ["", *USES])
def test_importing_plait_leaves_the_compiler_and_what_differentiates_out(use: str) -> None:
    code = f"import sys, plait; {use}\nprint([m for m in {LEFT_OUT} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_rules_of_derivatives_are_loaded_with_the_first_gradient() -> None:
    code = (
        "import sys, plait; x = plait.constant(3.0)\n"
        "with plait.GradientTape() as tape:\n    tape.watch(x); y = plait.tanh(x) * x\n"
        "names = ('plait.ir.derivatives.elementwise', 'plait.passes', 'jax')\n"
        "before = [m for m in names if m in sys.modules]; tape.gradient(y, x)\n"
        "print(before, [m for m in names if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] ['plait.ir.derivatives.elementwise']"
