"""Plan to executable: the backends by name, each imported when it is first asked for."""

from __future__ import annotations

import importlib
from collections.abc import Collection
from typing import Any, Protocol

from plait.ir import ExecutionPlan, Graph
from plait.ir.errors import UnknownNameError
from plait.ir.executable import Executable

__all__ = ["BACKENDS", "Backend", "device_support", "get_backend"]

#: Names of the backends, and the package that each lives in.
BACKENDS = {
    "xla": "plait.backends.jax",
    "planned": "plait.backends.planned",
    "reference": "plait.backends.reference",
}


class Backend(Protocol):
    """What each backend's package offers."""

    def compile(
        self,
        graph: Graph,
        *,
        plan: ExecutionPlan | None = None,
        donated: Collection[int] = (),
        device: Any = None,
    ) -> Executable:
        """Make a graph ready to run.

        Parameters
        ----------
        graph : Graph
            Its shapes are numbers; checks are lowered to a status output.
        plan : ExecutionPlan, optional
            Slots, aliases and donations.
        donated : collection of int
            Inputs that the caller gives up at each call.
        device : Device, optional
            Where to run; the CPU by default.
        """
        ...


def get_backend(name: str) -> Backend:
    """The backend of a name; importing it may import its libraries.

    Raises
    ------
    UnknownNameError
        No backend has this name.
    """
    module = BACKENDS.get(name)
    if module is None:
        raise UnknownNameError(f"unknown backend {name!r}; backends: {', '.join(BACKENDS)}")
    backend: Backend = importlib.import_module(module)
    return backend


def device_support() -> Any:
    """The functions that list devices, move arrays and run eager ops there; imports jax."""
    return importlib.import_module("plait.backends.jax.eager")
