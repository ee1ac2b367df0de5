"""What a backend returns: a compiled graph that can be called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Executable(Protocol):
    """A graph made ready to run by one backend.

    Attributes
    ----------
    backend : str
        ``"xla"``, ``"planned"`` or ``"reference"``.
    """

    backend: str

    def __call__(self, *arrays: Any) -> Sequence[Any]:
        """Run on flat arrays of exactly the graph's input types; returns the flat outputs."""
        ...

    def memory_analysis(self) -> Mapping[str, int]:
        """Bytes: ``arguments``, ``outputs``, ``temporaries``, ``aliases`` and ``total``."""
        ...

    def as_text(self, form: str) -> str:
        """A form of the compiled program, such as ``"stablehlo"`` or ``"hlo"``."""
        ...
