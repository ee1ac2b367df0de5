"""Devices: names, the scope, moving, eager ops away from the host, compiled functions there.

A second CPU device, which a flag gives jax in a process of its own, stands for an accelerator.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.ir.device import CPU, Device, as_device, current, device_of
from plait.ir.errors import DeviceError


def run(program: str) -> list[str]:
    """The lines that a program prints in a process with two CPU devices."""
    flags = "--xla_force_host_platform_device_count=2"
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    prelude = "import sys\nimport numpy as np\nimport plait as pl\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", prelude + program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_devices_are_values() -> None:
    gpu = Device("gpu", 1)
    assert str(gpu) == "gpu:1"
    assert repr(gpu) == "pl.Device('gpu:1')"
    assert gpu == Device("gpu", 1) == "gpu:1"
    assert gpu != Device("gpu", 0)
    assert hash(gpu) == hash("gpu:1")
    by_device: dict[Any, int] = {gpu: 1}
    assert by_device["gpu:1"] == 1
    assert pickle.loads(pickle.dumps(gpu)) == gpu
    assert CPU.is_host
    assert not gpu.is_host
    with pytest.raises(AttributeError, match="immutable"):
        gpu.index = 2


@pytest.mark.parametrize(("name", "found"), [("cpu", "cpu:0"), ("gpu:3", "gpu:3"), (CPU, "cpu:0")])
def test_devices_by_name(name: Any, found: str) -> None:
    assert as_device(name) == found


@pytest.mark.parametrize("name", ["", "cuda:0", "gpu:", "gpu:x", "gpu:-1", 0, None])
def test_what_is_no_device(name: Any) -> None:
    with pytest.raises(DeviceError, match="named cpu:0, gpu:0"):
        as_device(name)


def test_an_ndarray_lives_on_the_host() -> None:
    assert device_of(np.zeros(2)) is CPU
    assert pl.constant(1).device == "cpu:0"


def test_a_scope_ends_also_by_an_exception() -> None:
    def fail() -> None:
        with pl.device("cpu:0") as here:
            assert current() is here
            raise KeyError

    assert current() is None
    with pytest.raises(KeyError):
        fail()
    assert current() is None


def test_a_missing_device_lists_those_there_are() -> None:
    with pytest.raises(DeviceError, match=r"no device tpu:7; devices of this machine: cpu:0"):
        pl.device("tpu:7").__enter__()
    with pytest.raises(DeviceError, match=r"cpu:0"):
        pl.constant(1).to("tpu:7")


def test_the_host_needs_no_jax() -> None:
    program = """
with pl.device("cpu:0"):
    x = pl.add([1.0], 2.0)
print(x.device, x.to("cpu:0") is x, "jax" in sys.modules)
print(pl.devices())
"""
    assert run(program) == ["cpu:0 True False", "[pl.Device('cpu:0'), pl.Device('cpu:1')]"]


def test_a_scope_makes_and_moves_tensors() -> None:
    program = """
host = pl.constant([1.0, 2.0])
with pl.device("cpu:1"):
    made = [pl.ones((2, 3)), pl.constant(6), pl.arange(3), pl.full((2,), 7.5)]
    made += [made[0] + 1, 1 + made[0], made[0].sum(), made[0][0], pl.tanh(host), np.sin(host)]
    print({str(x.device) for x in made})
    print(made[4].numpy().tolist(), float(made[6]), made[1].item())
    with pl.device("cpu:0"):
        back = pl.add(made[0], 1)
    print(back.device, type(back._data).__name__, pl.ones(2).device)
print(pl.ones(2).device)
"""
    assert run(program) == [
        "{'cpu:1'}",
        "[[2.0, 2.0, 2.0], [2.0, 2.0, 2.0]] 6.0 6",
        "cpu:0 ndarray cpu:1",
        "cpu:0",
    ]


def test_ops_follow_their_operands() -> None:
    program = """
host = pl.constant([1.0, 2.0], dtype="float64")
there = host.to("cpu:1")
print(there.device, there.dtype, there.to("cpu:1") is there, there.to("cpu:0").device)
for x in (there + host, host + there, there * 2, there @ np.ones(2), pl.sort(there), there[::-1]):
    print(x.device, x.dtype, x.numpy().tolist())
there[0] = 5.0
print(there, there.device)
try:
    pl.gather(there, [7])
except pl.errors.IndexOutOfRangeError as error:
    print(error.message)
