"""Numbers of every dtype as text and back, bit by bit: NaN payloads, -0.0 and infinities too."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plait.ir.errors import DTypeError
from plait.ir.types import DType, float64, is_bool, is_complex, is_integer, real_dtype

_BITS: dict[int, DType] = {
    1: np.dtype("uint8"),
    2: np.dtype("uint16"),
    4: np.dtype("uint32"),
    8: np.dtype("uint64"),
}


def format_array(array: np.ndarray[Any, Any]) -> str:
    """An array as nested lists of elements; a 0-d one as its element, an empty one as ``[]``."""
    if array.size == 0:
        return "[]"
    elements = format_elements(array)
    for size in reversed(array.shape):
        elements = [f"[{', '.join(elements[i : i + size])}]" for i in range(0, len(elements), size)]
    return elements[0]


def format_elements(array: np.ndarray[Any, Any]) -> list[str]:
    """The elements of an array, each exact."""
    flat = np.ascontiguousarray(array).reshape(-1)
    dtype = array.dtype
    if is_bool(dtype):
        return ["true" if x else "false" for x in flat.tolist()]
    if is_integer(dtype):
        return [str(x) for x in flat.tolist()]
    if is_complex(dtype):
        parts = format_elements(flat.view(real_dtype(dtype)))
        return [f"({a}, {b})" for a, b in zip(parts[::2], parts[1::2], strict=True)]
    return _format_floats(flat)


def _format_floats(flat: np.ndarray[Any, Any]) -> list[str]:
    """Shortest decimals; where they would not give the same bits, the bits in hexadecimal."""
    bits = flat.view(_BITS[flat.dtype.itemsize])
    texts = [str(x) for x in (flat.tolist() if flat.dtype == float64 else flat)]
    with np.errstate(all="ignore"):
        back = np.asarray([float(t) for t in texts], np.float64).astype(flat.dtype)
    same = (back.view(bits.dtype) == bits).tolist()
    width = 2 * flat.dtype.itemsize
    return [
        text if ok else f"0x{word:0{width}x}"
        for text, ok, word in zip(texts, same, bits.tolist(), strict=True)
    ]


def format_float(number: float) -> str:
    """A Python float, exact; a NaN with a payload by its bits."""
    (text,) = _format_floats(np.asarray([number], np.float64))
    return f"float({text})" if text.startswith("0x") else text


def format_complex(number: complex) -> str:
    """A Python complex number, exact in both parts."""
    real, imaginary = _format_floats(np.asarray([number.real, number.imag], np.float64))
    return f"complex({real}, {imaginary})"


def read_float(text: str) -> float:
    """A Python float from a decimal or its bits in hexadecimal."""
    return float(read_elements([text], float64)[0])


def read_elements(texts: list[str], dtype: DType) -> np.ndarray[Any, Any]:
    """A flat array of ``dtype`` from its elements' texts; complex ones as real and imaginary.

    Raises
    ------
    DTypeError
        An element that is not of the dtype, or does not fit it.
    """
    if is_complex(dtype):
        return read_elements(texts, real_dtype(dtype)).view(dtype)
    if is_bool(dtype):
        return np.asarray([_read_bool(t) for t in texts], np.bool_)
    if is_integer(dtype):
        return _read_integers(texts, dtype)
    return _read_floats(texts, dtype)


def _read_bool(text: str) -> bool:
    if text not in ("true", "false"):
        raise DTypeError(f"expected true or false, found {text}")
    return text == "true"


def _read_integers(texts: list[str], dtype: DType) -> np.ndarray[Any, Any]:
    limits = np.iinfo(dtype)
    numbers: list[int] = []
    for text in texts:
        try:
            number = int(text)
        except ValueError:
            raise DTypeError(f"expected an integer, found {text}") from None
        if not limits.min <= number <= limits.max:
            raise DTypeError(f"{text} does not fit {dtype.name}")
        numbers.append(number)
    return np.asarray(numbers, dtype)


def _read_floats(texts: list[str], dtype: DType) -> np.ndarray[Any, Any]:
    numbers = np.zeros(len(texts), np.float64)
    words: dict[int, int] = {}
    for i, text in enumerate(texts):
        try:
            if text.startswith("0x"):
                words[i] = int(text, 16)
            else:
                numbers[i] = float(text)
        except ValueError:
            raise DTypeError(f"expected a number, found {text}") from None
    with np.errstate(all="ignore"):
        array = numbers.astype(dtype)
    overflowed: Any = np.isinf(array) & ~np.isinf(numbers)
    if overflowed.any():
        raise DTypeError(f"{texts[int(overflowed.argmax())]} does not fit {dtype.name}")
    bits = array.view(_BITS[dtype.itemsize])
    for i, word in words.items():
        if word.bit_length() > 8 * dtype.itemsize:
            raise DTypeError(f"{texts[i]} has more bits than {dtype.name}")
        bits[i] = word
    return array


def is_number(text: str) -> bool:
    """Whether a number's text is a float's rather than an integer's."""
    return not text.lstrip("-").isdigit() or math.isinf(float(text))
