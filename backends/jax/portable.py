"""Graphs as StableHLO portable artifacts, by the public interface of ``jax.export``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax

from plait.backends.jax.devices import jax_device
from plait.backends.jax.executable import check_type, program, spec
from plait.ir import Graph, TensorType
from plait.ir.errors import BackendError


@dataclass(frozen=True, slots=True)
class Artifact:
    """A graph as a StableHLO program that other tools run.

    Attributes
    ----------
    data : bytes
        The portable artifact: MLIR bytecode, which later versions of StableHLO read.
    text : str
        The same program as text.
    platforms : tuple of str
        For which it was lowered.
    """

    data: bytes
    text: str
    platforms: tuple[str, ...]
    _exported: Any

    def __call__(self, *arrays: Any) -> Sequence[Any]:
        """Run it on arrays of exactly its inputs' types."""
        with jax.enable_x64(True):
            found: Sequence[Any] = jax.jit(self._exported.call)(*arrays)
        return found


def export(graph: Graph, *, device: Any = None) -> Artifact:
    """Lower a graph to a StableHLO portable artifact; inputs and outputs are the graph's.

    Parameters
    ----------
    graph : Graph
        Its shapes are numbers, its checks are lowered or dropped, and it has no tokens.
    device : Device, optional
        For whose platform; the first CPU's by default.

    Raises
    ------
    BackendError
        The graph has something that XLA does not do, or that no other program can run.
    """
    import jax.export  # loads a tenth of a second of modules

    for value in (*graph.inputs, *graph.outputs):
        check_type(graph, value.type)
        if not isinstance(value.type, TensorType):
            raise BackendError(f"graph {graph.name!r} has a {value.type}, which no file can hold")
    target = jax_device(device)
    function = jax.jit(program(graph, tuple(range(len(graph.inputs))), None), keep_unused=True)
    with jax.enable_x64(True), jax.default_device(target or jax.devices("cpu")[0]):
        specs = [spec(v.type, None) for v in graph.inputs]
        platform = (target or jax.devices("cpu")[0]).platform
        try:
            found = jax.export.export(function, platforms=[platform])(*specs)
        except (ValueError, NotImplementedError) as error:
            reason = str(error).partition("\n")[0]
            raise BackendError(f"jax cannot export {graph.name!r}: {reason}") from error
    return Artifact(
        bytes(found.mlir_module_serialized), str(found.mlir_module()), found.platforms, found
    )


__all__ = ["Artifact", "export"]
