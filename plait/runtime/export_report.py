"""What an export did: its files, how to call what is in them, and how near it is to eager."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What ``export`` wrote.

    Attributes
    ----------
    files : tuple of Path
    format : str
        ``"python"`` or ``"stablehlo"``.
    function : str
        The name of the function that the file holds.
    inputs, outputs : tuple of str
        Name and type of each array that the file's function takes and gives, in order.
    checks : str
        What became of index and assertion checks: ``"raise"``, ``"status"`` (the last output says
        which one failed), ``"dropped"``, or ``"none"`` where there are none.
    max_difference : float or None
        The largest difference of an element from the eager result; None where nothing was
        compared, and ``note`` says why.
    compared_on : str
        ``"given"`` or ``"generated"`` arguments.
    note : str
    """

    files: tuple[Path, ...]
    format: str
    function: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    checks: str
    max_difference: float | None
    compared_on: str
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Everything as dicts, lists, strings and numbers, ready for JSON."""
        difference = self.max_difference
        exact = difference is None or isfinite(difference)
        return {
            "files": [str(file) for file in self.files],
            "format": self.format,
            "function": self.function,
            "inputs": list(self.inputs),
            "outputs": list(self.outputs),
            "checks": self.checks,
            "max_difference": difference if exact else str(difference),
            "compared_on": self.compared_on,
            "note": self.note,
        }

    def as_text(self) -> str:
        """The text form."""
        head = " and ".join(str(file) for file in self.files)
        call = f"{self.function}({', '.join(self.inputs)}) -> ({', '.join(self.outputs)})"
        lines = [f"{head}: {call}"]
        if self.checks != "none":
            lines.append(f"checks: {self.checks}")
        if self.max_difference is None:
            lines.append(f"not compared with the eager result: {self.note}")
        else:
            on = f"on {self.compared_on} arguments"
            shown = f"{self.max_difference:.3g}"
            lines.append(f"largest difference from the eager result {on}: {shown}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.as_text()


__all__ = ["ExportReport"]
