"""What the page shows, as one JSON document: stages, graphs, differences, source, rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from plait.deploy.sources import Source, sources_of
from plait.inspect.inspector.changes import pair
from plait.inspect.inspector.encoding import Encoder
from plait.inspect.inspector.gradients import forward_nodes
from plait.inspect.inspector.stages import StageRecord
from plait.ir import Graph

#: Version of the document. The page that reads it is in the same file.
VERSION = 1


def make_document(
    title: str,
    stages: Sequence[StageRecord],
    known: Iterable[Source] = (),
    own_outputs: Sequence[int] | None = None,
) -> dict[str, Any]:
    """Everything the page shows.

    Parameters
    ----------
    title : str
    stages : sequence of StageRecord
        In the order of the slider.
    known : iterable of Source
        Source that is not in files: of functions that were loaded.
    own_outputs : sequence of int, optional
        For a graph that also gives gradients, the outputs that are the function's own.
    """
    encoder = Encoder()
    shown = [_stage(record, encoder, own_outputs) for record in stages]
    for i in range(1, len(stages)):
        shown[i]["diffs"] = _diffs(stages[i - 1], stages[i], encoder)
    sources = sources_of(stages[0].graph, known)
    return {
        "format": "plait.inspector",
        "version": VERSION,
        "title": title,
        "start": 0,
        "stages": shown,
        "graphs": encoder.graphs,
        "rules": _rules(stages),
        "commutative": sorted(encoder.commutative),
        "sources": [[s.file, s.line, s.text] for s in sources],
        "locations": [
            [encoder.string(p.file), p.line, encoder.string(p.function)] for p in encoder.locations
        ],
        "strings": list(encoder.strings),
    }


def _stage(
    record: StageRecord, encoder: Encoder, own_outputs: Sequence[int] | None
) -> dict[str, Any]:
    graph = record.graph
    forward = None
    if own_outputs is not None:
        kept = [i for i in own_outputs if i < len(graph.outputs)]
        forward = forward_nodes(graph, kept)
    return {
        "name": record.name,
        "note": record.note,
        "graph": encoder.graph(graph, record.plan, forward),
        "count": sum(1 for _ in graph.walk()),
        "firings": [[encoder.string(f.rule), encoder.location(f.location)] for f in record.firings],
        "diffs": [],
    }


def _diffs(before: StageRecord, after: StageRecord, encoder: Encoder) -> list[dict[str, Any]]:
    """The pairs of two stages; none where they are equal and in one order."""
    if before.graph is after.graph and after.plan is None:
        return []
    planned = before.plan is not None, after.plan is not None
    found: list[dict[str, Any]] = []
    seen: set[tuple[Graph, Graph]] = set()
    for one in pair(before.graph, after.graph):
        if (one.before, one.after) not in seen:
            seen.add((one.before, one.after))
            first = encoder.number(one.before, planned[0])
            found.append(encoder.pairs(one, first, encoder.number(one.after, planned[1])))
    return found


def _rules(stages: Sequence[StageRecord]) -> dict[str, str]:
    """The equations of the rules that fired."""
    from plait import passes

    rules = passes.all_rules()
    fired = sorted({f.rule for stage in stages for f in stage.firings})
    return {name: rules[name].equation for name in fired if name in rules}


__all__ = ["VERSION", "make_document"]
