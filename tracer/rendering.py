"""Text with tensors in it whose values are not known yet: marks that stand for them.

While text is rendered, a tensor shows as a mark, whoever asks for its ``str``, ``repr`` or format:
an f-string, a container, the ``__repr__`` of a user's class. The marks of the finished text become
the places of a template.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from typing import Any

from plait.ir.template import escape

_OPEN, _CLOSE = "\ue0f0\ue0f1", "\ue0f1\ue0f0"
_MARK = re.compile(f"{_OPEN}([0-9]+)([^\ue0f1]*){_CLOSE}")


class _Capture(threading.local):
    def __init__(self) -> None:
        self.found: list[Any] | None = None


_capture = _Capture()


def is_rendering() -> bool:
    """Whether text is rendered in this thread, so that tensors show as marks."""
    return _capture.found is not None


def mark(shown: Any, form: str) -> str:
    """The text that stands for a tensor.

    Parameters
    ----------
    shown : Any
        What the template is to be filled with.
    form : str
        Conversion and format of its place, such as ``"!r"`` or ``":.3f"``.
    """
    found = _capture.found
    assert found is not None
    found.append(shown)
    return f"{_OPEN}{len(found) - 1}{form}{_CLOSE}"


def formatted(text: str, spec: str) -> str | None:
    """A string under a format; None where its marks make that unknown."""
    if _OPEN not in text or not spec:
        return format(text, spec)
    match = _MARK.fullmatch(text)
    if match is None or ":" in match[2]:
        return None
    return f"{_OPEN}{match[1]}{match[2] or '!s'}:{spec}{_CLOSE}"


def render(make: Callable[[], str]) -> tuple[str, list[Any]]:
    """A text with marks, and what they stand for."""
    saved, _capture.found = _capture.found, []
    try:
        text = make()
        return text, _capture.found
    finally:
        _capture.found = saved


def template_of(text: str, found: Sequence[Any]) -> tuple[str, list[Any]]:
    """The template of a text with marks, and what its places show."""
    parts: list[str] = []
    shown: list[Any] = []
    end = 0
    for match in _MARK.finditer(text):
        parts += [escape(text[end : match.start()]), f"{{{len(shown)}{match[2]}}}"]
        shown.append(found[int(match[1])])
        end = match.end()
    return "".join([*parts, escape(text[end:])]), shown
