"""``LoadedFunction``: a function from a file, which does all that a compiled function does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from plait.deploy.applying import Application
from plait.deploy.saving import Saved
from plait.deploy.sources import Source
from plait.deploy.trees import Classes
from plait.ir.errors import SignatureError
from plait.runtime import GraphFunction, Options, Stream, Variable
from plait.tracer import TensorSpec


class LoadedFunction(GraphFunction):
    """A compiled function that ``pl.load`` read from a file; called as the one that was saved.

    It runs on any backend, is differentiated to any order, and is part of other compiled
    functions, of ``vmap``, and of files, like any other.

    Attributes
    ----------
    saved : Saved
        What the file held: the manifest, the graph, and the values that were saved.
    saved_by : str
        The version of Plait that wrote the file.
    sources : tuple of Source
        The lines of source that its graph comes from: ``.file``, ``.line`` and ``.text``.
    """

    def __init__(self, saved: Saved, classes: Classes, options: Options) -> None:
        application = Application(saved, classes)
        name = options.name or saved.manifest.name
        specs = specs_of(application)
        super().__init__(application, replace(options, name=name, signature=specs))
        self.saved = saved
        self._application = application
        self.saved_by = saved.writer
        self.sources: tuple[Source, ...] = saved.sources

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Its state, in the order of the graph's inputs; assign to them to restore a checkpoint."""
        return tuple([v for v in self._application.state if type(v) is Variable])

    @property
    def random_states(self) -> tuple[Variable, ...]:
        """The states of the generators that it draws from, as they were when it was saved."""
        return tuple([v for v in self._application.state if isinstance(v, Stream)])

    def __get__(self, instance: Any, owner: type | None = None) -> LoadedFunction:
        return self  # it takes no self

    def __reduce__(self) -> Any:
        raise SignatureError(
            f"{self!r} cannot be pickled or copied; save it, and load the file there"
        )

    def __repr__(self) -> str:
        signature = str(self._application.__signature__)
        return f"<loaded function {self._specializer.name}{signature}>"

    def arguments(self, values: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of a call, made of a value for each tensor in them, in order.

        Raises
        ------
        SignatureError
            Their number is another one.
        """
        wanted = self.saved.manifest.given
        if len(values) != len(wanted):
            name = self.saved.manifest.name
            raise SignatureError(f"{name} takes {len(wanted)} tensors, got {len(values)}")
        return arguments_of(self._application, iter(values))


def specs_of(application: Application) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the function was saved for, as arguments of ``trace``."""
    types = [leaf.type for leaf in application.manifest.leaves if leaf.type is not None]
    return arguments_of(application, iter([TensorSpec(t.shape, t.dtype) for t in types]))


def arguments_of(
    application: Application, values: Iterator[Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments made of a value for each tensor in them."""
    manifest = application.manifest
    found = [leaf.value if leaf.type is None else next(values) for leaf in manifest.leaves]
    leaves = iter(found)
    build = application.classes.build
    args = tuple([build(tree, leaves) for tree in manifest.positional])
    return args, {name: build(tree, leaves) for name, tree in manifest.keyword.items()}


__all__ = ["LoadedFunction"]
