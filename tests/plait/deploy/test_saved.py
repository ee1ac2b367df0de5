"""Saved functions do, after loading, what they did before."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import plait as pl
from plait.deploy import LoadedFunction
from plait.ir.errors import DTypeError, ShapeError, SignatureError

State = namedtuple("State", "h c")
THREE = np.arange(3.0)


@dataclass
class Params:
    w: Any
    b: Any
    depth: int = 2


def compiled(function: Any) -> Any:
    return pl.graph_function(function, backend="reference")


def x32(*shape: int) -> Any:
    return pl.asarray(np.random.default_rng(0).standard_normal(shape).astype(np.float32))


@pytest.fixture
def again(tmp_path: Path) -> Any:
    """Saves and loads a function; saved once more, the bytes are the same."""

    def saved(function: Any, *args: Any, classes: Any = (), backend: str = "reference") -> Any:
        path = tmp_path / "f.plait"
        function.save(path, *args)
        found = pl.load(path, backend=backend, classes=classes)
        found.save(tmp_path / "g.plait")
        assert (tmp_path / "g.plait").read_bytes() == path.read_bytes()
        return found

    return saved


def same(a: Any, b: Any) -> None:
    """Equal in structure, class and bits."""
    assert type(a) is type(b)
    if isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            same(one, other)
    elif isinstance(a, dict):
        assert list(a) == list(b)
        same(list(a.values()), list(b.values()))
    elif hasattr(a, "dtype"):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()
    else:
        assert a == b


@compiled
def cell(params: Any, state: Any, x: Any) -> Any:
    h = pl.tanh(x @ params.w + params.b + state.h * params.depth)
    return State(h, state.c + h), {"z": h, 2: [h, (x, None, "text", 3)]}


def test_containers(again: Any) -> None:
    args = Params(x32(4, 4), x32(4)), State(x32(3, 4), x32(3, 4)), x32(3, 4)
    loaded = again(cell, *args, classes=[State, Params])
    same(loaded(*args), cell(*args))
    assert isinstance(loaded, LoadedFunction)


def test_classes_that_are_not_there_are_stood_in_for(again: Any) -> None:
    args = Params(x32(4, 4), x32(4)), State(x32(3, 4), x32(3, 4)), x32(3, 4)
    result, _ = again(cell, *args)(*args)
    assert (type(result).__name__, result._fields) == ("State", ("h", "c"))


def test_dicts(again: Any) -> None:
    f = compiled(lambda d, o, e: {"a": d["x"] + o["y"], "b": e[1]})
    args = {"x": x32(2)}, OrderedDict(y=x32(2)), defaultdict(list, {1: x32(3)})
    loaded = again(f, *args)
    same(loaded(*args), f(*args))
    with pytest.raises(SignatureError, match="was saved for a dict of 'x' as d"):
        loaded({"z": x32(2)}, *args[1:])


@pytest.mark.parametrize("backend", ["reference", "planned", "xla"])
def test_any_batch_size_on_every_backend(again: Any, backend: str) -> None:
    w = x32(4, 2)
    f = compiled(lambda x: pl.softmax(pl.relu(x @ w) + 1.0, axis=1))
    loaded = again(f, "f32[b,4]", backend=backend)
    for size in (1, 3, 0):
        np.testing.assert_allclose(loaded(x32(size, 4)), f(x32(size, 4)), rtol=1e-6)
    with pytest.raises(ShapeError, match=r"was saved for x: f32\[b,4\]; got f32\[3,5\]"):
        loaded(x32(3, 5))
    with pytest.raises(DTypeError, match="astype"):
        loaded(np.ones((3, 4)))


def test_one_name_is_one_size(again: Any) -> None:
    loaded = again(compiled(lambda x, y: x + y), "f32[b,2]", "f32[b,2]")
    with pytest.raises(ShapeError, match=r"b is 2 in x.shape\[0\] and 3 in y.shape\[0\]"):
        loaded(x32(2, 2), x32(3, 2))


def test_variables_are_read_and_assigned(again: Any) -> None:
    count = pl.Variable(np.float32(0), name="count", trainable=False)
    w = pl.Variable(x32(3), name="w")

    @compiled
    def step(x: Any) -> Any:
        count.assign_add(1.0)
        w.assign(w + x)
        return w * count

    loaded = again(step, "f32[3]")
    for _ in range(2):
        same(loaded(x32(3)), step(x32(3)))
    assert [(v.name, v.trainable) for v in loaded.variables] == [("count", False), ("w", True)]
    same(loaded.variables[1].numpy(), w.numpy())
    loaded.variables[0].assign(7.0)
    assert float(loaded(x32(3))[0]) == pytest.approx(8 * float(loaded.variables[1].numpy()[0]))


def test_random_state(again: Any) -> None:
    generator = pl.random.Generator(5)
    f = compiled(lambda x: x + generator.uniform((2,)) * pl.random.normal((2,)))
    loaded = again(f, "f32[2]")
    assert len(loaded.random_states) == 2
    assert loaded.variables == ()
    one = [f(x32(2)), f(x32(2))]
    same([loaded(x32(2)), loaded(x32(2))], one)
    rows = pl.vmap(loaded)(x32(3, 2)) - x32(3, 2)
    assert len({float(row[0]) for row in rows}) == 3


def test_fixed_arguments_are_part_of_the_signature(again: Any) -> None:
    @compiled
    def f(x: Any, axis: int, *, keep: bool = False, act: Any = pl.tanh, axes: Any = (0,)) -> Any:
        return pl.sum(act(x), axis=axis, keepdims=keep) + pl.sum(x, axis=axes)

    loaded = again(f, "f32[2,2]", 1)
    keywords = "keep: fixed at False = False, axes: (fixed at 0,) = (0,)"
    text = f"(x: f32[2,2], axis: fixed at 1 = 1, *, {keywords})"
    assert str(inspect.signature(loaded)) == text
    same(loaded(x32(2, 2)), f(x32(2, 2), 1))
    same(loaded(x32(2, 2), axis=1, keep=False), f(x32(2, 2), 1))
    for wrong in ({"axis": 0}, {"axis": True}, {"keep": True}):
        with pytest.raises(SignatureError, match="f was saved with"):
            loaded(x32(2, 2), **wrong)
    with pytest.raises(SignatureError, match="unexpected keyword argument 'act'"):
        loaded(x32(2, 2), act=pl.tanh)
    with pytest.raises(SignatureError, match="missing a required argument"):
        loaded()


def test_default_arrays_and_numbers(again: Any) -> None:
    def scaled(x: Any, w: Any = THREE, s: float = 1.5) -> Any:
        return x * w * s, s + 1

    f = compiled(scaled)
    f(np.ones(3), s=1.0)
    f(np.ones(3), s=2.0)  # now it is an input
    loaded = again(f, np.ones(3))
    assert str(inspect.signature(loaded)).endswith("s: float = 1.5)")
    same(loaded(np.ones(3)), f(np.ones(3)))
    same(loaded(np.ones(3), s=4.0), f(np.ones(3), s=4.0))
    same(loaded(np.ones(3), np.ones(3), 4), f(np.ones(3), np.ones(3), 4.0))


def test_many_arguments(again: Any) -> None:
    loaded = again(compiled(lambda *xs: sum(xs)), x32(2), x32(2))
    same(loaded(x32(2), x32(2)), x32(2) + x32(2))
    with pytest.raises(SignatureError, match="takes 2 positional arguments"):
        loaded(x32(2))


def test_kinds_of_results(again: Any) -> None:
    f = compiled(lambda x, y: (np.tanh(x), x.sum(), x, y, f"{pl.sum(y)}", pl.float32, [1.5, 2j]))
    args = np.ones((2, 2), np.float32), x32(3)
    same(again(f, *args)(*args), f(*args))


def test_arguments_are_written_in_place(again: Any) -> None:
    def write(x: Any) -> Any:
        x[0] = 5.0
        return x

    loaded = again(compiled(write), np.zeros(3, np.float32))
    array, tensor = np.zeros(3, np.float32), pl.zeros(3)
    assert loaded(array) is array
    assert loaded(tensor) is tensor
    same(array, np.asarray([5, 0, 0], np.float32))
    same(tensor.numpy(), array)


def test_prints_and_checks_keep_text_class_and_line(
    again: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    class Small(ValueError):
        pass

    @compiled
    def f(x: Any, i: Any) -> Any:
        print("x is", x)
        if pl.sum(x) < 0:
            raise Small(f"sum {pl.sum(x)}")
        assert pl.max(x) < 10, "large"
        return x[i]

    loaded = again(f, "f32[2]", "i32[]")
    loaded(pl.ones(2), pl.constant(1))
    printed = capsys.readouterr().out
    f(pl.ones(2), pl.constant(1))
    assert capsys.readouterr().out == printed
    with pytest.raises(ValueError, match="Small: sum"):
        loaded(-pl.ones(2), pl.constant(1))
    with pytest.raises(AssertionError, match="large"):
        loaded(pl.ones(2) * 20, pl.constant(1))
    with pytest.raises(pl.errors.IndexOutOfRangeError, match="index 9") as error:
        loaded(pl.ones(2), pl.constant(9))
    line = inspect.getsourcelines(f.__wrapped__)[1] + 6
    assert error.value.location.line == line


# Derivatives.


@compiled
def curve(x: Any) -> Any:
    return pl.sum(pl.sin(x) ** 3 * pl.exp(-x * x))


def third(f: Any) -> Any:
    first = pl.grad(f)
    second = pl.grad(lambda x: pl.sum(first(x)))
    return pl.grad(lambda x: pl.sum(second(x)))


def test_third_order_gradients(again: Any) -> None:
    x = x32(5)
    same(third(again(curve, "f32[n]"))(x), third(curve)(x))


def test_tapes_see_its_variables(again: Any) -> None:
    w = pl.Variable(x32(3), name="w")
    loaded = again(compiled(lambda x: pl.sum(w * w * x)), "f32[3]")
    with pl.GradientTape() as tape:
        y = loaded(x32(3))
    np.testing.assert_allclose(tape.gradient(y, loaded.variables[0]), 2 * w * x32(3), rtol=1e-6)


def test_gradients_of_its_own_are_kept(again: Any) -> None:
    clipped = pl.custom_gradient(lambda x: (x * x, lambda g: g * 100.0))
    loaded = again(compiled(lambda x: pl.sum(clipped(x))), "f32[n]")
    same(pl.grad(loaded)(pl.ones(2)), pl.ones(2) * 100)


def test_inside_of_other_functions(again: Any) -> None:
    loaded = again(curve, "f32[n]")
    outer = compiled(lambda x: loaded(x[0]) + 2 * loaded(x[1, :2]))
    x = x32(2, 3)
    same(outer(x), compiled(lambda x: curve(x[0]) + 2 * curve(x[1, :2]))(x))
    same(pl.vmap(loaded)(x), pl.vmap(curve)(x))
    _, tangent = pl.jvp(loaded, (x[0],), (x[1],))
    np.testing.assert_allclose(tangent, pl.sum(pl.grad(curve)(x[0]) * x[1]), rtol=1e-5)


def test_passes_and_stages(again: Any, tmp_path: Path) -> None:
    again(curve, "f32[n]")
    loaded = pl.load(tmp_path / "f.plait", passes="", backend="planned", name="other")
    assert len(loaded.graph(stage="traced").nodes) == 1
    assert repr(loaded) == "<loaded function other(x: f32[n])>"
    assert "f32[4]" in str(loaded.graph("f32[4]", stage="plan"))
    assert "sin" in str(pl.load(tmp_path / "f.plait").graph())


def test_as_a_class_attribute_it_takes_no_self(again: Any) -> None:
    class Model:
        net = again(curve, "f32[n]")

    same(Model().net(pl.ones(2)), curve(pl.ones(2)))


def test_methods(again: Any) -> None:
    class Layer:
        def __init__(self) -> None:
            self.w = pl.Variable(x32(2), name="w")

        @pl.graph_function
        def __call__(self, x: Any) -> Any:
            return x * self.w

    layer = Layer()
    same(again(layer.__call__, "f32[2]")(pl.ones(2)), pl.ones(2) * layer.w)


def test_written_at_once(tmp_path: Path) -> None:
    path = tmp_path / "f.plait"
    curve.save(path, "f32[n]")
    before = path.read_bytes()
    with pytest.raises(pl.errors.SaveError):
        compiled(lambda x: (x, print)).save(path, "f32[n]")
    assert path.read_bytes() == before
    with pytest.raises(pl.errors.SavedFileError, match="cannot write"):
        curve.save(tmp_path / "no" / "f.plait", "f32[n]")
    with pytest.raises(pl.errors.SavedFileError, match="no regular file"):
        curve.save(tmp_path, "f32[n]")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f.plait"]


MODULE = """
import plait as pl
w = pl.Variable([1.0, 2.0], name="w")

