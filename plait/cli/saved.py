"""Saved functions on the command line: loaded, called, and their errors without our own lines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from plait.deploy import LoadedFunction, load
from plait.ir import nested_graphs
from plait.ir.errors import PlaitError, TargetError
from plait.runtime import is_array
from plait.tracer import flatten

#: How the names of saved functions end.
SUFFIX = ".plait"


def is_saved(name: str) -> bool:
    """Whether a file's name is that of a saved function."""
    return name.endswith(SUFFIX)


def load_saved(file: str, backend: str = "xla") -> LoadedFunction:
    """A saved function.

    Raises
    ------
    SavedFileError
        The file is none.
    """
    with _placed(()):
        return load(file, backend=backend)


@contextmanager
def lines_of(function: LoadedFunction) -> Iterator[None]:
    """Let errors point at lines that the function was made of, and at no others."""
    graphs = nested_graphs(function.saved.graph)
    with _placed({node.location.file for one in graphs for node in one.nodes}):
        yield


@contextmanager
def _placed(files: Any) -> Iterator[None]:
    try:
        yield
    except PlaitError as error:
        if error.location is not None and error.location.file not in files:
            error.location = None
            error.message = error.message.removeprefix("load: ")
        raise


def call_saved(function: LoadedFunction, arrays: list[Any]) -> list[Any]:
    """Call a saved function; gives the arrays and numbers in its result.

    Raises
    ------
    TargetError
        It raises an error of its own.
    """
    args, kwargs = function.arguments(arrays)
    with lines_of(function):
        try:
            leaves, _ = flatten(function(*args, **kwargs))
        except PlaitError:
            raise
        except Exception as error:  # that the function raises
            raise TargetError(f"in {function.saved.manifest.name}") from error
    return [np.asarray(leaf) for leaf in leaves if is_array(leaf)]


__all__ = ["call_saved", "is_saved", "lines_of", "load_saved"]
