"""Modules that are to be captured although they are installed libraries or part of Python."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

_asked: set[str] = set()


def convert_modules(*modules: str | ModuleType) -> None:
    """Let compiled functions look into functions of libraries, too.

    Functions of the user's own files are captured with their control flow wherever they are called.
    Those of installed packages and of the standard library are run as they are: their branches and
    loops work on Python values only, and what they read is not watched. Of modules named here the
    functions are captured like the user's own. Functions that are compiled already stay as they
    are: call this first.

    Parameters
    ----------
    *modules : str or module
        Names of modules or packages, such as ``"einops"``; their submodules are included.

    Raises
    ------
    TypeError
        Something else than a name or a module.

    Examples
    --------
    >>> pl.convert_modules("statistics")
    """
    from plait.tracer.convert import include  # loaded when something is compiled

    for module in modules:
        name = module.__name__ if isinstance(module, ModuleType) else module
        if not isinstance(name, str):
            raise TypeError(f"convert_modules takes names of modules, got {name!r}")
        _asked.add(name)
        include(name)


@contextmanager
def converting(module: str) -> Iterator[None]:
    """Look into a module for the time of a trial."""
    from plait.tracer.convert import exclude

    known = module in _asked
    convert_modules(module)
    try:
        yield
    finally:
        if not known:
            _asked.discard(module)
            exclude(module)


def is_asked(module: str | None) -> bool:
    """Whether a module, by its name, or a package that it is in has been named."""
    if not _asked or not module:
        return False
    parts = module.split(".")
    return any(".".join(parts[:i]) in _asked for i in range(1, len(parts) + 1))


__all__ = ["convert_modules", "converting", "is_asked"]
