"""Functions in files, and from and to jax; loaded when first used, as importing is quick."""

import importlib
from typing import TYPE_CHECKING, Any

from plait.deploy.front import load as load

if TYPE_CHECKING:
    from plait.deploy.from_jax import ImportedFunction as ImportedFunction
    from plait.deploy.from_jax import from_jax as from_jax
    from plait.deploy.loaded import LoadedFunction as LoadedFunction
    from plait.deploy.to_jax import to_jax as to_jax

_MODULES = {
    "ImportedFunction": "from_jax",
    "LoadedFunction": "loaded",
    "from_jax": "from_jax",
    "to_jax": "to_jax",
}
__all__ = ["ImportedFunction", "LoadedFunction", "from_jax", "load", "to_jax"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"plait.deploy has no {name!r}; it has {', '.join(__all__)}")
    found = getattr(importlib.import_module(f"plait.deploy.{_MODULES[name]}"), name)
    globals()[name] = found  # over the module of the same name, which importing it binds
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
