"""The reference backend: an executable whose outputs belong to the caller."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given

from plait import ir
from plait.backends import get_backend
from plait.ir import Graph, ops, parse_type
from plait.ir.errors import BackendError, SignatureError, UnknownNameError
from tests.graphs import Options, arguments, graphs

F = parse_type("f32[4]")


def compiled(graph: Graph) -> Any:
    return get_backend("reference").compile(graph)


@given(graphs(options=Options(regions=True)))
def test_it_does_as_evaluate(graph: Graph) -> None:
    arrays = arguments(graph)
    kept = [a.copy() for a in arrays]
    found = compiled(graph)(*arrays)
    for array, wanted in zip(found, ir.evaluate(graph, arrays), strict=True):
        assert array.tobytes() == wanted.tobytes()
    assert all(a.tobytes() == k.tobytes() for a, k in zip(arrays, kept, strict=True))


@given(graphs(options=Options(regions=True)))
def test_outputs_can_be_written_and_share_nothing(graph: Graph) -> None:
    arrays = arguments(graph)
    executable = compiled(graph)
    found = executable(*arrays)
    before = [a.copy() for a in arrays]
    expected = [a.copy() for a in found]
    for i, array in enumerate(found):
        array[...] = 0
        later = found[i + 1 :]
        assert all(
            a.tobytes() == e.tobytes() for a, e in zip(later, expected[i + 1 :], strict=True)
        )
    assert all(a.tobytes() == b.tobytes() for a, b in zip(arrays, before, strict=True))
    again = executable(*arrays)
    assert all(a.tobytes() == e.tobytes() for a, e in zip(again, expected, strict=True))


def test_identity_outputs_are_copies() -> None:
    def function(x: Any) -> list[Any]:
        constant = ops.constant(value=ir.Literal(np.ones(4, np.float32)))
        return [x, x, ops.reshape(x, shape=(2, 2)), constant]

    x = np.zeros(4, np.float32)
    found = compiled(ir.region("f", [F], function))(x)
    assert not any(np.shares_memory(a, x) for a in found)
    assert not np.shares_memory(found[0], found[1])
    assert all(a.flags.writeable for a in found)


def test_arguments_of_another_type() -> None:
    executable = compiled(ir.region("f", [F], lambda x: x))
    with pytest.raises(SignatureError, match="takes 1 argument"):
        executable()
    with pytest.raises(SignatureError, match=r"is f32\[4\], got f64\[4\]"):
        executable(np.zeros(4))


def test_devices() -> None:
    graph = ir.region("f", [F], lambda x: x)
    backend = get_backend("reference")
    assert backend.compile(graph, device="cpu:0", donated=(0,)).backend == "reference"
    with pytest.raises(BackendError, match="CPU only, not on gpu:0"):
        backend.compile(graph, device="gpu:0")


def test_memory() -> None:
    body = ir.region("callee", [F], lambda x: ops.exp(ops.add(x, ops.tanh(x))))

    def function(x: Any) -> Any:
        return ops.negative(ops.call(ops.tanh(x), regions=(body,))[0])

    analysis = compiled(ir.region("f", [F], function)).memory_analysis()
    assert analysis == {
        "arguments": 16,
        "outputs": 16,
        "temporaries": 32,
        "aliases": 0,
        "total": 64,
    }
    empty = compiled(ir.region("f", [F], lambda x: x)).memory_analysis()
    assert (empty["temporaries"], empty["total"]) == (0, 32)


def test_text() -> None:
    graph = ir.region("f", [F], lambda x: ops.tanh(x))
    executable = compiled(graph)
    assert executable.as_text("ir") == str(graph)
    assert repr(executable) == "<ReferenceExecutable f>"
    with pytest.raises(UnknownNameError, match="'ir', not 'hlo'"):
        executable.as_text("hlo")
