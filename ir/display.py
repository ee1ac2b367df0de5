"""How IR objects and arrays are shown; richer forms are registered by the layers that make them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_array_text: Callable[[Any], str] = np.array_str
_inspectors: dict[type, Callable[..., Any]] = {}
_renderers: dict[type, Callable[[Any], dict[str, str]]] = {}


def register_renderer(kind: type, renderer: Callable[[Any], dict[str, str]]) -> None:
    """Register the function that gives the extra MIME forms (SVG, HTML) of a class."""
    _renderers[kind] = renderer


def register_inspector(kind: type, inspector: Callable[..., Any]) -> None:
    """Register the function that makes the page about an object of a class."""
    _inspectors[kind] = inspector


def inspect(shown: Any, **options: Any) -> Any:
    """The page about an object: source, graph, passes and memory."""
    return _inspectors[type(shown)](shown, **options)


def mime_bundle(shown: Any) -> dict[str, str]:
    """Text, and whatever richer forms are registered for the object's class."""
    bundle = {"text/plain": str(shown)}
    renderer = _renderers.get(type(shown))
    if renderer is not None:
        bundle.update(renderer(shown))
    return bundle


def register_array_text(function: Callable[[Any], str]) -> None:
    """Set how the ``print`` op shows an array: as the user's tensors show themselves."""
    global _array_text
    _array_text = function


def array_text(array: Any) -> str:
    """An array as the ``print`` op shows it."""
    return _array_text(array)
