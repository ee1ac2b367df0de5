"""``plait opt``: run passes over a graph's text."""

from __future__ import annotations

from typing import Any

import click

from plait import inspect, passes
from plait.cli.diagnostics import source
from plait.cli.output import STDIO, read_graph, write_graph, write_json, write_text


def list_passes(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print the passes and leave."""
    if not wanted:
        return
    names = passes.all_passes()
    width = max(len(p.name) for p in names)
    lines = [f"{p.name:<{width}}  {p.doc}" for p in names]
    write_text("\n".join([*lines, f"\ndefault: {passes.DEFAULT_PIPELINE}"]), STDIO)
    context.exit()


@click.command(short_help="Run passes over a .ir file.")
@click.argument("file", metavar="FILE.ir")
@click.option("--passes", "spec", help="Such as 'fold{max_bytes=1024},cse,dce'; else the default.")
@click.option("--print-after-change", is_flag=True, help="Print each new graph to stderr.")
@click.option("--verify-each", is_flag=True, help="Verify the graph after each pass.")
@click.option("--report", is_flag=True, help="Print to stderr what each pass did.")
@click.option("--json", "as_json", is_flag=True, help="Write graph and report as JSON.")
@click.option("-o", "--output", default=STDIO, metavar="FILE", help="Where to; - is stdout.")
@click.option("--full-constants", is_flag=True, help="Write large constants into the text itself.")
@click.option(
    "--list-passes",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=list_passes,
    help="List the passes and leave.",
)
def opt(
    file: str,
    spec: str | None,
    print_after_change: bool,
    verify_each: bool,
    report: bool,
    as_json: bool,
    output: str,
    full_constants: bool,
) -> None:
    """Optimize the graph in FILE.ir (- is stdin) and write it."""
    with source(spec or ""):
        pipeline = passes.Pipeline.parse(passes.DEFAULT_PIPELINE if spec is None else spec)
    graph = read_graph(file)
    listener = passes.print_after_change(graph) if print_after_change else None
    result = passes.run_pipeline(graph, pipeline, verify_each=verify_each, listener=listener)
    if report:
        click.echo(result.report.as_text(times=False), err=True)
    if as_json:
        write_json(
            {"graph": inspect.to_json(result.graph), "passes": report_json(result.report)}, output
        )
    else:
        write_graph(result.graph, output, full_constants)


def report_json(report: passes.PipelineReport) -> list[dict[str, Any]]:
    """What each pass did, without times."""
    return [
        {
            "pass": p.spec,
            "nodes_before": p.nodes_before,
            "nodes_after": p.nodes_after,
            "changed": p.changed,
            "rules": p.counts,
        }
        for p in report.passes
    ]
