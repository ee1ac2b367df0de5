"""Templates of prints and of errors: text with places for arrays, filled in at run time.

A place is ``{}`` or ``{0}``: the array as NumPy's ``str`` gives it, a 0-d one as a plain number;
``{!r}``: as the user's tensors show themselves; ``{!a}``: as NumPy's ``repr`` gives it; ``{!v}``:
as variables show themselves, up to their name; and ``{:.3f}``: a number under a format.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Sequence
from string import Formatter
from typing import Any

import numpy as np

from plait.ir import errors
from plait.ir.display import array_text
from plait.ir.errors import ShapeError
from plait.ir.types import bfloat16

__all__ = ["check_template", "error_class", "escape", "fill", "make_error"]

_SPEC = re.compile(r"(?:.?[<>=^])?[-+ ]?#?0?\d{0,3}[,_]?(?:\.\d{1,3})?[A-Za-z%]?")


class _Filler(Formatter):
    """``str.format`` whose conversions are the forms of an array."""

    def convert_field(self, value: Any, conversion: Any) -> Any:
        if conversion is None:
            return value
        array = value.array
        if conversion == "s":
            return np.array_str(array)
        if conversion == "r":
            return array_text(array)
        if conversion == "v":
            return array_text(array).replace("pl.Tensor(", "pl.Variable(", 1)[:-1]
        if conversion == "a":
            return repr(array if array.ndim else array[()])
        raise ValueError(f"unknown conversion {conversion!r}")


class _Shown:
    """An array inside a template."""

    def __init__(self, array: Any) -> None:
        self.array = np.asarray(array)

    def __format__(self, spec: str) -> str:
        array = self.array
        if not spec:
            return np.array_str(array)
        return format((array.astype(np.float32) if array.dtype == bfloat16 else array).item(), spec)


_filler = _Filler()


def fill(template: str, arrays: Sequence[Any]) -> str:
    """The text of a template for these arrays."""
    if "{" not in template and "}" not in template:
        return template
    return _filler.vformat(template, [_Shown(a) for a in arrays], {})


def escape(text: str) -> str:
    """A template that gives the text."""
    return text.replace("{", "{{").replace("}", "}}")


def check_template(what: str, template: str, samples: Sequence[Any]) -> None:
    """Demand a template with places for the samples only.

    Raises
    ------
    ShapeError
        A place beyond the samples, one that is named, or a format that is not a plain one.
    """
    try:
        for _, name, spec, _ in _filler.parse(template):
            if name and not name.isdecimal():
                raise ValueError(f"a place is named by a position, found {name!r}")
            if spec and not _SPEC.fullmatch(spec):
                raise ValueError(f"format {spec!r} is not a plain one such as '.3f'")
        fill(template, samples)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ShapeError(
            f"{what} {template!r} does not take {len(samples)} value(s): {error}"
        ) from None


def make_error(error: str | Callable[..., Any], message: str, details: Sequence[Any]) -> Any:
    """The exception of a failed check.

    Parameters
    ----------
    error : str or callable
        A class of ``plait.ir.errors`` or of Python's own, made with the message; or
        ``error(*details)`` makes the exception.
    message : str
        A template over the details.
    details : sequence of ndarray
        0-d arrays.

    Raises
    ------
    UnknownNameError
        There is no exception of this name.
    """
    if callable(error):
        return error(*details)
    made = error_class(error)(fill(message, details))
    if isinstance(made, errors.PlaitError):
        made.details = tuple(details)
    return made


def error_class(name: str) -> type[Exception]:
    """The exception that a check names."""
    found = getattr(errors, name, None) if name in errors.__all__ else None
    found = getattr(builtins, name, None) if found is None else found
    if not (isinstance(found, type) and issubclass(found, Exception)):
        known = ", ".join(errors.__all__)
        raise errors.UnknownNameError(
            f"check: unknown error {name!r}; known errors: {known}, and Python's own"
        )
    return found
