"""From the bytes of a file to a function: every claim is checked before anything is made of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from plait.deploy import archive
from plait.deploy.applying import signature_of
from plait.deploy.documents import Document, read_json
from plait.deploy.loaded import LoadedFunction
from plait.deploy.manifest import (
    COMPUTED,
    Manifest,
    Result,
    State,
    read_manifest,
    read_version,
)
from plait.deploy.refusing import host_functions
from plait.deploy.saving import Saved
from plait.deploy.sources import read_sources
from plait.deploy.trees import Classes
from plait.deploy.values import Weight
from plait.ir import Graph, Literal, TensorType, parse, uint64, verify
from plait.ir.errors import PlaitError, SavedFileError, SignatureError
from plait.ir.template import check_template
from plait.ir.text import unpack_constants
from plait.runtime import make_options

_STREAM = TensorType(uint64, (2,))


def load_function(
    path: str | os.PathLike[str], classes: Sequence[type], options: Mapping[str, Any]
) -> LoadedFunction:
    """The function in a file.

    Raises
    ------
    SavedFileError
        There is none.
    """
    made = make_options(
        **options, signature=None, static=None, cache_size=128, max_traces=None, fullgraph=False
    )
    data = archive.read_file(path)
    try:
        saved = from_bytes(data)
        known = Classes(_by_name(classes))
        known.demand(saved.manifest.result)
    except SavedFileError as error:
        raise SavedFileError(f"{os.fspath(path)}: {error.message}") from None
    return LoadedFunction(saved, known, made)


def _by_name(classes: Sequence[type]) -> dict[str, type]:
    found: dict[str, type] = {}
    for kind in classes:
        if not isinstance(kind, type) or found.setdefault(kind.__name__, kind) is not kind:
            raise SignatureError(f"classes= takes classes of different names, got {kind!r}")
    return found


def from_bytes(data: bytes) -> Saved:
    """What the bytes of a file hold; a fault of whatever kind is one error.

    Raises
    ------
    SavedFileError
        They are no saved function.
    """
    try:
        return _read(archive.unpack(data))
    except SavedFileError:
        raise
    except PlaitError as error:
        raise SavedFileError(str(error)) from None
    except (RecursionError, MemoryError, OverflowError) as error:
        raise SavedFileError(f"it cannot be read: {type(error).__name__}") from None


def _read(members: dict[str, bytes]) -> Saved:
    document = read_json(members[archive.MANIFEST], archive.MANIFEST)
    version = read_version(document)
    fields = document.names
    expected = {"format", "version", "plait", "members", *_FIELDS}
    if fields.keys() != expected:
        document.fail(f"an object of {', '.join(sorted(expected))}")
    _check_members(fields["members"], members)
    manifest = read_manifest(document)
    weights = unpack_constants(members[archive.WEIGHTS], archive.WEIGHTS)
    graph = _graph(members[archive.GRAPH], weights)
    source = read_json(members[archive.SOURCE], archive.SOURCE).fields("sources")[0]
    arrays = {n: c.array for n, c in weights.items() if not n.startswith("constants/")}
    _Checker(manifest, graph, arrays).run()
    saved = Saved(manifest, graph, arrays, read_sources(source), version, fields["plait"].text)
    try:
        signature_of(saved)
    except ValueError as error:
        raise SavedFileError(f"{archive.MANIFEST}: parameters: {error}") from None
    return saved


_FIELDS = (
    "name",
    "parameters",
    "positional",
    "keyword",
    "arguments",
    "result",
    "results",
    "state",
    "assigned",
    "written",
)


def _check_members(found: Document, members: dict[str, bytes]) -> None:
    """Demand members of the sizes and hashes that the manifest names."""
    names = [name for name in archive.MEMBERS if name != archive.MANIFEST]
    for name, entry in zip(names, found.fields(*names), strict=True):
        parts = entry.items
        if len(parts) != 2 or parts[0].number != len(members[name]):
            raise SavedFileError(
                f"{name} has {len(members[name]):,} bytes, not as the manifest says"
            )
        if parts[1].text != archive.digest(members[name]):
            raise SavedFileError(f"{name} is not what was saved: its hash differs")


def _graph(data: bytes, weights: Mapping[str, Literal]) -> Graph:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise SavedFileError(f"{archive.GRAPH} is not UTF-8") from None
    prefix = "constants/"
    constants = {n.removeprefix(prefix): c for n, c in weights.items() if n.startswith(prefix)}
    graph = verify(parse(text, archive.GRAPH, constants))
    for node, _ in host_functions(graph):
        raise SavedFileError(f"{archive.GRAPH} names a Python function in {node.op.name}")
    return graph


class _Checker:
    """What the manifest says must be so of the graph."""

    def __init__(self, manifest: Manifest, graph: Graph, weights: Mapping[str, Any]) -> None:
        self.manifest = manifest
        self.graph = graph
        self.weights = weights
        self.own = len(graph.outputs) - len(manifest.assigned) - len(manifest.written)

    def demand(self, holds: bool, what: str) -> None:
        """Raise unless something holds."""
        if not holds:
            raise SavedFileError(f"{archive.MANIFEST}: {what}")

    def run(self) -> None:
        """Check everything."""
        self.check_parameters()
        self.check_arguments()
        self.check_state()
        self.check_outputs()
        self.demand(self.manifest.result.count == len(self.manifest.results), "results are missing")
        for i, result in enumerate(self.manifest.results):
            self.check_result(result, i)

    def check_parameters(self) -> None:
        """Parameters are those of a Python function, and take the arguments."""
        manifest, kinds = self.manifest, [p.kind for p in self.manifest.parameters]
        named = sum(kind.startswith("positional_") for kind in kinds)
        count = len(manifest.positional)
        is_fit = named == count or (named < count and "var_positional" in kinds)
        self.demand(is_fit, f"{named} parameters for {count} arguments")
        only = {p.name for p in manifest.parameters if p.kind == "keyword_only"}
        given = manifest.keyword.keys()
        is_fit = only <= given and (only == given or "var_keyword" in kinds)
        self.demand(is_fit, "no parameters for the named arguments")
        for parameter in manifest.parameters:
            for value in parameter.default:
                self.check_weight(value)

    def check_arguments(self) -> None:
        """Arguments and state are the inputs of the graph."""
        manifest = self.manifest
        trees = [*manifest.positional, *manifest.keyword.values()]
        count = sum([tree.count for tree in trees])
        self.demand(count == len(manifest.leaves), f"{count} arguments have no types")
        self.demand(manifest.name == self.graph.name, "the graph has another name")
        given = [manifest.leaves[i].type for i in manifest.given]
        types = self.graph.input_types
        self.demand(len(given) + len(manifest.state) == len(types), "other inputs than the graph's")
        for type_, wanted in zip(given, types, strict=False):
            self.demand(type_ == wanted, f"an argument is {type_}, in the graph {wanted}")
        for leaf in manifest.leaves:
            self.demand(type(leaf.value) is not Weight, "an argument is fixed to an array")

    def check_state(self) -> None:
        """What is held is of the types that the graph takes."""
        state = self.manifest.state
        for one, wanted in zip(state, self.graph.input_types[-len(state) :], strict=False):
            self.demand(one.weight in self.weights, f"there is no weight {one.weight}")
            found = self.weights[one.weight]
            type_ = TensorType(found.dtype, found.shape)
            self.demand(type_ == wanted, f"{one.weight} is {type_}, in the graph {wanted}")
            self.demand(one.kind != "random" or type_ == _STREAM, f"{one.weight} is no generator's")

    def check_outputs(self) -> None:
        """New values have the types of what they replace."""
        manifest, types = self.manifest, self.graph.output_types
        self.demand(self.own >= 0, "more state than the graph has outputs")
        held = self.graph.input_types[len(manifest.given) :]
        for place, found in zip(manifest.assigned, types[self.own :], strict=False):
            self.demand(0 <= place < len(manifest.state), "an assigned variable is not there")
            one: State = manifest.state[place]
            self.demand(one.kind in ("variable", "random"), f"{one.name} cannot be assigned")
            self.demand(found == held[place], f"{one.name} is assigned a {found}")
        written = types[self.own + len(manifest.assigned) :]
        for place, found in zip(manifest.written, written, strict=True):
            self.demand(0 <= place < len(manifest.leaves), "a written argument is not there")
            self.demand(manifest.leaves[place].type == found, "an argument is written otherwise")
        for group in (manifest.assigned, manifest.written):
            self.demand(len(set(group)) == len(group), "something is changed twice")

    def check_result(self, result: Result, i: int) -> None:
        """One leaf of the result."""
        kind, index, types = result.kind, result.index, self.graph.output_types
        if kind in COMPUTED:
            self.demand(0 <= index < self.own, f"result {i} is no output of the graph")
            type_ = types[index]
            self.demand(isinstance(type_, TensorType), f"result {i} is a {type_}")
            if kind == "number":
                self.demand(type_.shape == (), f"result {i} is no number")  # type: ignore[union-attr]
        elif kind == "text":
            self.check_text(result)
        elif kind == "argument":
            self.demand(0 <= index < len(self.manifest.leaves), f"result {i} is no argument")
        elif kind == "result":
            self.demand(0 <= index < i, f"result {i} is not there before")
        else:
            self.check_weight(result.value)

    def check_text(self, result: Result) -> None:
        """A template whose places are outputs."""
        value = result.value
        is_pair = type(value) is tuple and len(value) == 2
        is_pair = is_pair and type(value[0]) is str and type(value[1]) is int
        self.demand(is_pair, "a text has no template")
        template, count = value
        start, types = result.index, self.graph.output_types
        self.demand(count >= 0 <= start and start + count <= self.own, "a text has no values")
        samples = [sample(t) for t in types[start : start + count]]
        self.demand(all(s is not None for s in samples), "a text of what is no tensor")
        check_template("a text", template, samples)

    def check_weight(self, value: Any) -> None:
        """A weight that is there."""
        if type(value) is Weight:
            self.demand(value.name in self.weights, f"there is no weight {value.name}")


def sample(type_: Any) -> Any:
    """An array that a template can be tried on; small whatever the type."""
    import numpy as np

    if not isinstance(type_, TensorType):
        return None
    return np.zeros((1,) * min(type_.ndim, 2), type_.dtype)


__all__ = ["from_bytes", "load_function"]
