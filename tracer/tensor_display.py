"""How tensors show: repr, format, notebooks."""

from __future__ import annotations

import html
from typing import Any

import numpy as np

from plait.ir import Value
from plait.tracer.tensor_handle import Handle, traced_error
from plait.tracer.tensor_storage import read_array

#: Rows and columns of a notebook's table.
TABLE_EDGE = 4


class Display(Handle):
    """repr, str, format and HTML."""

    __slots__ = ()

    def __repr__(self) -> str:
        data = self._data
        prefix = "pl.Tensor("
        if type(data) is Value:
            text = "<traced>"
        else:
            text = np.array2string(read_array(self), separator=", ", prefix=prefix)
        shape = f", shape={tuple(data.shape)}" if data.ndim else ""
        return f"{prefix}{text}, dtype={data.dtype.name}{shape})"

    def __str__(self) -> str:
        return repr(self)

    def __format__(self, spec: str) -> str:
        data = self._data
        if spec and type(data) is Value:
            raise traced_error(self, f"the format {spec!r}")
        if not spec or data.ndim:
            return format(repr(self), spec)
        return format(self.item(), spec)  # type: ignore[attr-defined]

    def _repr_html_(self) -> str:
        data = self._data
        title = html.escape(f"{data.dtype.name}, shape {tuple(data.shape)}, {self.device}")  # type: ignore[attr-defined]
        if type(data) is Value or not 1 <= data.ndim <= 2 or not data.size:
            return f"<pre title='{title}'>{html.escape(repr(self))}</pre>"
        array = read_array(self)
        rows = array.reshape(-1, array.shape[-1])
        body = "".join(_row(rows[i] if i >= 0 else None, rows.shape[1]) for i in _shown(len(rows)))
        return f"<table><caption>pl.Tensor, {title}</caption>{body}</table>"


def _shown(count: int) -> list[int]:
    """Positions to show; -1 stands for those left out."""
    if count <= 2 * TABLE_EDGE + 1:
        return list(range(count))
    return [*range(TABLE_EDGE), -1, *range(count - TABLE_EDGE, count)]


def _row(row: Any, count: int) -> str:
    cells = [
        "…" if row is None or i < 0 else html.escape(np.array2string(row[i])) for i in _shown(count)
    ]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
