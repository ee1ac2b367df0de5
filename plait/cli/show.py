"""``plait show``: the graph of a function or file, at a stage, in a form."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from plait import backends, inspect, passes
from plait.cli.diagnostics import source
from plait.cli.output import (
    STDIO,
    read_graph,
    write_graph,
    write_ir,
    write_json,
    write_python,
    write_text,
)
from plait.cli.page import file_page, function_page
from plait.cli.target import check_arguments, load_target, user_code
from plait.ir import ExecutionPlan, Graph, GraphBuilder
from plait.ir.autodiff.graphs import joint
from plait.ir.derivatives.define import like
from plait.runtime import MemoryAnalysis, all_gradients, memory_lines, memory_of, plan_memory
from plait.tracer import parse_specs

STAGES = ("traced", "optimized", "plan", "stablehlo", "hlo")
FORMATS = ("text", "python", "json", "dot", "svg", "html")
Memories = Mapping[str, MemoryAnalysis]
SUFFIXES = {".py": "python", ".json": "json", ".dot": "dot", ".gv": "dot", ".svg": "svg"}
SUFFIXES |= {".html": "html", ".htm": "html"}


@click.command(short_help="Show a function's or file's graph at a stage of its compilation.")
@click.argument("target")
@click.option("--spec", default="", help="Types of the arguments, such as 'f32[8,16] i32[], k=2'.")
@click.option(
    "--stage",
    type=click.Choice(STAGES),
    help="Which form; by default optimized, or plan with --reasons or --memory.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="How it is written; by default what the suffix of -o says, or text.",
)
@click.option(
    "--grad",
    is_flag=True,
    help="The graph that also computes the gradients of all floating arguments and variables.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("-o", "--output", default=STDIO, metavar="FILE", help="Where to; - is stdout.")
@click.option("--full-constants", is_flag=True, help="Write large constants into the text itself.")
@click.option("--reasons", is_flag=True, help="The plan, with why each decision fell as it did.")
@click.option(
    "--memory",
    is_flag=True,
    help="The plan, with XLA's figures of its memory below; compiles with XLA.",
)
def show(
    target: str,
    spec: str,
    stage: str | None,
    form: str | None,
    grad: bool,
    as_json: bool,
    output: str,
    full_constants: bool,
    reasons: bool,
    memory: bool,
) -> None:
    """Show the graph of TARGET.

    TARGET is file.py:function, file.py:Class.method, module:function, a .plait file of a saved
    function, or a .ir file (- is stdin). Without --spec the function's own signature is taken.
    With -o, large constants (weights that the function captures) go to a .safetensors file beside
    the text. With --grad the results are the function's own, then the gradients of their sum.
    --format html is a page about all stages, which opens at the one that is asked for.
    """
    stage = choose_stage(stage, reasons or memory)
    form = "json" if as_json else form or SUFFIXES.get(Path(output).suffix, "text")
    if (stage in ("stablehlo", "hlo") or reasons or memory) and form not in ("text", "json"):
        what = "a plan with --reasons or --memory" if stage == "plan" else f"stage {stage}"
        raise click.UsageError(f"{what} is a text: --format text or json")
    if target == STDIO or target.endswith(".ir"):
        if spec:
            raise click.UsageError("--spec is for functions; a .ir file has its types")
        graph = read_graph(target)
        if form == "html":
            both = with_gradients(graph) if grad else None
            return write_text(file_page(graph, stage, both).html, output)
        shown, memories = file_stage(with_gradients(graph) if grad else graph, stage, memory)
    elif form == "html":
        return write_text(function_page(target, spec, stage, grad).html, output)
    else:
        shown, memories = function_stage(target, spec, stage, memory, grad)
    if isinstance(shown, ExecutionPlan) and form == "text":
        text = shown.as_text(reasons=reasons)
        return write_ir(f"{text}\n{memory_lines(memories)}".rstrip("\n"), output)
    write(shown, stage, form, output, full_constants, memories)


def choose_stage(stage: str | None, of_plans: bool) -> str:
    """The stage to show; options that only plans have choose the plan."""
    if of_plans and stage not in (None, "plan"):
        raise click.UsageError("--reasons and --memory are for plans: --stage plan")
    return stage or ("plan" if of_plans else "optimized")


def write(shown: Any, stage: str, form: str, output: str, full: bool, memories: Memories) -> None:
    """Write a graph, a plan or a text in a form."""
    if isinstance(shown, str):
        if form == "json":
            return write_json({"format": "plait.text", "stage": stage, "text": shown}, output)
        return write_text(shown, output)
    if form == "json":
        extra = {"memory": memories} if memories else {}
        return write_json({**inspect.to_json(shown), **extra}, output)
    if form == "text":
        return write_graph(shown, output, full)
    if form == "python":
        return write_python(shown, output, full)
    forms: dict[str, Callable[[Any], str]] = {"dot": inspect.dot, "svg": inspect.svg}
    return write_text(forms[form](shown), output)


def function_stage(
    text: str, spec: str, stage: str, memory: bool, grad: bool
) -> tuple[Any, Memories]:
    """A function's graph, plan or lowered text; what it captures becomes constants.

    With ``memory`` also what the plan and XLA say of theirs; with ``grad`` of the function that
    gives its gradients, too.
    """
    with source(spec):
        args, kwargs = parse_specs(spec)
    with load_target(text) as target:
        check_arguments(target, args, kwargs)
        with user_code(f"while tracing {target.name}"):
            function = all_gradients(target.function) if grad else target.function
            if not args and not kwargs and target.function.signature is not None:
                args, kwargs = target.function.signature
            traced = function.trace(*args, **kwargs)
        with redirect_stdout(sys.stderr):
            if stage == "traced":
                return bind_captures(traced.graph, traced.captures), {}
            optimized = traced.optimize()
            if stage == "optimized":
                return bind_captures(optimized.graph, traced.captures), {}
            return traced.at_stage(stage), optimized.compare_memory() if memory else {}


def with_gradients(graph: Graph) -> Graph:
    """A graph that also gives the gradients of the sum of its outputs."""
    both = joint(graph, range(len(graph.inputs)))
    builder = GraphBuilder(graph.name)
    with builder:
        inputs = [builder.input(v.type, v.name) for v in graph.inputs]
        ones = [like(graph.outputs[i], 1) for i in both.outputs]
        outputs = builder.inline(both.graph, [*inputs, *ones])
    return builder.build(outputs)


def file_stage(graph: Graph, stage: str, memory: bool) -> tuple[Any, Memories]:
    """A graph of a file at a stage; ``traced`` is the graph as it is."""
    if stage == "traced":
        return graph, {}
    optimized = passes.run_pipeline(graph).graph
    if stage == "optimized":
        return optimized, {}
    lowered, _ = passes.lower_checks(optimized)
    if stage == "plan" and not memory:
        return passes.plan(lowered), {}
    with redirect_stdout(sys.stderr):
        compiled = backends.get_backend("xla").compile(lowered)
    if stage == "plan":
        plan = passes.plan(lowered)
        xla = memory_of(compiled.memory_analysis())
        return plan, {"planned": plan_memory(plan), "xla": xla}
    return compiled.as_text(stage), {}


def bind_captures(graph: Graph, captures: list[Any]) -> Graph:
    """The graph with its last inputs replaced by constants of their present values."""
    if not captures:
        return graph
    builder = GraphBuilder(graph.name)
    own = graph.inputs[: len(graph.inputs) - len(captures)]
    arguments = [builder.input(v.type, v.name) for v in own]
    arguments += [builder.constant(array) for array in captures]
    return builder.build(builder.inline(graph, arguments))
