"""Running passes one after the other: verified, timed, reported, watched."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TextIO

from plait.ir import Graph
from plait.ir.errors import PassError, PlaitError
from plait.passes.infrastructure import Firing, Pass, parse_passes

#: What runs when no pipeline is named; the passes after the first drop what they leave dead.
DEFAULT_PIPELINE = "dce,inline,simplify"


@dataclass(frozen=True)
class Pipeline:
    """Passes in order. ``str()`` gives the text form, ``Pipeline.parse`` reads it.

    Examples
    --------
    >>> from plait import passes
    >>> pipeline = passes.Pipeline.parse("fold{max_bytes=1024}, cse, dce")
    >>> str(pipeline)
    'fold{max_bytes=1024},cse,dce'
    >>> passes.Pipeline.parse(str(pipeline)) == pipeline
    True
    """

    passes: tuple[Pass, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """The pipeline of a text; raises ``ParseError`` or ``UnknownNameError``."""
        return cls(parse_passes(text))

    def __str__(self) -> str:
        return ",".join(map(str, self.passes))


@dataclass(frozen=True, slots=True)
class PassReport:
    """What one pass did.

    Attributes
    ----------
    spec : str
        The pass with its options.
    seconds : float
        Time of the pass, its verification not counted.
    nodes_before, nodes_after : int
        Nodes of the graph, those of regions included.
    changed : bool
        Whether the pass returned another graph.
    firings : tuple of Firing
        Each rule that fired, in order, with the location of the node that it replaced.
    """

    spec: str
    seconds: float
    nodes_before: int
    nodes_after: int
    changed: bool
    firings: tuple[Firing, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How often each rule fired, the most frequent first."""
        counted = Counter([f.rule for f in self.firings])
        return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))

    def as_text(self, *, times: bool = True, locations: bool = False) -> str:
        """One line, and with ``locations`` one more for each firing."""
        clock = f"{self.seconds * 1e3:9.2f} ms  " if times else ""
        nodes = f"{self.nodes_before} -> {self.nodes_after} nodes"
        rules = ", ".join(f"{rule} x{n}" for rule, n in self.counts.items())
        line = f"{clock}{self.spec:<16} {nodes if self.changed else 'no change'}"
        line = f"{line}  [{rules}]" if rules else line
        extra = [f"    {f.rule} at {f.location}" for f in self.firings] if locations else []
        return "\n".join([line, *extra])


@dataclass(frozen=True, slots=True)
class PipelineReport:
    """What each pass of a pipeline did."""

    passes: tuple[PassReport, ...]

    @property
    def seconds(self) -> float:
        """Time of all passes."""
        return sum(p.seconds for p in self.passes)

    def as_text(self, *, times: bool = True, locations: bool = False) -> str:
        """A line for each pass; without ``times`` the same on every run."""
        return "\n".join(p.as_text(times=times, locations=locations) for p in self.passes)

    def __str__(self) -> str:
        return self.as_text()


@dataclass(frozen=True, slots=True)
class PipelineResult:
    """The graph that a pipeline made, and the report."""

    graph: Graph
    report: PipelineReport


#: Called after each pass with the pass as text and the graph after it.
Listener = Callable[[str, Graph], None]


def print_after_change(before: Graph, stream: TextIO | None = None, **options: Any) -> Listener:
    """A listener that prints the graph after each pass that changed it.

    Parameters
    ----------
    before : Graph
        What the pipeline starts from.
    stream : text file, optional
        Standard error by default.
    **options
        Those of ``Graph.as_text``.
    """
    last = before

    def listener(name: str, after: Graph) -> None:
        nonlocal last
        out = stream if stream is not None else sys.stderr
        if after is not last:
            print(f"# after {name}\n{after.as_text(**options)}", file=out)
        else:
            print(f"# after {name}: no change", file=out)
        last = after

    return listener


def run_pipeline(
    graph: Graph,
    spec: str | Pipeline | None = None,
    verify_each: bool = False,
    listener: Listener | None = None,
) -> PipelineResult:
    """Run passes on a graph.

    Parameters
    ----------
    graph : Graph
    spec : str or Pipeline, optional
        ``DEFAULT_PIPELINE`` when not given.
    verify_each : bool
        Verify the graph before the first pass and after each one.
    listener : callable, optional
        Called after each pass: ``listener(name, graph)``.

    Raises
    ------
    PassError
        A pass failed, or what it made is not valid; names the pass and those before it.
    ParseError, UnknownNameError
        The spec is wrong.
    """
    if not isinstance(spec, Pipeline):
        spec = Pipeline.parse(DEFAULT_PIPELINE if spec is None else spec)
    if verify_each:
        _verify(graph)
    reports: list[PassReport] = []
    size = count_nodes(graph)
    for pass_ in spec.passes:
        before, size_before = graph, size
        firings: list[Firing] = []
        start = time.perf_counter()
        try:
            graph = pass_.run(before, firings)
            seconds = time.perf_counter() - start
            if verify_each and graph is not before:
                _verify(graph)
        except Exception as error:
            raise _failure(pass_, reports, error) from error
        changed = graph is not before
        size = count_nodes(graph) if changed else size_before
        report = PassReport(str(pass_), seconds, size_before, size, changed, tuple(firings))
        reports.append(report)
        if listener is not None:
            listener(str(pass_), graph)
    return PipelineResult(graph, PipelineReport(tuple(reports)))


def _verify(graph: Graph) -> None:
    from plait.ir import verify

    verify(graph)


def _failure(pass_: Pass, done: list[PassReport], error: Exception) -> PassError:
    """The error of a failed pass, with the message and the user's line of what went wrong."""
    plain = isinstance(error, PlaitError)
    message = error.message if isinstance(error, PlaitError) else f"{type(error).__name__}: {error}"
    before = ", ".join(p.spec for p in done) or "none"
    failed = PassError(f"pass {pass_} failed: {message}; passes before it: {before}")
    return failed.at(error.location) if plain and isinstance(error, PlaitError) else failed


def count_nodes(graph: Graph) -> int:
    """Nodes of a graph and of its regions."""
    return len(graph.nodes) + sum(
        count_nodes(region) for node in graph.nodes if node.regions for region in node.regions
    )
