"""Which modules are taken to stay what they are: Plait, NumPy and alike, the standard library."""

from __future__ import annotations

import sys
from typing import Any

#: Libraries that nobody changes between two calls. Their names are guarded, not their attributes.
LIBRARIES = frozenset(("plait", "numpy", "jax", "jaxlib", "ml_dtypes", "scipy"))


def is_trusted_name(module: str | None) -> bool:
    """Whether a module, by its name, is taken to stay what it is."""
    root = (module or "").partition(".")[0]
    return root in LIBRARIES or (root in sys.stdlib_module_names and root != "__main__")


def is_trusted_module(module: Any) -> bool:
    """Whether the attributes of a module are read without guards."""
    return is_trusted_name(getattr(module, "__name__", ""))


def is_trusted(value: Any) -> bool:
    """Whether a function, class or object belongs to a module that stays what it is."""
    found = getattr(value, "__module__", None) or getattr(type(value), "__module__", "")
    return is_trusted_name(found if isinstance(found, str) else "")
