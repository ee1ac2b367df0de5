"""NumPy's, DLPack's and jax's protocols, pickling, copies, display."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import plait as pl


def test_the_printed_form() -> None:
    assert str(pl.matmul([[2.0]], [[2.0]])) == "pl.Tensor([[4.]], dtype=float32, shape=(1, 1))"
    assert repr(pl.constant(6)) == "pl.Tensor(6, dtype=int32)"
    assert repr(pl.zeros(0)) == "pl.Tensor([], dtype=float32, shape=(0,))"
    assert repr(pl.asarray([True])) == "pl.Tensor([ True], dtype=bool, shape=(1,))"
    two_rows = repr(pl.asarray([[1, 2], [3, 4]]))
    assert two_rows == "pl.Tensor([[1, 2],\n           [3, 4]], dtype=int32, shape=(2, 2))"
    assert "..." in repr(pl.zeros(10_000))


def test_a_traced_tensor_prints_its_type() -> None:
    namespace: dict[str, Any] = {}
    exec("def show(x):\n    return f'{x} {x:}'", namespace)  # not converted
    seen = pl.graph_function(namespace["show"], backend="reference")(pl.zeros((2, 3)))
    text = "pl.Tensor(<traced>, dtype=float32, shape=(2, 3))"
    assert seen == f"{text} {text}"


def test_format_takes_a_number_format_when_0_d() -> None:
    assert f"{pl.constant(1.25):.1f}" == "1.2"
    assert f"{pl.constant(3)}" == "pl.Tensor(3, dtype=int32)"
    with pytest.raises(ValueError, match="format code"):
        format(pl.zeros(2), ".1f")


def test_html_shows_the_edges_of_a_table() -> None:
    html = pl.asarray(np.arange(400).reshape(20, 20))._repr_html_()
    assert html.count("<tr>") == 9
    assert "…" in html
    assert "int64, shape (20, 20), cpu:0" in html
    assert pl.constant(1)._repr_html_().startswith("<pre")


def test_attributes() -> None:
    x = pl.zeros((2, 3), dtype="float64")
    assert (x.shape, x.dtype, x.ndim, x.size) == ((2, 3), np.dtype("float64"), 2, 6)
    assert (x.itemsize, x.nbytes, len(x)) == (8, 48, 2)
    assert (x.T.shape, x.mT.shape) == ((3, 2), (3, 2))
    assert x.device == "cpu:0"
    assert x.to("cpu:0") is x
    with pytest.raises(pl.errors.DeviceError, match="cpu:0"):
        x.to("gpu:7")


METHODS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("sum", (), {"axis": 1, "keepdims": True}),
    ("prod", (0,), {}),
    ("mean", (), {}),
    ("var", (), {"axis": 0, "ddof": 1}),
    ("std", (), {}),
    ("max", (1,), {}),
    ("min", (), {}),
    ("all", (), {}),
    ("any", (), {"axis": 1}),
    ("argmax", (1,), {}),
    ("argmin", (), {}),
    ("argsort", (), {"axis": 0}),
    ("argpartition", (1,), {"axis": 0}),
    ("compress", ([True, False, True],), {"axis": 1}),
    ("compress", ([False, True],), {}),
    ("cumsum", (), {"axis": 1}),
    ("cumprod", (), {}),
    ("clip", (1, 2), {}),
    ("conj", (), {}),
    ("diagonal", (), {}),
    ("trace", (), {}),
    ("flatten", (), {}),
    ("ravel", (), {}),
    ("nonzero", (), {}),
    ("repeat", (2,), {"axis": 1}),
    ("reshape", (3, 2), {}),
    ("reshape", ((-1,),), {}),
    ("round", (1,), {}),
    ("squeeze", (), {}),
    ("swapaxes", (0, 1), {}),
    ("take", ([1, 0],), {"axis": 1}),
    ("transpose", (), {}),
    ("transpose", (1, 0), {}),
    ("astype", ("int64",), {}),
    ("tolist", (), {}),
    ("tobytes", (), {}),
    ("item", (1, 2), {}),
    ("copy", (), {}),
]


@pytest.mark.parametrize(("name", "args", "options"), METHODS)
def test_methods_are_ndarrays(name: str, args: Any, options: Any) -> None:
    array = np.asarray([[3.25, 1.5, 2.0], [0.0, 5.75, -4.0]])
    found = getattr(pl.asarray(array), name)(*args, **options)
    wanted = getattr(array, name)(*args, **options)
    for one, other in zip(
        found if type(found) is tuple else (found,),
        wanted if type(wanted) is tuple else (wanted,),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-12) if name != "tobytes" else None
        assert np.asarray(one).dtype == np.asarray(other).dtype
    assert name != "tobytes" or found == wanted


def test_dot_and_searchsorted() -> None:
    x = pl.asarray([1.0, 2.0, 4.0])
    assert x.dot(x).item() == 21
    assert x.searchsorted([0.0, 3.0]).tolist() == [0, 2]


def test_methods_that_write() -> None:
    x = pl.asarray([3.0, 1.0, 2.0])
    view = x[:2]
    x.sort()
    assert view.tolist() == [1, 2]
    view.fill(7)
    assert x.tolist() == [7, 7, 3]


def test_methods_that_write_elements() -> None:
    x = pl.asarray([[3, 1, 2], [6, 5, 4]])
    view = x[0]
    x.partition(2)
    assert x[:, 2].tolist() == [3, 6]
    x.put([0, -1, 1], [9, 8])
    assert view.tolist() == [9, 9, 3]
    assert x[1, 2].item() == 8
    assert pl.asarray([1, 0]).choose([[1, 2], [3, 4]]).tolist() == [3, 2]


def test_the_elements_one_after_another() -> None:
    x = pl.asarray([[1, 2], [3, 4]]).T
    assert [element.item() for element in x.flat] == [1, 3, 2, 4]
    assert (len(x.flat), next(x.flat).item()) == (4, 1)
    assert x.flat[1:3].tolist() == [3, 2]
    x.flat[0].fill(9)
    assert x[0, 0].item() == 1
    with pytest.raises(TypeError):
        x.flat[0] = 9  # type: ignore[index]


def test_writing_methods_in_a_graph() -> None:
    @pl.graph_function
    def program(x: pl.Tensor) -> tuple[pl.Tensor, ...]:
        x = x.copy()
        x.put([0], 7)
        x.partition(1)
        return x, *x.flat

    found = program(pl.asarray([3, 1, 2]))
    assert found[0].tolist() == [1, 2, 7]
    assert [element.item() for element in found[1:]] == [1, 2, 7]


def test_functional_updates() -> None:
    x = pl.zeros(3)
    assert x.at[1].set(5.0).tolist() == [0, 5, 0]
    assert x.at[[0, 0]].add(1.0).tolist() == [2, 0, 0]
    assert (x + 2).at[:2].multiply(3.0).tolist() == [6, 6, 2]
    assert x.at[0].max(4.0).tolist() == [4, 0, 0]
    assert x.at[0].min(-4.0).tolist() == [-4, 0, 0]
    assert x.at[1:].get().tolist() == [0, 0]
    assert not x.any()


def test_item_and_bits() -> None:
    assert pl.constant(1.5, dtype="bfloat16").item() == 1.5
    assert pl.zeros(2, dtype="bfloat16").tolist() == [0, 0]
    assert pl.constant(1.0).view("int32").item() == 0x3F800000
    with pytest.raises(pl.errors.ShapeError, match="item"):
        pl.zeros(2).item()
    with pytest.raises(pl.errors.IndexOutOfRangeError, match="item"):
        pl.zeros(2).item(5)
    with pytest.raises(pl.errors.DTypeError, match="differ in size"):
        pl.zeros(2).view("int64")


def test_numpy_functions_take_and_give_tensors() -> None:
    x = pl.asarray([0.5, 1.0])
    for result in (np.tanh(x), np.add(1, x), np.sum(x), np.stack([x, x]), np.where(x > 0.7, x, 0)):
        assert type(result) is pl.Tensor
    assert np.sum(pl.asarray([1, 2])).dtype == np.int64
    assert np.mean(pl.asarray([1, 2])).dtype == np.float64
    quotient, rest = np.divmod(pl.asarray([7]), 2)
    assert (quotient.item(), rest.item()) == (3, 1)
    assert np.shape(x) == (2,)
    assert np.array_equal(x, [0.5, 1.0])


def _ufuncs() -> Any:
    """Two ufuncs, whose stubs know no tensors."""
    return np.add, np.multiply


def test_ufunc_methods_and_options() -> None:
    x: Any = pl.asarray([[1.0, 2.0], [3.0, 4.0]])
    add, multiply = _ufuncs()
    assert add.reduce(x).tolist() == [4, 6]
    assert multiply.accumulate(x, axis=1).tolist() == [[1, 2], [3, 12]]
    assert np.add.outer(x[0], x[1]).tolist() == [[4, 5], [5, 6]]
    out: Any = pl.zeros((2, 2))
    assert np.add(x, 1, out=out) is out
    assert out.tolist() == [[2, 3], [4, 5]]
    np.add(x, 1, out=out, where=x > 2.5)
    np.add.at(out, ([0, 0], [0, 0]), 10)
    assert out.tolist() == [[22, 3], [4, 5]]
    array = np.zeros((2, 2), np.float32)
    assert np.add(x, x, out=array) is array


def test_numpy_functions_that_write_reach_views() -> None:
    x: Any = pl.zeros(4)
    view, kept = x[1:3], x.numpy()
    np.copyto(x, 1.0)
    assert view.tolist() == [1, 1]
    assert not kept.any()
    np.cumsum(view, out=view)
    assert x.tolist() == [1, 1, 2, 1]
    reshaped = np.reshape(x, (2, 2))
    reshaped[0] = 5
    assert x.tolist() == [5, 5, 2, 1]


def test_numpy_errors_are_ours() -> None:
    with pytest.raises(pl.errors.ShapeError, match=r"(?s)np\.add.*test_tensor_protocols"):
        np.add(pl.zeros(2), np.zeros(3))
    with pytest.raises(pl.errors.ShapeError, match=r"np\.concatenate"):
        np.concatenate([pl.zeros(2), pl.zeros((2, 2))])


def test_numpy_functions_are_captured() -> None:
    def f(x: Any) -> Any:
        add: Any = np.add
        y = np.tanh(x) + add.reduce(x, axis=0)
        return np.concatenate([y, np.absolute(x)]), np.mean(x), np.clip(x, 0, 1), np.maximum(x, 2)

    compiled = pl.graph_function(f, backend="reference")
    array = np.linspace(-1, 3, 6).reshape(2, 3)
    for argument in (array, pl.asarray(array)):
        for one, other in zip(compiled(argument), f(argument), strict=True):
            assert type(one) is type(other)
            np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.linalg.svd(x),
        lambda x: np.add(x, x, where=x > 1),
        lambda x: np.add.at(x, 0, 1),
        lambda x: np.spacing(x),
        lambda x: np.copyto(x, 1),
    ],
)
def test_what_cannot_be_captured_says_so(call: Any) -> None:
    with pytest.raises(pl.errors.TraceError, match=r"np\.") as caught:
        pl.graph_function(call, backend="reference", fullgraph=True)(pl.zeros((2, 2)))
    assert "test_tensor_protocols.py" in str(caught.value)


def test_out_of_a_ufunc_rebinds_in_a_trace() -> None:
    def f(x: Any) -> Any:
        y = x * 0
        view = y[0]
        np.add(x, 1, out=y)
        return view + 0

    assert pl.graph_function(f, backend="reference")(pl.ones((2, 2))).tolist() == [2, 2]


def test_asarray_of_a_tensor() -> None:
    x = pl.asarray([1.0, 2.0])
    seen = np.asarray(x)
    assert np.shares_memory(seen, x._data)
    assert not seen.flags.writeable
    assert np.array(x).flags.writeable
    assert np.asarray(x, dtype=np.int64).dtype == np.int64
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(x, dtype=np.int64, copy=False)
    assert np.asarray(x, copy=False)[0] == 1
    assert np.asarray([x, x]).shape == (2, 2)


def test_dlpack_both_ways() -> None:
    x = pl.asarray([1.0, 2.0])
    seen = np.from_dlpack(x)
    assert np.shares_memory(seen, x._data)
    x[0] = 9.0
    assert seen.tolist() == [1, 2]
    array = np.arange(3.0)
    shared = pl.from_dlpack(array)
    array[0] = 5
    assert shared.tolist() == [5, 1, 2]
    shared[1] = 7.0
    assert array.tolist() == [5, 1, 2]
    assert pl.from_dlpack(array, copy=True)._data is not array
    assert pl.from_dlpack(x) is x
    assert x.__dlpack_device__() == (1, 0)
    with pytest.raises(BufferError, match="bfloat16"):
        np.from_dlpack(pl.zeros(2, dtype="bfloat16"))
    with pytest.raises(pl.errors.DTypeError, match="from_dlpack"):
        pl.from_dlpack([1, 2])


def test_jax_takes_and_gives() -> None:
    jnp = pytest.importorskip("jax.numpy")
    x = pl.asarray([1.0, 2.0])
    assert jnp.asarray(x).tolist() == [1, 2]
    with pytest.raises(pl.errors.TraceError, match="jax"):
        pl.graph_function(jnp.asarray, backend="reference", fullgraph=True)(x)
    assert jnp.from_dlpack(x).tolist() == [1, 2]
    made = pl.asarray(jnp.arange(3.0))
    assert (type(made), made.tolist()) == (pl.Tensor, [0, 1, 2])
    assert pl.add(jnp.ones(2, "float32"), x).tolist() == [2, 3]
    assert pl.from_dlpack(jnp.ones(2)).tolist() == [1, 1]
    assert (x + jnp.ones(2)).tolist() == [2, 3]


def test_the_array_namespace() -> None:
    x = pl.zeros(2)
    assert x.__array_namespace__() is pl
    assert x.__array_namespace__(api_version="2024.12") is pl
    with pytest.raises(ValueError, match="1999"):
        x.__array_namespace__(api_version="1999.01")
    info = pl.__array_namespace_info__()
    assert info.default_device() == "cpu:0"
    assert info.default_dtypes()["real floating"] == pl.float32
    assert set(info.dtypes(kind="signed integer")) == {"int8", "int16", "int32", "int64"}
    assert info.devices()[0] == "cpu:0"
    assert info.capabilities()["boolean indexing"]


def test_pickle_and_copy() -> None:
    x = pl.asarray([[1.0, 2.0]])
    view = x[0]
    for made in (pickle.loads(pickle.dumps(view)), copy.copy(view), copy.deepcopy([view])[0]):
        made[0] = 8.0
        assert made.tolist() == [8, 2]
        assert x.tolist() == [[1, 2]]
    brain = pl.ones(2, dtype="bfloat16")
    assert pickle.loads(pickle.dumps(brain)).dtype == pl.bfloat16


def test_a_tensor_is_not_made_by_its_class() -> None:
    with pytest.raises(TypeError):
        pl.Tensor([1.0])  # type: ignore[call-arg]
