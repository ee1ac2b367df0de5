"""``plait explain``: why a function's program is as it is."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import replace

import click

from plait.cli.diagnostics import source
from plait.cli.output import STDIO, write_json, write_text
from plait.cli.target import check_arguments, load_target, user_code
from plait.inspect.explanation import explain_program
from plait.ir import UNKNOWN
from plait.runtime import Explanation, TraceRecord
from plait.tracer import parse_specs


@click.command(short_help="Say what was captured, rewritten, and stored where, and why.")
@click.argument("target")
@click.option("--spec", default="", help="Types of the arguments, such as 'f32[8,16] i32[], k=2'.")
@click.option("--grad", is_flag=True, help="Also what a gradient keeps, and computes again.")
@click.option("--json", "as_json", is_flag=True, help="Write the records as JSON.")
@click.option("-o", "--output", default=STDIO, metavar="FILE", help="Where to; - is stdout.")
def explain(target: str, spec: str, grad: bool, as_json: bool, output: str) -> None:
    """Explain TARGET, as plait show names it, for the types of --spec.

    What f.explain() says of the capture, without its times: graph breaks, code that was not looked
    into, side effects, unrolled loops, fixes. Then each rewrite of the passes with the line that
    it changed; each value that is, or is not, computed in place, and why; with --grad the
    residuals.
    """
    with source(spec):
        args, kwargs = parse_specs(spec)
    with load_target(target) as found:
        check_arguments(found, args, kwargs)
        with user_code(f"while tracing {found.name}"):
            traced = found.function.trace(*args, **kwargs)
        with redirect_stdout(sys.stderr):
            program = explain_program(traced, grad)
            told = without_calls(found.function.explain(fixes=False))
    if as_json:
        document = {"format": "plait.explanation", "version": 1}
        records = told.as_dict()
        for trace in records["traces"]:
            for name in [n for n in trace if n.endswith("_ms")]:
                del trace[name]
        write_json({**document, **records, **program.as_dict()}, output)
    else:
        text = told.as_text(times=False)
        write_text("\n\n".join([text, *[p for p in [program.as_text()] if p]]), output)


def without_calls(told: Explanation) -> Explanation:
    """An explanation whose captures have no line: the command line called."""
    records = [
        replace(record, location=UNKNOWN) if isinstance(record, TraceRecord) else record
        for record in told
    ]
    return Explanation(told.function, told.location, records)
