"""The front door: names, dtypes, creation with a device, and what importing costs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.other_names import _REDIRECTS


def test_all_names_are_there_once() -> None:
    assert len(set(pl.__all__)) == len(pl.__all__)
    assert all(hasattr(pl, name) for name in pl.__all__)
    wanted = {"add", "matmul", "gather", "Tensor", "Variable", "random", "graph_function", "errors"}
    assert wanted | {"device", "TensorSpec", "float32", "pi", "newaxis", "concat"} <= {*pl.__all__}


def test_aliases_are_one_function() -> None:
    assert pl.concat is pl.concatenate
    assert pl.pow is pl.power
    assert pl.acos is pl.arccos


def test_an_unknown_name_has_a_hint() -> None:
    with pytest.raises(AttributeError, match="did you mean tanh") as caught:
        pl.tanhh  # type: ignore[attr-defined]  # noqa: B018
    shown = "".join(traceback.format_exception(caught.value))
    assert shown.lower().count("did you mean") == 1


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("jit", "use pl.graph_function"),
        ("function", "use pl.graph_function"),
        ("tensor", "use pl.asarray"),
        ("cast", "use pl.astype"),
        ("conv2d", "use pl.convolution"),
        ("reduce_sum", "use pl.sum"),
        ("cond", "pl.where"),
        ("vectorize", "use pl.vmap"),
    ],
)
def test_names_of_other_libraries_lead_somewhere(name: str, use: str) -> None:
    with pytest.raises(AttributeError, match=use) as caught:
        getattr(pl, name)
    assert "did you mean" not in str(caught.value)


def test_every_redirect_leads_to_a_name_that_is_there() -> None:
    for name, text in _REDIRECTS.items():
        assert name not in pl.__all__
        for word in re.findall(r"pl\.(\w+)", text):
            assert word in pl.__all__


def test_constants() -> None:
    assert (pl.pi, pl.e) == (np.pi, np.e)
    assert pl.inf == float("inf")
    assert pl.nan != pl.nan
    assert pl.newaxis is None
    assert pl.bool is pl.bool_


def test_numbers_make_narrow_tensors_and_keep_what_does_not_fit() -> None:
    assert pl.asarray([1, 2]).dtype == pl.int32
    assert pl.asarray(1.5).dtype == pl.float32
    assert pl.asarray(1j).dtype == pl.complex64
    assert pl.asarray(True).dtype == pl.bool
    assert pl.asarray([2**40]).tolist() == [2**40]
    assert pl.asarray([0.1], dtype="float64").tolist() == [0.1]
    assert pl.asarray(16777217.0, dtype="int64").item() == 16777217
    x = pl.zeros(2, dtype="float64")
    x[...] = [0.1, 0.2]
    assert x.tolist() == [0.1, 0.2]


def test_asarray_copies_arrays_and_keeps_tensors() -> None:
    array = np.zeros(3)
    made = pl.asarray(array)
    array[0] = 1
    assert made.tolist() == [0, 0, 0]
    assert pl.asarray(made) is made
    assert pl.asarray(made, copy=True) is not made
    assert pl.array([1]).tolist() == [1]
    assert pl.asarray(made, dtype="float64") is made
    with pytest.raises(pl.errors.DTypeError, match="copy=None"):
        pl.asarray(array, copy=False)
    with pytest.raises(pl.errors.UnknownNameError, match="flot32"):
        pl.asarray(array, dtype="flot32")


def test_large_arrays_are_aligned() -> None:
    for count in (2**15, 2**17):
        data = pl.asarray(np.zeros(count + 1))._data
        assert data.__array_interface__["data"][0] % 64 == 0


def test_creation_takes_a_device() -> None:
    assert pl.zeros(2, device="cpu:0").device == "cpu:0"
    assert pl.asarray([1], device="cpu:0").device == "cpu:0"
    with pytest.raises(pl.errors.DeviceError, match="cpu:0"):
        pl.ones(2, device="gpu:9")


def test_sizes_that_are_no_tuple_are_pointed_out() -> None:
    for name in ("ones", "zeros", "empty"):
        with pytest.raises(pl.errors.DTypeError, match=rf"pl\.{name}\(\(2, 3\)\)"):
            getattr(pl, name)(2, 3)
    with pytest.raises(pl.errors.DTypeError, match=r"pl\.full\(\(2, 3\), 1\.0\)"):
        pl.full(2, 3, 1.0)  # type: ignore[arg-type]
    wrong: Any = object
    with pytest.raises(pl.errors.DTypeError, match=r"^ones: dtype object is not supported"):
        pl.ones(2, wrong)


def test_a_dtype_is_no_device() -> None:
    for dtype in ("float64", np.float64, pl.float64):
        with pytest.raises(pl.errors.DeviceError, match="astype"):
            pl.ones(2).to(dtype)
    with pytest.raises(pl.errors.DeviceError, match=r"so on(\n|$)"):
        pl.ones(2).to("somewhere")


def test_astype_and_reshape_take_copy() -> None:
    x = pl.zeros((2, 3))
    assert pl.astype(x, "float32", copy=False) is x
    assert pl.astype(x, "float32") is not x
    pl.reshape(x, (6,), copy=True)[0] = 1.0
    assert not x.any()
    pl.reshape(x, (6,), copy=False)[0] = 1.0
    assert x[0, 0].item() == 1
    with pytest.raises(pl.errors.ShapeError, match="needs a copy"):
        pl.reshape(x.T, (6,), copy=False)


def test_limits() -> None:
    for name in ("float16", "float32", "float64", "bfloat16"):
        info = pl.finfo(name)
        assert type(info.eps) is float
        assert info.dtype == pl.zeros((), dtype=name).dtype
    assert pl.finfo("float32").max == float(np.finfo(np.float32).max)
    assert pl.finfo(pl.zeros(1, dtype="complex128")).bits == 64
    assert pl.iinfo(pl.uint8).max == 255
    for ask, dtype in ((pl.finfo, "int32"), (pl.iinfo, "float32")):
        with pytest.raises(pl.errors.DTypeError, match=dtype):
            ask(dtype)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("bool", {"bool"}),
        ("signed integer", {"int8", "int16", "int32", "int64"}),
        ("unsigned integer", {"uint8", "uint16", "uint32", "uint64"}),
        ("real floating", {"float16", "bfloat16", "float32", "float64"}),
        ("complex floating", {"complex64", "complex128"}),
        (("bool", pl.int8), {"bool", "int8"}),
    ],
)
def test_kinds_of_dtypes(kind: Any, names: set[str]) -> None:
    everything = (
        "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 bfloat16 float32 float64 "
        "complex64 complex128"
    )
    found = {n for n in everything.split() if pl.isdtype(pl.zeros((), dtype=n).dtype, kind)}
    assert found == names


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(pl.errors.UnknownNameError, match="integers"):
        pl.isdtype(pl.int8, "integers")
    with pytest.raises(pl.errors.DTypeError, match="at least one"):
        pl.result_type()


def test_promotion_is_numpys() -> None:
    assert pl.result_type(pl.int8, pl.uint8) == pl.int16
    assert pl.result_type(pl.zeros(1), 2.5) == pl.float32
    assert pl.result_type(pl.float16, pl.bfloat16) == pl.float32
    assert pl.result_type(1, 2.0) == pl.float32
    assert pl.can_cast(pl.int8, pl.int16)
    assert not pl.can_cast(pl.zeros(1), "int32")


def test_importing_costs_little(tmp_path: Path) -> None:
    code = (
        "import time, numpy; start = time.process_time(); import plait; "
        "print(time.process_time() - start)"
    )
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    seconds = [
        float(subprocess.check_output([sys.executable, "-c", code], env=environment, text=True))
        for _ in range(4)
    ]
    # The first one compiles to bytecode.
    assert min(seconds[1:]) <= 0.150
