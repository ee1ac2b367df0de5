"""Random graphs: XLA and the reference agree."""

from __future__ import annotations

import numpy as np
import pytest

from plait import backends
from plait.backends.jax import compile
from tests import graphs
from tests.backends.agreement import disagreement


@pytest.mark.parametrize("seed", range(6))
def test_xla_agrees_with_the_reference(seed: int) -> None:
    graph = graphs.seeded_graph(seed, 40, graphs.Options(stable=True, regions=True))
    arguments = graphs.arguments(graph, seed)
    wanted = backends.get_backend("reference").compile(graph)(*arguments)
    found = compile(graph)(*arguments)
    wrong = [disagreement(np.asarray(f), w) for f, w in zip(found, wanted, strict=True)]
    assert [w for w in wrong if w] == []
