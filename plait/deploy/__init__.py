"""Functions in files: ``f.save`` and ``pl.load``; loaded when first used, as importing is quick."""

import importlib
from typing import TYPE_CHECKING, Any

from plait.deploy.front import load as load

if TYPE_CHECKING:
    from plait.deploy.loaded import LoadedFunction as LoadedFunction

__all__ = ["LoadedFunction", "load"]


def __getattr__(name: str) -> Any:
    if name != "LoadedFunction":
        raise AttributeError(f"plait.deploy has no {name!r}; it has {', '.join(__all__)}")
    return importlib.import_module("plait.deploy.loaded").LoadedFunction


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
