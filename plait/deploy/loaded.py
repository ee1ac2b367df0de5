"""``LoadedFunction``: a function from a file, which does all that a compiled function does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from plait.deploy.applying import Application
from plait.deploy.manifest import Leaf
from plait.deploy.saving import Saved
from plait.deploy.sources import Source
from plait.deploy.trees import Classes
from plait.runtime import GraphFunction, Stream, Variable
from plait.runtime.options import Options
from plait.tracer import TensorSpec


class LoadedFunction(GraphFunction):
    """A compiled function that ``pl.load`` read from a file; called as the one that was saved.

    It runs on any backend, is differentiated to any order, and is part of other compiled
    functions, of ``vmap``, and of files, like any other.

    Attributes
    ----------
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

    def __repr__(self) -> str:
        signature = str(self._application.__signature__)
        return f"<loaded function {self._specializer.name}{signature}>"


def specs_of(application: Application) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the function was saved for, as arguments of ``trace``."""
    manifest = application.manifest
    leaves = iter([_spec(leaf) for leaf in manifest.leaves])
    build = application.classes.build
    args = tuple([build(tree, leaves) for tree in manifest.positional])
    return args, {name: build(tree, leaves) for name, tree in manifest.keyword.items()}


def _spec(leaf: Leaf) -> Any:
    return leaf.value if leaf.type is None else TensorSpec(leaf.type.shape, leaf.type.dtype)


__all__ = ["LoadedFunction"]
