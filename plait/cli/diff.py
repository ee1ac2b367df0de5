"""``plait diff``: what differs between two graphs, or two stages of one."""

from __future__ import annotations

from typing import Any

import click

from plait import inspect
from plait.cli.colors import use_color
from plait.cli.output import STDIO, read_graph, write_json, write_text
from plait.cli.show import STAGES, file_stage, function_stage
from plait.ir import Graph

GRAPHS = STAGES[:2]


def read_stages(_: click.Context, __: click.Parameter, text: str | None) -> tuple[str, str] | None:
    """Two names of stages."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    if len(names) != 2 or not set(names) <= set(GRAPHS):
        raise click.BadParameter(f"give two of {', '.join(GRAPHS)}, such as traced,optimized")
    return names[0], names[1]


@click.command(short_help="Show what differs between two graphs, or two stages of one.")
@click.argument("first", metavar="A")
@click.argument("second", metavar="[B]", required=False)
@click.option("--spec", default="", help="Types of the arguments, for functions.")
@click.option("--spec-b", help="Those of B, where they are others.")
@click.option(
    "--stage",
    type=click.Choice(GRAPHS),
    help="Which form of A and B; by default files as they are, and functions optimized.",
)
@click.option(
    "--stages", callback=read_stages, metavar="ONE,TWO", help="Two stages of A: traced,optimized."
)
@click.option("--json", "as_json", is_flag=True, help="Write the differences as JSON.")
@click.option("-o", "--output", default=STDIO, metavar="FILE", help="Where to; - is stdout.")
def diff(
    first: str,
    second: str | None,
    spec: str,
    spec_b: str | None,
    stage: str | None,
    stages: tuple[str, str] | None,
    as_json: bool,
    output: str,
) -> int:
    """Compare the graphs A and B, or two stages of A.

    A and B are .ir files (- is stdin) or TARGETs of plait show. Nodes are matched by what they
    compute, whatever their names and lines. The exit status is 0 when the graphs are equal, and 1
    when they differ.
    """
    if (second is None) == (stages is None):
        raise click.UsageError("give either two graphs, A and B, or one and --stages")
    if first == STDIO and (second == STDIO or stages is not None):
        raise click.UsageError("stdin can be read once: give a file")
    if second is not None:
        before = graph_of(first, spec, stage)
        after = graph_of(second, spec if spec_b is None else spec_b, stage)
        names = (first, second)
    else:
        names = stages or ("", "")
        before, after = [graph_of(first, spec, one) for one in names]
    found = inspect.compare(before, after, names)
    if as_json:
        write_json(found.as_dict(), output)
    else:
        write_text(found.as_text(color=use_color(output)), output)
    return 0 if found.is_equal else 1


def graph_of(target: str, spec: str, stage: str | None) -> Graph:
    """The graph that a command line names."""
    graph: Any
    if target == STDIO or target.endswith(".ir"):
        graph, _ = file_stage(read_graph(target), stage or "traced", False)
    else:
        graph, _ = function_stage(target, spec, stage or "optimized", False, False)
    found: Graph = graph
    return found
