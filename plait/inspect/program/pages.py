"""What a program as a whole holds: imports, helpers, functions, constants, the user's functions."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import Any

from plait.inspect.program.comments import Lines
from plait.inspect.program.literals import array_text, bytes_text, dtype_text, quoted
from plait.inspect.program.names import Names
from plait.inspect.program.repeated import INLINE_ELEMENTS
from plait.inspect.program.sources import needed
from plait.ir import Literal
from plait.ir.text import format_value
from plait.ir.types import DType, bfloat16


class Pages:
    """The parts of one program.

    Parameters
    ----------
    beside : str or None
        Name of the ``.npz`` file with the large constants; None keeps them in the text.
    lines : mapping of (str, int) to str, optional
        The user's lines by file and number, where the files may be gone.

    Attributes
    ----------
    names : Names
        Of the module.
    functions : list of str
        Texts of functions, callees first.
    constants : dict of str to ndarray
        The large constants by name.
    """

    def __init__(self, beside: str | None = None, lines: Lines | None = None) -> None:
        self.lines: Lines = lines or {}
        self.beside = beside
        self.names = Names()
        self.functions: list[str] = []
        self.constants: dict[str, Any] = {}
        self.globals: list[str] = []
        self.state: dict[str, str] = {}
        self.state_name = "state"
        self._constant_names: dict[Literal, str] = {}
        self._imports: set[str] = set()
        self._helpers: dict[str, None] = {}
        self._hooks: dict[int, tuple[Any, str]] = {}
        for name in needed_names():
            self.names.take(name)

    def load(self, line: str) -> None:
        """Have a line that imports something."""
        self._imports.add(line)

    def dtype(self, dtype: DType) -> str:
        """A dtype; what it needs is imported."""
        if dtype == bfloat16:
            self.load("from ml_dtypes import bfloat16")
        return dtype_text(dtype)

    def helper(self, name: str) -> str:
        """The name of a helper, which the program takes along."""
        self._helpers[f"_{name}"] = None
        return f"_{name}"

    def literal(self, array: Any) -> str:
        """An array, in the text where it is small, else by the name of a constant."""
        self.dtype(array.dtype)
        if array.size <= INLINE_ELEMENTS:
            return array_text(array)
        literal = Literal(array)
        name = self._constant_names.get(literal)
        if name is None:
            name = self.names.take(f"const_{len(self.constants)}")
            self._constant_names[literal] = name
            self.constants[name] = literal.array
        return name

    def hook(self, function: Callable[..., Any]) -> str:
        """The name that stands for a Python function, which no text holds."""
        known = self._hooks.get(id(function))
        if known is None:
            shown = format_value(function).removeprefix("python ").strip('"')
            name = self.names.take(shown.rpartition(":")[2].rpartition(".")[2])
            known = self._hooks[id(function)] = (function, name)
            self.functions.append(
                f"def {name}(*arguments):\n"
                f'    raise NotImplementedError("assign the Python function {shown} to {name}")'
            )
        return known[1]

    def text(self, title: str) -> str:
        """The whole program."""
        constants = [*self._constant_lines(), *self._state_lines()]
        helpers, modules = needed(list(self._helpers))
        own = {line for line in self._imports if line.split()[1] in ("collections", "types")}
        path = {"from pathlib import Path"} if self.constants and self.beside else set()
        imports = [*[f"import {name}" for name in modules], *sorted(own | path)]
        third = ["import numpy as np", *sorted(self._imports - own)]
        head = "\n".join([*imports, *([""] if imports else []), *third])
        version = importlib.metadata.version("plait")
        top = f'"""{title}\n\nA program of NumPy\'s, written by Plait {version}.\n"""'
        parts = [f"{top}\n\n{head}"]
        parts += ["\n".join(self.globals)] if self.globals else []
        return "\n\n\n".join([*parts, *helpers, *self.functions, *constants]) + "\n"

    def _constant_lines(self) -> list[str]:
        """What gives the large constants, which functions look up when they are called."""
        if not self.constants:
            return []
        if self.beside is None:
            helper = self.helper("stored")
            made = [f"{n} = {bytes_text(a, helper)}" for n, a in self.constants.items()]
            return ["\n".join(made)]
        lines = [f'with np.load(Path(__file__).with_name("{self.beside}")) as constants:']
        for name, array in self.constants.items():
            view = ".view(bfloat16)" if array.dtype == bfloat16 else ""
            lines.append(f'    {name} = constants["{name}"]{view}')
        return ["\n".join(lines)]

    def _state_lines(self) -> list[str]:
        """The dict of what calls change."""
        if not self.state:
            return []
        items = [f"    {quoted(name)}: {text}," for name, text in self.state.items()]
        return ["\n".join([f"{self.state_name} = {{", *items, "}"])]


def needed_names() -> list[str]:
    """Names that helpers have, and the imports."""
    from plait.inspect.program import helpers

    own = [n for n in vars(helpers) if not n.startswith("__")]
    return [n for n in own if n not in ("annotations", "Any", "np", "math")] + [
        "bfloat16",
        "constants",
        "Path",
        "state",
        "namedtuple",
        "SimpleNamespace",
    ]


__all__ = ["Pages"]
