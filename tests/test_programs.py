"""The programs that must work, word for word."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import plait as pl


def test_1_eager_values_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    m = pl.matmul([[2.]], [[2.]])  # fmt: skip
    print(m)
    assert capsys.readouterr().out == "pl.Tensor([[4.]], dtype=float32, shape=(1, 1))\n"
    assert np.asarray(m).tolist() == [[4.0]]
    assert float(m[0, 0]) == 4.0
    assert m.numpy().tolist() == [[4.0]]
    tanh: Any = np.tanh(m)
    assert type(tanh) is pl.Tensor
    assert float(tanh[0, 0]) == np.tanh(np.float32(4))


def check_gather_error(error: BaseException, line: int) -> None:
    assert isinstance(error, IndexError)
    assert type(error) is pl.errors.IndexOutOfRangeError
    for part in ("gather", "7", "[0, 3)", f"tests/test_programs.py:{line}"):
        assert part in str(error)


def test_2_instant_errors() -> None:
    frame = inspect.currentframe()
    assert frame is not None
    with pytest.raises(pl.errors.IndexOutOfRangeError) as caught:
        x = pl.gather([0, 1, 2], 7)
    check_gather_error(caught.value, frame.f_lineno - 1)

    def pick(index: pl.Tensor) -> pl.Tensor:
        x: pl.Tensor = pl.gather([0, 1, 2], index)
        return x

    line = pick.__code__.co_firstlineno + 1
    with pytest.raises(pl.errors.IndexOutOfRangeError) as caught:
        x = pl.graph_function(pick)(pl.constant(7))
    check_gather_error(caught.value, line)
    x = pl.graph_function(pick)(pl.constant(2))
    assert int(x) == 2


def test_3_loops_add_no_nodes(capsys: pytest.CaptureFixture[str]) -> None:
    x = pl.random.uniform((2, 2))
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            print(x[i, j])
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"pl.Tensor({v!s}, dtype=float32)" for v in x.numpy().ravel()]
