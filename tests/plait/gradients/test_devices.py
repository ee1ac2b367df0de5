"""Gradients go through moves between devices, and through the scopes of devices."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAM = """
import numpy as np
import plait as pl

x = pl.asarray(np.array([1.0, 2.0]))
with pl.GradientTape() as tape:
    tape.watch(x)
    with pl.device("cpu:1"):
        y = x * x + pl.sin(x)
        z = x[1:] * y[:1]
    w = pl.sum(z) + pl.sum(y.to("cpu:0"))
assert str(y.device) == "cpu:1"
found = tape.gradient(w, x).numpy()
slope = 2 + np.cos(1.0)
np.testing.assert_allclose(found, [3 * slope, 5 + np.cos(2.0) + np.sin(1.0)])

total = lambda x: pl.sum(pl.asarray(x, device="cpu:1") ** 3)
np.testing.assert_allclose(pl.grad(total)(x).numpy(), [3.0, 12.0])
twice = pl.grad(lambda x: pl.sum(pl.grad(total)(x)))
np.testing.assert_allclose(twice(x).numpy(), [6.0, 12.0])
np.testing.assert_allclose(float(pl.jvp(total, (x,), (x,))[1]), 27.0)
there = x.to("cpu:1")
assert str(pl.grad(lambda x: pl.sum(x.copy() * x))(there).device) == "cpu:1"
print("done")
"""


def test_moves_and_scopes() -> None:
    flags = {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        cwd=ROOT,
        env={**os.environ, **flags},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "done\n", done.stderr
