"""Minimum cuts of small directed networks: the cut that is nearest to the sink, which is unique."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from itertools import pairwise

from plait.ir.errors import GraphError

Edges = Mapping[tuple[int, int], float]

#: Capacities are scaled so that their sum is this; scipy counts in 32 bits.
SCALE = 1 << 29
INFINITE = (1 << 31) - 1
#: Up to this many edges, the import of scipy costs more than it gains.
SMALL = 4000


def sink_side(edges: Edges, source: int, sink: int, method: str = "") -> frozenset[int]:
    """The nodes behind the minimum cut that is nearest to the sink.

    Parameters
    ----------
    edges : mapping of (int, int) to float
        Capacities; ``math.inf`` cannot be cut.
    source, sink : int
    method : {"", "scipy", "own"}
        Who finds the maximum flow; by default, by the number of edges.

    Raises
    ------
    GraphError
        No finite cut exists.
    """
    _demand_finite(edges, source, sink)
    scaled = _scaled(edges)
    own = method == "own" or (not method and len(edges) <= SMALL)
    left = (_own_flow if own else _scipy_flow)(scaled, source, sink)
    return _reaching(sink, [edge for edge, room in left.items() if room > 0])


def _reaching(sink: int, edges: Iterable[tuple[int, int]]) -> frozenset[int]:
    """The nodes from which edges lead to the sink."""
    before: dict[int, list[int]] = {}
    for u, v in edges:
        before.setdefault(v, []).append(u)
    found = {sink}
    pending = [sink]
    while pending:
        for u in before.get(pending.pop(), ()):
            if u not in found:
                found.add(u)
                pending.append(u)
    return frozenset(found)


def _demand_finite(edges: Edges, source: int, sink: int) -> None:
    """Demand that no path leads from the source to the sink which cannot be cut."""
    if source in _reaching(sink, [edge for edge, c in edges.items() if c == math.inf]):
        raise GraphError("no finite cut separates the source from the sink")


def _scaled(edges: Edges) -> dict[tuple[int, int], int]:
    """The capacities as integers of 32 bits; positive ones stay positive."""
    total = math.fsum(c for c in edges.values() if c != math.inf)
    factor = SCALE / total if total else 1.0
    return {
        edge: INFINITE if c == math.inf else max(round(c * factor), 1) if c > 0 else 0
        for edge, c in edges.items()
    }


def _scipy_flow(
    edges: Mapping[tuple[int, int], int], source: int, sink: int
) -> dict[tuple[int, int], int]:
    """What the edges, and those back, have left under a maximum flow, by scipy."""
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_flow

    if not edges:
        return {}
    starts, ends = np.array(list(edges), np.int32).T
    capacities = np.array(list(edges.values()), np.int32)
    size = int(max(starts.max(), ends.max(), source, sink)) + 1
    matrix = csr_array((capacities, (starts, ends)), shape=(size, size), dtype=np.int32)
    flow = maximum_flow(matrix, source, sink, method="dinic").flow.tocoo()
    left = dict(edges)
    for u, v, amount in zip(flow.row.tolist(), flow.col.tolist(), flow.data.tolist(), strict=True):
        left[u, v] = edges.get((u, v), 0) - int(amount)
    return left


def _own_flow(
    edges: Mapping[tuple[int, int], int], source: int, sink: int
) -> dict[tuple[int, int], int]:
    """What the edges, and those back, have left under a maximum flow, by Dinic's algorithm."""
    left = dict(edges)
    for u, v in edges:
        left.setdefault((v, u), 0)
    after: dict[int, list[int]] = {source: []}
    for u, v in left:
        after.setdefault(u, []).append(v)
    while True:
        levels = _levels(left, after, source)
        if sink not in levels:
            return left
        places = dict.fromkeys(after, 0)
        while _augment(left, after, levels, places, source, sink):
            pass


def _levels(
    left: Mapping[tuple[int, int], int], after: Mapping[int, list[int]], source: int
) -> dict[int, int]:
    """Distances from the source over edges with room."""
    levels = {source: 0}
    queue = deque([source])
    while queue:
        u = queue.popleft()
        for v in after[u]:
            if v not in levels and left[u, v] > 0:
                levels[v] = levels[u] + 1
                queue.append(v)
    return levels


def _augment(
    left: dict[tuple[int, int], int],
    after: Mapping[int, list[int]],
    levels: Mapping[int, int],
    places: dict[int, int],
    source: int,
    sink: int,
) -> int:
    """Send flow along one shortest path that has room; what it carries, 0 when there is none."""
    path = [source]
    while path[-1] != sink:
        u = path[-1]
        if places[u] == len(after[u]):
            path.pop()
            if not path:
                return 0
            places[path[-1]] += 1
            continue
        v = after[u][places[u]]
        if left[u, v] > 0 and levels.get(v) == levels[u] + 1:
            path.append(v)
        else:
            places[u] += 1
    steps = list(pairwise(path))
    amount = min(left[step] for step in steps)
    for u, v in steps:
        left[u, v] -= amount
        left[v, u] += amount
    return amount


__all__ = ["SCALE", "sink_side"]
