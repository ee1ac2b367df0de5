"""Random graphs are the same after loading in a process of its own, bit by bit on reference."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import plait as pl
from plait.deploy.applying import Application
from plait.deploy.loading import from_bytes
from plait.deploy.saving import package, to_bytes
from plait.deploy.trees import Classes
from plait.ir import Graph, TensorType, evaluate, ops
from plait.tracer import unwrap, wrap
from tests import graphs

OPTIONS = graphs.Options(regions=True)
COUNT = 12


def function_of(graph: Graph) -> Any:
    """A compiled function that applies a graph."""

    def apply(*args: Any) -> Any:
        found = ops.call(*map(unwrap, args), regions=(graph,), name=graph.name)
        return [wrap(x) for x in found]

    return pl.graph_function(apply, backend="reference", name="random")


def specs(graph: Graph) -> list[Any]:
    return [pl.TensorSpec(t.shape, t.dtype) for t in graph.input_types if isinstance(t, TensorType)]


def bits(results: Any) -> list[tuple[str, bytes]]:
    arrays = [np.asarray(x) for x in results]
    return [(f"{a.dtype}{a.shape}", a.tobytes()) for a in arrays]


@given(graphs.graphs(options=OPTIONS))
@settings(max_examples=40)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_file_holds_all_of_a_graph(graph: Graph) -> None:
    function = function_of(graph)
    data = to_bytes(package(function, function.trace(*specs(graph))._program))
    saved = from_bytes(data)
    arrays = graphs.arguments(graph, 0)
    expected = bits(evaluate(graph, arrays))
    assert bits(evaluate(saved.graph, arrays)) == expected
    results = Application(saved, Classes({}))(*arrays)
    assert bits(results) == expected
    assert to_bytes(saved) == data


READER = """
import sys, warnings, numpy as np, plait as pl
warnings.simplefilter("ignore")
for i in range(int(sys.argv[1])):
    with np.load(f"{i}.npz") as given:
        arrays = [given[f"arr_{k}"] for k in range(len(given.files))]
    f = pl.load(f"{i}.plait", backend="reference")
    types = [leaf.type for leaf in f.saved.manifest.leaves]
    results = f(*[a.view(t.dtype).reshape(t.shape) for a, t in zip(arrays, types)])
    print(*[np.asarray(x).tobytes().hex() or "-" for x in results])
"""


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_loaded_in_a_fresh_process(tmp_path: Path) -> None:
    expected = []
    for i in range(COUNT):
        graph = graphs.seeded_graph(i, 12, OPTIONS)
        function = function_of(graph)
        function.save(tmp_path / f"{i}.plait", *specs(graph))
        arrays = graphs.arguments(graph, i)
        np.savez(tmp_path / f"{i}.npz", *[np.frombuffer(a.tobytes(), np.uint8) for a in arrays])
        results = function(*arrays)
        expected.append(" ".join([np.asarray(x).tobytes().hex() or "-" for x in results]))
    done = subprocess.run(
        [sys.executable, "-c", READER, str(COUNT)],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == expected
