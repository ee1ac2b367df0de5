"""Variables: reading, assigning, in compiled functions, and what is refused."""

from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import numpy as np
import pytest

import plait as pl


def compiled(function: Any, **options: Any) -> Any:
    return pl.graph_function(function, backend="reference", **options)


def test_what_a_variable_is() -> None:
    v = pl.Variable([[1.0, 2.0]], name="w", trainable=False)
    assert (v.name, v.trainable, v.shape, v.dtype) == ("w", False, (1, 2), pl.float32)
    assert (v.ndim, v.size, str(v.device)) == (2, 2, "cpu:0")
    assert repr(v) == "pl.Variable([[1., 2.]], dtype=float32, shape=(1, 2), name='w')"
    assert pl.Variable(lambda: pl.ones(2)).numpy().tolist() == [1, 1]
    assert pl.Variable(1, dtype="float64").dtype == pl.float64


def test_it_reads_as_a_tensor() -> None:
    v = pl.Variable([1.0, 4.0])
    x = pl.asarray([1.0, 1.0])
    for result in (v + x, x + v, v + v, v * 2, 2 * v, -v, v / 2, v**2, v @ x, v > 2, v[0]):
        assert type(result) is pl.Tensor
    assert pl.sqrt(v).tolist() == [1, 2]
    assert pl.concat([v, x]).tolist() == [1, 4, 1, 1]
    assert np.sqrt(v).tolist() == [1, 2]
    assert np.stack([v, v]).shape == (2, 2)
    assert np.asarray(v).tolist() == [1, 4]
    assert (v.sum().item(), v.T.shape, len(v), list(v)[1].item()) == (5, (2,), 2, 4)
    assert float(pl.Variable(2.0)) == 2
    assert f"{pl.Variable(2.0):.2f}" == "2.00"
    with pytest.raises(AttributeError, match="nonsense"):
        v.nonsense  # noqa: B018


def test_assigning() -> None:
    v = pl.Variable([1.0, 2.0])
    before, seen = v.value, v.numpy()
    assert v.assign([3, 4]) is v
    v.assign_add(1)
    v.assign_sub(pl.asarray([1.0, 0.0]))
    v += 1
    v -= [0.0, 1.0]
    v[0] = 9.0
    assert v.tolist() == [9, 5]
    assert (before.tolist(), seen.tolist()) == ([1, 2], [1, 2])


def test_a_variable_keeps_its_own_copy() -> None:
    array, tensor = np.zeros(2, np.float32), pl.zeros(2)
    v, w = pl.Variable(array), pl.Variable(tensor)
    x = pl.Variable([5.0, 5.0])
    x.assign(tensor)
    for value in (array, tensor):
        value[0] = 1
    assert v.tolist() == w.tolist() == x.tolist() == [0, 0]
    x.assign(array)
    array[1] = 7
    assert x.tolist() == [1, 0]
    read = x.value
    read[0] = 3.0
    assert x.tolist() == [1, 0]


def test_what_does_not_fit_is_refused() -> None:
    v = pl.Variable([1.0, 2.0], name="w")
    with pytest.raises(pl.errors.ShapeError, match=r"(?s)'w'.*\(2,\).*\(3,\).*test_variable"):
        v.assign([1.0, 2.0, 3.0])
    with pytest.raises(pl.errors.DTypeError, match=r"float64.*astype\('float32'\)"):
        v.assign(np.ones(2))
    with pytest.raises(pl.errors.DTypeError, match="complex"):
        v.assign_add(1j)
    with pytest.raises(pl.errors.ShapeError, match="w"):
        v.assign_add(pl.ones((2, 2)))
    assert v.tolist() == [1, 2]


def test_it_hashes_by_identity_and_compares_elements() -> None:
    v, w = pl.Variable([1.0]), pl.Variable([1.0])
    assert {v: 1, w: 2}[w] == 2
    assert (v == w).tolist() == [True]


def test_compiled_functions_read_and_assign() -> None:
    v = pl.Variable([1.0, 2.0], name="v")

    @compiled
    def step(x: Any) -> Any:
        first = v.value
        v.assign_add(x)
        v.assign(v * 2)
        return first, v + 0

    first, last = step(pl.ones(2))
    assert (first.tolist(), last.tolist(), v.tolist()) == ([1, 2], [4, 6], [4, 6])
    step(pl.ones(2))
    assert v.tolist() == [10, 14]


def test_the_default_backend_agrees_and_keeps_old_values() -> None:
    v = pl.Variable(np.zeros(3, np.float32))
    step = pl.graph_function(lambda: v.assign_add(1.0).value)
    results = [step() for _ in range(3)]
    old, seen = v.value, v.numpy()
    step()
    assert [r.tolist() for r in results] == [[1] * 3, [2] * 3, [3] * 3]
    assert old.tolist() == seen.tolist() == [3, 3, 3]
    assert v.tolist() == [4, 4, 4]
    shared = pl.Variable(np.zeros(3, np.float32))
    shared.assign(results[0])
    step_shared = pl.graph_function(lambda: shared.assign_add(1.0).value)
    step_shared()
    assert results[0].tolist() == [1, 1, 1]


def test_assignments_in_a_trace_are_checked() -> None:
    v = pl.Variable([1.0, 2.0])

    def wrong(x: Any) -> Any:
        v.assign(x)
        return x

    with pytest.raises(pl.errors.ShapeError, match=r"(?s)cannot be assigned.*test_variable"):
        compiled(wrong)(pl.ones(3))
    assert v.tolist() == [1, 2]


def test_a_traced_first_value_is_refused() -> None:
    make = lambda x: pl.Variable(x + 1) + 1  # noqa: E731
    with pytest.raises(pl.errors.TraceError, match="being traced"):
        compiled(make, fullgraph=True)(pl.ones(3))
    with pytest.warns(pl.errors.GraphBreakWarning, match="being traced"):
        assert compiled(make)(pl.ones(3)).tolist() == [3, 3, 3]


def test_pickle_and_copy() -> None:
    v = pl.Variable([1.0], name="v", trainable=False)
    for made in (pickle.loads(pickle.dumps(v)), copy.deepcopy(v)):
        made.assign([2.0])
        assert (made.name, made.trainable, v.tolist()) == ("v", False, [1])


def test_threads_lose_no_addition() -> None:
    v = pl.Variable(0)

    def add() -> None:
        for _ in range(200):
            v.assign_add(1)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert v.item() == 800
