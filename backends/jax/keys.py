"""Attributes as keys of caches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def attributes_key(attributes: Mapping[str, Any]) -> tuple[Any, ...]:
    """The attributes as something to hash: numbers with their class, floats by their bits."""
    return tuple([(k, _key(v)) for k, v in attributes.items()]) if attributes else ()


def _key(value: Any) -> Any:
    kind = type(value)
    if kind is float:
        return (float, value.hex())
    if kind is tuple:
        return tuple([_key(v) for v in value])
    return (kind, value)