"""
    assert run(program) == [
        "cpu:1 float64 True cpu:0",
        "cpu:1 float64 [2.0, 4.0]",
        "cpu:1 float64 [2.0, 4.0]",
        "cpu:1 float64 [2.0, 4.0]",
        "cpu:1 float64 3.0",
        "cpu:1 float64 [1.0, 2.0]",
        "cpu:1 float64 [2.0, 1.0]",
        "pl.Tensor([5., 2.], dtype=float64, shape=(2,)) cpu:1",
        "gather: index 7 is out of range [0, 2)",
    ]


def test_an_eager_op_is_compiled_once_for_its_types() -> None:
    program = """
from plait.backends.jax import eager
x = pl.ones((2,)).to("cpu:1")
sizes = []
for step in (lambda: pl.tanh(x), lambda: pl.tanh(x + 0), lambda: pl.tanh(pl.ones(3).to("cpu:1"))):
    step()
    sizes.append(eager.cache_size())
    step()
    sizes.append(eager.cache_size())
print(sizes)
"""
    (line,) = run(program)
    sizes = [int(n) for n in line.strip("[]").split(",")]
    assert sizes[0] == sizes[1] == 1
    assert sizes[2] == sizes[3]
    assert sizes[5] == sizes[4] == sizes[3] + 1


def test_a_compiled_function_follows_inputs_and_scope() -> None:
    program = """
f = pl.graph_function(lambda x: pl.tanh(x) + 1)
host = pl.constant([1.0, 2.0])
print(f(host).device, f(host.to("cpu:1")).device, f(host).device)
with pl.device("cpu:1"):
    print(f(host).device, f(np.ones(2)).shape)
print(np.allclose(f(host).numpy(), f(host.to("cpu:1")).numpy()))
"""
    assert run(program) == ["cpu:0 cpu:1 cpu:0", "cpu:1 (2,)", "True"]


def test_arrays_of_jax_say_where_a_compiled_function_runs() -> None:
    program = """
import jax
f = pl.graph_function(lambda x: pl.tanh(x) + 1)
there = jax.device_put(np.zeros(2, np.float32), jax.devices()[1])
print(f(there).device)
print(pl.tanh(pl.asarray(there)).device)
"""
    assert run(program) == ["cpu:1", "cpu:1"]


def test_a_scope_inside_a_traced_function_leaves_the_trace_alone() -> None:
    program = """
@pl.graph_function
def f(x):
    with pl.device("cpu:1"):
        y = pl.tanh(x)
    return y + 1
print(f(pl.constant([0.0])))
"""
    assert run(program) == ["pl.Tensor([1.], dtype=float32, shape=(1,))"]


def test_a_tensor_does_not_move_while_tracing() -> None:
    moving = pl.graph_function(lambda x: x.to("tpu:0"), fullgraph=True)
    with pytest.raises(pl.errors.TraceError, match="cannot move to tpu:0"):
        moving(pl.constant([0.0]))


def test_every_kind_of_op_runs_away_from_the_host() -> None:
    program = """
from plait import ir
from plait.backends import device_support
from plait.ir.device import Device
from tests.backends.agreement import disagreement
from tests.ir.op_cases import all_cases

device_support().register()
scope = device_support().OnDevice(Device("cpu", 1))
seen, wrong = set(), []
for case in all_cases():
    if case.op.family in seen or case.op.has(ir.Trait.HOST) or not case.operands:
        continue
    seen.add(case.op.family)
    found = scope.run(case.op, case.operands, case.attributes, case.regions)
    for got, wanted in zip(found if type(found) is tuple else (found,), case.run()):
        if type(wanted) is not type(ir.token):
            assert ir.device.device_of(got) == "cpu:1", case
        if text := disagreement(got, wanted, case.tolerance):
            wrong.append(f"{case}: {text}")
print(len(seen) > 8, wrong)
"""
    assert run(program) == ["True []"]


@pytest.mark.gpu
def test_a_gpu_is_listed_and_computes() -> None:
    assert "gpu:0" in pl.devices()
    with pl.device("gpu:0"):
        x = pl.random.uniform((10, 10))
        y = pl.matmul(x, x)
    assert x.device == y.device == "gpu:0"
    np.testing.assert_allclose(y.numpy(), x.numpy() @ x.numpy(), rtol=1e-5)
    compiled = pl.graph_function(lambda x: pl.tanh(x) @ x)(x)
    assert compiled.device == "gpu:0"
    np.testing.assert_allclose(compiled.numpy(), np.tanh(x.numpy()) @ x.numpy(), rtol=1e-5)
