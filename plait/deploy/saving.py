"""From a captured function to the bytes of a file."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import plait
from plait import passes
from plait.deploy import archive
from plait.deploy.arguments import Arguments, as_weight, demand_plain_layouts, describe, is_writable
from plait.deploy.documents import write_json
from plait.deploy.manifest import (
    COMPUTED,
    FORMAT,
    VERSION,
    Manifest,
    Result,
    State,
    write_manifest,
)
from plait.deploy.raising import with_named_errors
from plait.deploy.refusing import definition, refuse
from plait.deploy.sources import Source, sources_of, write_sources
from plait.deploy.trees import Tree, tree_of
from plait.deploy.values import Unwritable
from plait.ir import Graph, GraphBuilder, Literal, large_constants, name_values, print_graph
from plait.ir.errors import PlaitError, SaveError
from plait.ir.text import pack_constants
from plait.runtime import Stream
from plait.tracer import Output, TracedFunction, shown

#: What is done to a graph before it is saved: functions with gradients of their own stay.
PASSES = "dce,inline{keep_rules=true},simplify"


@dataclass(frozen=True, slots=True)
class Saved:
    """All that a file holds.

    Attributes
    ----------
    manifest : Manifest
    graph : Graph
    weights : dict of str to ndarray
        Values of the state, default values and results that are arrays.
    sources : tuple of Source
    version : int
        Of the format.
    writer : str
        Version of Plait that wrote it.
    """

    manifest: Manifest
    graph: Graph
    weights: dict[str, Any]
    sources: tuple[Source, ...]
    version: int = VERSION
    writer: str = plait.__version__


def save_function(
    function: Any, path: str | os.PathLike[str], program: Any, include_source: bool
) -> None:
    """Write a captured function to a file.

    Raises
    ------
    SaveError
        No file can hold it.
    SavedFileError
        The file cannot be written.
    """
    data = to_bytes(package(function, program, include_source))
    archive.write_file(path, data)


def package(function: Any, program: Any, include_source: bool = True) -> Saved:
    """What the file of a captured function holds.

    Raises
    ------
    SaveError
        No file can hold it.
    """
    traced: TracedFunction = program.traced
    saved: Saved | None = getattr(function, "saved", None)
    refuse(function, traced)
    try:
        demand_plain_layouts(traced, traced.paths)
        graph = passes.run_pipeline(with_named_errors(traced.graph), PASSES).graph
        if saved is not None and len(saved.graph.inputs) == len(graph.inputs):
            graph = _with_names(graph, saved.graph)
        arguments = describe(function, traced)
        weights = dict(arguments.weights)
        manifest = _manifest(traced, program, graph, arguments, weights)
    except PlaitError as error:
        raise error.at(definition(function)) from None
    known = getattr(function, "sources", ())
    if saved is not None:  # specs have taken the place of numbers and arrays
        kinds = {(leaf.path, leaf.type): leaf.kind for leaf in saved.manifest.leaves}
        leaves = [replace(x, kind=kinds.get((x.path, x.type), x.kind)) for x in manifest.leaves]
        manifest = replace(manifest, leaves=tuple(leaves))
    sources = sources_of(graph, known) if include_source else ()
    return Saved(manifest, graph, weights, sources)


def _with_names(graph: Graph, other: Graph) -> Graph:
    """The graph with inputs that are named as those of another one."""
    builder = GraphBuilder(graph.name)
    inputs = [
        builder.input(v.type, w.name) for v, w in zip(graph.inputs, other.inputs, strict=True)
    ]
    return builder.build(builder.inline(graph, inputs))


def _manifest(
    traced: TracedFunction,
    program: Any,
    graph: Graph,
    arguments: Arguments,
    weights: dict[str, Any],
) -> Manifest:
    state = _state(traced, program, graph, weights)
    where = {id(capture.source): i for i, capture in enumerate(traced.captures)}
    results = tuple(
        [_result(output, i, traced, arguments, weights) for i, output in enumerate(traced.outputs)]
    )
    return Manifest(
        graph.name,
        tuple(arguments.parameters),
        tuple(arguments.positional),
        arguments.keyword,
        tuple(arguments.leaves),
        _result_tree(traced),
        results,
        state,
        tuple([where[id(variable)] for variable in traced.assigned]),
        tuple([arguments.places[i] for i in traced.mutated]),
    )


def _state(
    traced: TracedFunction, program: Any, graph: Graph, weights: dict[str, Any]
) -> tuple[State, ...]:
    """What the function uses from outside, whose present values join the weights."""
    names = name_values(graph)
    inputs = graph.inputs[len(graph.inputs) - len(traced.captures) :]
    found = []
    for capture, value in zip(traced.captures, inputs, strict=True):
        source, kind, name = capture.source, capture.kind, names[value]
        array = np.asarray(program.captured_array(capture), capture.type.dtype)
        is_variable = kind == "variable"
        key = f"{'variables' if is_variable else 'captured'}/{name}"
        weights[key] = array
        if is_variable:
            kind = "random" if isinstance(source, Stream) else "variable"
            found.append(State(kind, source.name, key, source.trainable))
        else:
            found.append(State(kind, name, key))
    return tuple(found)


def _result_tree(traced: TracedFunction) -> Tree:
    if traced.recipe is not None:
        raise SaveError(
            f"the result of {traced.graph.name} holds an object of a class of its own, or one "
            "container twice, which a file cannot hold; return lists, tuples, dicts, named "
            "tuples or dataclasses"
        )
    try:
        return tree_of(traced.out_tree)
    except Unwritable as error:
        raise SaveError(
            f"the result of {traced.graph.name} is {error}, which a file cannot hold"
        ) from None


def _result(
    output: Output, i: int, traced: TracedFunction, arguments: Arguments, weights: dict[str, Any]
) -> Result:
    """One leaf of the result."""
    kind = output.kind
    if kind in COMPUTED:
        return Result(kind, output.index, bool(output.value))
    if kind == "text":
        return Result(kind, output.index, tuple(output.value))
    if kind == "result":
        return Result(kind, output.index)
    if kind == "argument" and output.index in arguments.places:
        return Result(kind, arguments.places[output.index])
    value = output.value
    if kind == "outside":
        value = traced.found[output.index].find()
    if is_writable(value):
        return Result("fixed", 0, value)
    weight = as_weight(value, f"results/{i}", weights)
    if weight is None:
        raise SaveError(
            f"the result of {traced.graph.name} holds {shown(value)}, which a file cannot hold"
        )
    return Result("fixed", 0, weight)


def to_bytes(saved: Saved) -> bytes:
    """The bytes of a file; the same for the same function."""
    graph = saved.graph
    text = print_graph(graph) + "\n"
    constants = {f"constants/{name}": c for name, c in large_constants(graph).items()}
    arrays = {name: Literal(array) for name, array in sorted(saved.weights.items())}
    members = {
        archive.GRAPH: text.encode(),
        archive.WEIGHTS: pack_constants({**arrays, **constants}),
        archive.SOURCE: write_json({"sources": write_sources(saved.sources)}),
    }
    head = {"format": FORMAT, "version": VERSION, "plait": saved.writer}
    sizes = {name: [len(data), archive.digest(data)] for name, data in members.items()}
    document = {**head, "members": sizes, **write_manifest(saved.manifest)}
    return archive.pack({archive.MANIFEST: write_json(document), **members})


__all__ = ["Saved", "package", "save_function", "to_bytes"]
