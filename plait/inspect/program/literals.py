"""Numbers, arrays and dtypes as Python text that gives the same bits."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np

from plait.ir.types import DType, bfloat16, is_bool, is_complex, is_integer, real_dtype

#: Characters in a line of an array's bytes.
LINE = 88


def quoted(text: str) -> str:
    """A text as Python writes it, in double quotes."""
    return (
        repr(text)
        if any("\ud800" <= c < "\ue000" for c in text)
        else json.dumps(text, ensure_ascii=False)
    )


def dtype_text(dtype: DType) -> str:
    """``np.float32``; ``bfloat16``, which is not NumPy's own."""
    if dtype == bfloat16:
        return "bfloat16"
    return "np.bool_" if is_bool(dtype) else f"np.{dtype.name}"


def array_text(array: Any) -> str:
    """An expression for an array with all its elements; for a 0-d one a NumPy scalar."""
    name = dtype_text(array.dtype)
    if array.size == 0:
        return f"np.empty({tuple(array.shape)}, {name})"
    texts = _elements(array)
    if texts is None:
        word = np.dtype(f"u{min(array.dtype.itemsize, 8)}")
        words = np.ascontiguousarray(array).reshape(-1).view(word)
        shown = ", ".join([f"{n:#x}" for n in words.tolist()])
        flat = f"np.array([{shown}], np.{word.name}).view({name})"
        return f"{flat}[0]" if array.ndim == 0 else f"{flat}.reshape({tuple(array.shape)})"
    if array.ndim == 0:
        return f"{name}({texts[0]})"
    for size in reversed(array.shape):
        texts = [f"[{', '.join(texts[i : i + size])}]" for i in range(0, len(texts), size)]
    return f"np.array({texts[0]}, {name})"


def bytes_text(array: Any, helper: str) -> str:
    """An expression for an array by its bytes in base 64, on as many lines as they take."""
    data = np.ascontiguousarray(array)
    text = base64.b64encode(data.astype(data.dtype.newbyteorder("<")).tobytes()).decode()
    lines = [f'    "{text[i : i + LINE]}"' for i in range(0, len(text), LINE)]
    last = f"    {dtype_text(array.dtype)},\n    {tuple(array.shape)},\n)"
    return "\n".join([f"{helper}(", *lines[:-1], f"{lines[-1]},", last])


def _elements(array: Any) -> list[str] | None:
    """The elements, each exact; None where decimals do not give the same bits."""
    flat = np.ascontiguousarray(array).reshape(-1)
    dtype = array.dtype
    if is_bool(dtype) or is_integer(dtype):
        return [str(x) for x in flat.tolist()]
    if is_complex(dtype):
        parts = _elements(flat.view(real_dtype(dtype)))
        if parts is None:
            return None
        pairs = zip(parts[::2], parts[1::2], strict=True)
        return [f"complex({a}, {b})" for a, b in pairs]
    texts = [str(float(str(x))) for x in flat]
    with np.errstate(all="ignore"):
        back = np.array([float(t) for t in texts], dtype)
    if back.tobytes() != flat.tobytes():
        return None
    special = {"nan": "np.nan", "inf": "np.inf", "-inf": "-np.inf"}
    return [special.get(t, t) for t in texts]
