"""Files of each version of the format that there was are read for ever.

``PLAIT_BLESS=1`` writes those of the present version where they are missing; a file that is there
is never written again.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.deploy.manifest import VERSION
from tests.golden import GOLDENS

FOLDER = GOLDENS / "saved"
NAMES = ("state", "control", "values")


def x32(*shape: int) -> Any:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def write(folder: Path) -> None:
    """A file of each kind."""
    w = pl.Variable(x32(3, 2) / 10, name="w")
    generator = pl.random.Generator(7)

    @pl.graph_function(name="state")
    def state(x: Any, params: Any, *, scale: float = 2.0) -> Any:
        w.assign_add(pl.ones((3, 2)))
        y = pl.tanh(x @ w + params["b"]) * scale
        return {"y": y, "drawn": generator.bits((2,))}

    clipped = pl.custom_gradient(lambda x: (x * x, lambda g: g * 10.0))

    @pl.graph_function(name="control")
    def control(x: Any) -> Any:
        steps = pl.constant(0)
        while pl.sum(x) > 1:
            x = x / 2
            steps += 1
        assert pl.min(x) > -10, "small"
        return pl.sum(clipped(x)), steps, f"{steps} steps"

    @pl.graph_function(name="values")
    def values(x: Any, z: Any) -> Any:
        table = pl.asarray(np.arange(24, dtype=np.int16) * 3)
        return (x.astype("float32") + 1, z * 1j, table), [None, 2.5, True, ("a", pl.float16)]

    state.save(folder / "state.plait", "f32[b,3]", {"b": pl.TensorSpec((2,))})
    control.save(folder / "control.plait", "f32[n]")
    values.save(folder / "values.plait", "bf16[2]", "c128[m]", include_source=False)


def test_there_are_files_of_this_version(tmp_path: Path) -> None:
    folder = FOLDER / f"v{VERSION}"
    write(tmp_path)
    for name in NAMES:
        path = folder / f"{name}.plait"
        if os.environ.get("PLAIT_BLESS") == "1" and not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes((tmp_path / path.name).read_bytes())
        assert path.stat().st_size < 8_000


def files(name: str) -> list[Path]:
    return sorted(FOLDER.glob(f"v*/{name}.plait"))


@pytest.mark.parametrize("path", files("state"), ids=str)
def test_state(path: Path) -> None:
    f = pl.load(path, backend="reference")
    w = x32(3, 2) / 10 + 1
    for _ in range(2):
        result = f(x32(4, 3), {"b": np.ones(2, np.float32)})
        np.testing.assert_allclose(result["y"], np.tanh(x32(4, 3) @ w + 1) * 2, rtol=1e-6)
        w = w + 1
    generator = pl.random.Generator(7)
    generator.bits((2,)), generator.bits((2,))
    assert np.array_equal(f.random_states[0], generator.state)
    assert [v.name for v in f.variables] == ["w"]
    assert f.sources[0].text.startswith("    @pl.graph_function(name=")


@pytest.mark.parametrize("path", files("control"), ids=str)
def test_control(path: Path) -> None:
    f = pl.load(path, backend="reference")
    total, steps, text = f(pl.ones(6))
    assert (float(total), int(steps)) == (6 / 64, 3)
    assert text == "pl.Tensor(3, dtype=int32) steps"
    np.testing.assert_array_equal(pl.grad(lambda x: f(x)[0])(pl.ones(2) / 4), [10.0, 10.0])
    with pytest.raises(AssertionError, match="small"):
        f(-pl.ones(3) * 20)


@pytest.mark.parametrize("path", files("values"), ids=str)
def test_values(path: Path) -> None:
    f = pl.load(path, backend="reference")
    (x, z, table), rest = f(pl.ones(2, dtype="bfloat16"), np.ones(3, np.complex128))
    assert np.array_equal(x, [2, 2])
    assert np.array_equal(z, [1j, 1j, 1j])
    assert (table.dtype, int(table[23])) == (np.int16, 69)
    assert rest == [None, 2.5, True, ("a", np.dtype("float16"))]
    assert f.sources == ()
