"""Functions in files, and from and to jax; loaded when first used, as importing is quick."""

import importlib
from typing import TYPE_CHECKING, Any

from plait.deploy.front import load as load

if TYPE_CHECKING:
    from plait.deploy.jax_in import ImportedFunction as ImportedFunction
    from plait.deploy.jax_in import from_jax as from_jax
    from plait.deploy.jax_out import to_jax as to_jax
    from plait.deploy.loaded import LoadedFunction as LoadedFunction

_MODULES = {
    "ImportedFunction": "jax_in",
    "LoadedFunction": "loaded",
    "from_jax": "jax_in",
    "to_jax": "jax_out",
}
__all__ = ["ImportedFunction", "LoadedFunction", "from_jax", "load", "to_jax"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"plait.deploy has no {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(f"plait.deploy.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
