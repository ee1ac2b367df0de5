"""``f.export``: a captured function as a file of another kind, which needs nothing of Plait."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from plait import passes
from plait.deploy import archive
from plait.deploy.comparing import Trial, computed, eager_results, largest_difference, trial_of
from plait.deploy.saving import Saved, package
from plait.deploy.sources import Source
from plait.ir import Graph, GraphBuilder, TensorType, name_values
from plait.ir.errors import PlaitError, SaveError
from plait.ir.types import bfloat16
from plait.runtime import ExportReport
from plait.tracer import TracedFunction

CHECKS = ("drop", "status")


@dataclass(frozen=True, slots=True)
class Export:
    """What is exported.

    Attributes
    ----------
    saved : Saved
        The captured function.
    graph : Graph
        Optimized; its inputs are the arguments, then the variables that it assigns to. All else
        that it uses from outside is constant.
    path : Path
    sources : tuple of Source
        The user's lines, where the function was loaded.
    """

    saved: Saved
    graph: Graph
    path: Path
    sources: tuple[Source, ...] = ()

    @property
    def state(self) -> list[Any]:
        """The present values of the variables that it assigns to."""
        manifest = self.saved.manifest
        return [self.saved.weights[manifest.state[i].weight] for i in manifest.assigned]


def export_function(
    function: Any,
    path: str | os.PathLike[str],
    program: Any,
    leaves: Sequence[Any],
    checks: str,
) -> ExportReport:
    """Write a captured function as a program of NumPy's or of StableHLO's.

    Raises
    ------
    SaveError
        The suffix of the path is none of these; or the function does what no file can hold.
    SavedFileError
        The file cannot be written.
    """
    target = Path(path)
    writers: dict[str, Callable[[Export, Trial, str], tuple[ExportReport, Any]]] = {
        ".py": _export_python,
        ".mlir": _export_stablehlo,
    }
    if target.suffix not in writers:
        raise SaveError(f"{path}: export writes .py (NumPy) and .mlir (StableHLO) files")
    if checks not in CHECKS:
        raise SaveError(f"checks={checks!r}: known are {' and '.join(map(repr, CHECKS))}")
    saved = package(function, program, False)
    traced: TracedFunction = program.traced
    trial = trial_of(traced, leaves)
    graph = passes.run_pipeline(bind_state(saved), program.options.passes).graph
    export = Export(saved, graph, target, tuple(getattr(function, "sources", ())))
    report, run = writers[target.suffix](export, trial, checks)
    return _compared(report, function, traced, saved, trial, run)


def _compared(
    report: ExportReport,
    function: Any,
    traced: TracedFunction,
    saved: Saved,
    trial: Trial,
    run: Callable[[], Sequence[Any]],
) -> ExportReport:
    """The report with the largest difference from eager execution."""
    try:
        wanted = computed(saved.manifest, eager_results(function, traced, trial))
        with redirect_stdout(io.StringIO()):
            found = run()
    except Exception as error:
        shown = error.message if isinstance(error, PlaitError) else str(error)
        line = f"{type(error).__name__}: {shown}".partition("\n")[0]
        return replace(report, note=f"{trial.kind} arguments: {line}")
    return replace(report, max_difference=largest_difference(wanted, found))


def bind_state(saved: Saved) -> Graph:
    """The graph with what it uses from outside as constants, but for what it assigns to."""
    manifest, graph = saved.manifest, saved.graph
    count = len(manifest.given)
    paths = [manifest.leaves[i].path for i in manifest.given]
    builder = GraphBuilder(graph.name)
    inputs = [builder.input(v.type, p) for v, p in zip(graph.inputs, paths, strict=False)]
    kept = set(manifest.assigned)
    with builder:
        for i, (state, value) in enumerate(zip(manifest.state, graph.inputs[count:], strict=True)):
            if i not in kept:
                inputs.append(builder.constant(saved.weights[state.weight]))
            else:
                inputs.append(builder.input(value.type, state.name))
        outputs = builder.inline(graph, inputs)
    built = builder.build(outputs)
    return _in_order(built, manifest.assigned, count)


def _in_order(graph: Graph, assigned: tuple[int, ...], count: int) -> Graph:
    """The state inputs in the order in which their new values are outputs."""
    ranks = sorted(range(len(assigned)), key=lambda k: assigned[k])
    if ranks == list(range(len(assigned))):
        return graph
    builder = GraphBuilder(graph.name)
    mine = graph.inputs
    wanted = [*mine[:count], *[mine[count + ranks.index(k)] for k in range(len(assigned))]]
    made = {v: builder.input(v.type, v.name) for v in wanted}
    return builder.build(builder.inline(graph, [made[v] for v in mine]))


def _report(
    export: Export, graph: Graph, kind: str, name: str, checks: str, own: bool = False
) -> ExportReport:
    """A report without comparison; with ``own`` the state is not listed."""
    names, manifest = name_values(graph), export.saved.manifest
    count = len(manifest.assigned) + len(manifest.written)
    ends = (len(manifest.given), len(graph.outputs) - count) if own else (None, None)
    inputs = tuple([f"{names[v]}: {v.type}" for v in graph.inputs[: ends[0]]])
    outputs = tuple([str(v.type) for v in graph.outputs[: ends[1]]])
    return ExportReport((export.path,), kind, name, inputs, outputs, checks, None, "")


def _has_checks(graph: Graph) -> bool:
    return any(node.op.name == "check" for node in graph.walk())


# NumPy.


def _export_python(export: Export, trial: Trial, _: str) -> tuple[ExportReport, Any]:
    from plait.deploy.signatures import Signature, leaves_of
    from plait.inspect.program import write_program

    saved, path = export.saved, export.path
    signature = Signature(saved.manifest, saved.weights)
    beside = path.with_suffix(".npz")
    entry = replace(signature.entry(), state=tuple(_named_state(signature, export)))
    lines = {
        (source.file, source.line + i): line
        for source in export.sources
        for i, line in enumerate(source.text.split("\n"))
    }
    program = write_program(export.graph, entry, beside.name, lines)
    files = [path]
    if program.constants:
        archive.write_file(beside, packed(program.constants))
        files.append(beside)
    archive.write_file(path, program.text.encode())
    checks = "raise" if _has_checks(export.graph) else "none"
    report = _report(export, export.graph, "python", program.function, checks, own=True)
    report = replace(report, files=tuple(files), compared_on=trial.kind)

    def run() -> list[Any]:
        names: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
        exec(compile(program.text, str(path), "exec"), names)
        args, kwargs = trial.as_arrays()
        found = names[program.function](*args, **kwargs)
        return computed(saved.manifest, leaves_of(saved.manifest, found))

    return report, run


def _named_state(signature: Any, export: Export) -> list[tuple[str, Any]]:
    places = export.saved.manifest.assigned
    names = [signature.state_name(place) for place in places]
    return list(zip(names, export.state, strict=True))


def packed(arrays: Any) -> bytes:
    """The bytes of a ``.npz`` file; bfloat16, which it does not know, by its bits."""
    buffer = io.BytesIO()
    plain = {n: a.view(np.uint16) if a.dtype == bfloat16 else a for n, a in arrays.items()}
    np.savez(buffer, **plain)
    return buffer.getvalue()


# StableHLO.


def _export_stablehlo(export: Export, trial: Trial, checks: str) -> tuple[ExportReport, Any]:
    from plait.backends import jax as xla

    manifest = export.saved.manifest
    _demand_plain(export.graph)
    has_checks = _has_checks(export.graph)
    graph, table = passes.lower_checks(export.graph, enabled=checks == "status")
    artifact = xla.export(graph)
    archive.write_file(export.path, artifact.data)
    kept = "none" if not has_checks else "status" if table else "dropped"
    report = _report(export, graph, "stablehlo", "main", kept)

    def run() -> list[Any]:
        found = artifact(*trial.operands(manifest), *export.state)
        own = [
            r.index for r in manifest.results if r.kind in ("tensor", "ndarray", "jax", "number")
        ]
        return [np.asarray(found[i]) for i in sorted(set(own))]

    return replace(report, compared_on=trial.kind), run


def _demand_plain(graph: Graph) -> None:
    """Demand a graph whose sizes are numbers, and that prints nothing."""
    for node in graph.walk():
        if node.op.is_host_effect:
            raise SaveError(
                f"{node.op.name} runs on the host, which a .mlir file cannot hold; leave it out, "
                "or export a .py file",
                node.location,
            )
    for value in graph.inputs:
        if isinstance(value.type, TensorType) and not value.type.is_static:
            raise SaveError(
                f"input {value.name} of {graph.name} is {value.type}: a .mlir file needs sizes; "
                "export it for arguments of certain sizes"
            )


__all__ = ["Export", "bind_state", "export_function", "packed"]
