"""What people call: ``pl.load``, and ``save`` as compiled functions reach it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from plait.ir.frames import boundary
from plait.runtime import ExportReport, register_exporter, register_saver

if TYPE_CHECKING:
    from plait.deploy.loaded import LoadedFunction


@boundary
def load(
    path: str | os.PathLike[str],
    *,
    backend: str = "xla",
    passes: str | None = None,
    checks: str = "on",
    name: str | None = None,
    residuals: str = "min-cut",
    classes: Sequence[type] = (),
) -> LoadedFunction:
    """Read a function that ``save`` wrote; its Python source need not be there.

    No code runs. The file is checked as a whole before anything is made of it.

    Parameters
    ----------
    path : path
    backend : {"xla", "planned", "reference"}
        Who runs it; a file is not tied to one.
    passes, checks, name, residuals
        As for ``graph_function``.
    classes : sequence of type
        Named tuples, dataclasses and registered containers that results are to be made of; found
        by their names. Without, a named tuple of the same name and fields takes the place of the
        first two.

    Returns
    -------
    LoadedFunction
        Called like the saved function. ``.variables`` is its state.

    Raises
    ------
    SavedFileError
        The file is missing, cut, garbled, of a newer version, or none of ours.

    Examples
    --------
    >>> import tempfile
    >>> scaled = pl.graph_function(lambda x, by=2: x * by, name="scaled")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     scaled.save(f"{folder}/scaled.plait", "f32[n]")
    ...     loaded = pl.load(f"{folder}/scaled.plait", backend="planned")
    >>> loaded(np.ones(2, np.float32))
    pl.Tensor([2., 2.], dtype=float32, shape=(2,))
    >>> loaded
    <loaded function scaled(x: f32[n], by: fixed at 2 = 2)>
    """
    from plait.deploy.loading import load_function

    options = {
        "backend": backend,
        "passes": passes,
        "checks": checks,
        "name": name,
        "residuals": residuals,
    }
    return load_function(path, classes, options)


def save(function: Any, path: str | os.PathLike[str], captured: Any, source: bool) -> None:
    """Write a captured function to a file."""
    from plait.deploy.saving import save_function

    save_function(function, path, captured, source)


def export(
    function: Any,
    path: str | os.PathLike[str],
    captured: Any,
    leaves: list[Any],
    checks: str,
) -> ExportReport:
    """Write a captured function as a program of another kind."""
    from plait.deploy.exporting import export_function

    return export_function(function, path, captured, leaves, checks)


register_saver(save)
register_exporter(export)
