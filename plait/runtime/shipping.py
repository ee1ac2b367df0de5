"""What compiled functions offer beyond calls: ``save``, which layers above this one provide."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from plait.ir.frames import boundary

#: Takes the function, the path, its ``Program``, and whether to keep its source.
Saver = Callable[[Any, Any, Any, bool], None]
_savers: list[Saver] = []


def register_saver(saver: Saver) -> None:
    """Say who writes functions to files."""
    _savers[:] = [saver]


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


__all__ = ["Shipped", "register_saver"]
