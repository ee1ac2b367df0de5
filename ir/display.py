"""Notebook forms of IR objects; the drawings are registered by the layer that makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_renderers: dict[type, Callable[[Any], dict[str, str]]] = {}


def register_renderer(kind: type, renderer: Callable[[Any], dict[str, str]]) -> None:
    """Register the function that gives the extra MIME forms (SVG, HTML) of a class."""
    _renderers[kind] = renderer


def mime_bundle(shown: Any) -> dict[str, str]:
    """Text, and whatever richer forms are registered for the object's class."""
    bundle = {"text/plain": str(shown)}
    renderer = _renderers.get(type(shown))
    if renderer is not None:
        bundle.update(renderer(shown))
    return bundle
