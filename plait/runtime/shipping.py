"""What compiled functions offer beyond calls: ``save``, which layers above this one provide."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from plait.ir.frames import boundary
from plait.runtime.export_report import ExportReport

#: Takes the function, the path, its ``Program``, and whether to keep its source.
Saver = Callable[[Any, Any, Any, bool], None]
_savers: list[Saver] = []
#: Takes the function, the path, its ``Program``, leaves of arguments, and what becomes of checks.
Exporter = Callable[[Any, Any, Any, list[Any], str], Any]
_exporters: list[Exporter] = []


def register_saver(saver: Saver) -> None:
    """Say who writes functions to files."""
    _savers[:] = [saver]


def register_exporter(exporter: Exporter) -> None:
    """Say who writes functions to files of other kinds."""
    _exporters[:] = [exporter]


class Shipped:
    """A compiled function that can be written to a file."""

    __slots__ = ()

    @boundary
    def save(
        self,
        path: str | os.PathLike[str],
        /,
        *args: Any,
        include_source: bool = True,
        **kwargs: Any,
    ) -> None:
        """Write the function to a file that ``pl.load`` opens, without its Python source.

        The file holds the graph as it was captured for these arguments, and the present values of
        the variables, tensors and arrays that it uses from outside. It replaces an older file at
        once, and is the same, byte by byte, for the same function.

        Parameters
        ----------
        path : path
            Such as ``"cell.plait"``.
        *args, **kwargs
            As for ``trace``: arguments, specs, or types as text such as ``"f32[8,16]"``; a name
            in the place of a size, as in ``"f32[b,16]"``, stands for any. Numbers, strings and
            all else that is no tensor are fixed to these values.
        include_source : bool
            Whether the lines of source that the graph comes from are kept, for display.

        Raises
        ------
        SaveError, TraceError
            The function does what no file can hold, at the user's line.
        SavedFileError
            The file cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> double = pl.graph_function(lambda x: x + x, name="double")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     double.save(f"{folder}/double.plait", "f32[n]")
        ...     print(pl.load(f"{folder}/double.plait")(np.ones(3, np.float32)))
        pl.Tensor([2., 2., 2.], dtype=float32, shape=(3,))
        """
        staged = self.trace(*args, **kwargs)  # type: ignore[attr-defined]
        _savers[-1](self, path, staged._program, include_source)

    @boundary
    def export(
        self,
        path: str | os.PathLike[str],
        /,
        *args: Any,
        checks: str = "drop",
        **kwargs: Any,
    ) -> ExportReport:
        """Write the function as a program that needs nothing of Plait: NumPy's or StableHLO's.

        A ``.py`` file is a module of NumPy's with a function of the same name and parameters; its
        large constants go to a ``.npz`` file beside. Checks raise, prints print, and variables
        that the function assigns to are in the module's dict ``state``.

        A ``.mlir`` file is a StableHLO portable artifact, made by ``jax.export`` for the CPU. Its
        function ``main`` takes the arrays among the arguments, then the variables that the
        function assigns to, and gives the arrays of the result, then new values of the variables
        and of arguments that are written into. All other values from outside are constants in it.

        Parameters
        ----------
        path : path
            Such as ``"cell.py"`` or ``"cell.mlir"``.
        *args, **kwargs
            As for ``trace``. Arguments with values are those on which the export is compared with
            the undecorated function, which runs once; for types, values are generated.
        checks : {"drop", "status"}
            What becomes of index and assertion checks in a ``.mlir`` file: nothing, or one more
            output i64[4], whose first number is 0, or says which check failed, from 1 on.

        Returns
        -------
        ExportReport
            The files, what they take and give, and the largest difference from eager execution.

        Raises
        ------
        SaveError, TraceError, BackendError
            The function does what no such file can hold.
        SavedFileError
            A file cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> double = pl.graph_function(lambda x: x + x, name="double")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     report = double.export(f"{folder}/double.py", "f32[3]")
        >>> report.inputs, report.max_difference
        (('x: f32[3]',), 0.0)
        """
        staged = self.trace(*args, **kwargs)  # type: ignore[attr-defined]
        if not args and not kwargs and self.signature is not None:  # type: ignore[attr-defined]
            args, kwargs = self.signature  # type: ignore[attr-defined]
        leaves = self._bind(args, kwargs, self._options).leaves  # type: ignore[attr-defined]
        found: ExportReport = _exporters[-1](self, path, staged._program, leaves, checks)
        return found


__all__ = ["Shipped", "register_exporter", "register_saver"]
