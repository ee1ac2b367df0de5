"""How tensors show: repr, format, notebooks."""

from __future__ import annotations

import html
from typing import Any

import numpy as np

from plait.ir import Value, display
from plait.tracer import pending
from plait.tracer.rendering import is_rendering, mark
from plait.tracer.tensor_handle import Handle, demand
from plait.tracer.tensor_storage import read_array

#: Rows and columns of a notebook's table.
TABLE_EDGE = 4


class Display(Handle):
    """repr, str, format and HTML."""

    __slots__ = ()

    def __repr__(self) -> str:
        if is_rendering():
            return mark(self, _REPR[self._kind])
        if pending.recorders:
            pending.settle_mine(self)
        data = self._data
        return _text("<traced>", data) if type(data) is Value else tensor_text(read_array(self))

    def __str__(self) -> str:
        if is_rendering():
            return mark(self, _STR[self._kind])
        return repr(self)

    def __format__(self, spec: str) -> str:
        data = self._data
        if is_rendering():
            is_whole = data.ndim > 0 or not spec
            return mark(self, f"{_STR[self._kind] if is_whole else ''}{spec and f':{spec}'}")
        if spec and type(data) is Value:
            demand(self, f"the format {spec!r}")
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


#: The forms of a template's places that show what each kind of handle stands for.
_REPR = {"tensor": "!r", "number": "", "ndarray": "!a", "jax": "!a"}
_STR = {"tensor": "!r", "number": "", "ndarray": "", "jax": ""}


def tensor_text(array: Any) -> str:
    """An ndarray as a tensor of it shows."""
    return _text(np.array2string(array, separator=", ", prefix="pl.Tensor("), array)


def _text(elements: str, data: Any) -> str:
    shape = f", shape={tuple(data.shape)}" if data.ndim else ""
    return f"pl.Tensor({elements}, dtype={data.dtype.name}{shape})"


display.register_array_text(tensor_text)


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