def helper(x):
    return pl.tanh(x) * w

@pl.graph_function
def f(x):
    return helper(x) + 1.0
"""
READER = """
import sys, numpy as np, plait as pl
f = pl.load(sys.argv[1], backend="reference")
print(f(np.ones((3, 2), np.float32)).numpy().tobytes().hex())
print([(s.file, s.line) for s in f.sources], "def helper" in f.sources[0].text)
"""


def test_the_source_may_be_gone(tmp_path: Path) -> None:
    module = tmp_path / "mymodel.py"
    module.write_text(MODULE)
    save = "import mymodel; mymodel.f.save('f.plait', 'f32[b,2]')"
    subprocess.run([sys.executable, "-c", save], cwd=tmp_path, check=True)
    module.unlink()
    done = subprocess.run(
        [sys.executable, "-c", READER, "f.plait"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    expected = np.tanh(np.ones((3, 2), np.float32)) * np.asarray([1, 2], np.float32) + np.float32(1)
    value, sources = done.stdout.splitlines()
    assert value == expected.tobytes().hex()
    assert sources == "[('mymodel.py', 5), ('mymodel.py', 8)] True"
    source = compiled(lambda x: x)
    source.save(tmp_path / "g.plait", "f32[2]", include_source=False)
    assert pl.load(tmp_path / "g.plait").sources == ()


def test_the_promised_program(tmp_path: Path) -> None:
    @pl.graph_function
    def lstm_cell(x: Any, w: Any, h: Any, c: Any) -> Any:
        y = pl.split(pl.matmul(pl.concat([x, h], axis=1), w), 4, axis=1)
        in_value = pl.tanh(y[0])
        in_gate, forget_gate, out_gate = [pl.sigmoid(v) for v in y[1:]]
        c = (forget_gate * c) + (in_gate * in_value)
        return out_gate * pl.tanh(c), c

    x, w, h, c = x32(8, 16), x32(32, 64), x32(8, 16), x32(8, 16)
    path = tmp_path / "cell.plait"
    lstm_cell.save(path, x, w, h, c)
    loaded = pl.load(path)
    same(loaded(x, w, h, c), lstm_cell(x, w, h, c))
    gradient = pl.grad(lambda w: pl.sum(loaded(x, w, h, c)[0]))
    same(gradient(w), pl.grad(lambda w: pl.sum(lstm_cell(x, w, h, c)[0]))(w))
    lstm_cell.save(path, "f32[b,16]", w, "f32[b,16]", "f32[b,16]")
    same(pl.load(path)(x, w, h, c), lstm_cell(x, w, h, c))
