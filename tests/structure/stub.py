"""Writes the types of the front door, whose functions are made when it is imported.

Parameters are those of the functions. What an annotation leaves open follows from the parameter's
name, and is array-like where the name says nothing else; a result left open is a tensor.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import plait as pl
from plait.tracer import public_functions

HEADER = '''\
"""Types of the front door; tests/structure/stub.py writes this file (`make bless`)."""

from builtins import bool as _bool
from collections.abc import Sequence
from typing import Any, SupportsIndex

from numpy.typing import ArrayLike, DTypeLike

'''

#: What the declarations need besides, by module.
NEEDED = {
    "plait.ir": "Dim, Shape",
    "plait.ir.functions.sets": "UniqueAll, UniqueCounts, UniqueInverse",
}

ALIASES = """\
_Sizes = SupportsIndex | Sequence[SupportsIndex | Dim]
_Axes = int | Sequence[int]
_Numbers = int | Sequence[int]
_Padding = str | int | Sequence[Any]
"""

#: The names above for names of the modules that the functions are written in.
NAMES = {"bool": "_bool", "Numbers": "_Numbers", "Padding": "_Padding"}

#: What a parameter without a type of its own takes, by its name.
PARAMETERS = {
    "arrays": "Sequence[ArrayLike]",
    "axes": "_Axes | Sequence[Sequence[int]]",
    "axis": "_Axes",
    "choicelist": "Sequence[ArrayLike]",
    "choices": "ArrayLike | Sequence[ArrayLike]",
    "condlist": "Sequence[ArrayLike]",
    "destination": "_Axes",
    "device": "str | Device",
    "dimensions": "_Sizes",
    "dims": "_Sizes",
    "dtype": "DTypeLike",
    "key": "Any",
    "keys": "ArrayLike | Sequence[ArrayLike]",
    "multi_index": "ArrayLike | Sequence[ArrayLike]",
    "obj": "ArrayLike | slice",
    "ord": "float | str",
    "range": "tuple[float, float]",
    "shape": "_Sizes",
    "shapes": "_Sizes",
    "source": "_Axes",
}
#: Parameters that gather several of what their name says.
GATHERED = {"arrays": "ArrayLike"}

#: Results that are not tensors although nothing says so.
RETURNS = {"indices": "Any", "intersect1d": "Any", "unique": "Any"}

_WIDTH = 100


def stub() -> str:
    """The text of ``plait/__init__.pyi``."""
    imported = dict(_imports())
    public = {*pl.__all__, "__all__", "__version__"} - imported.keys()
    imports = [f"from {module} import {names}" for module, names in NEEDED.items()]
    imports += [f"from {module} import {name} as {name}" for name, module in imported.items()]
    lines = [
        *sorted(imports, key=_place),
        "",
        ALIASES,
        *[_constant(name, imported) for name in sorted(public - set(function_names()))],
        "",
        *[_declare(name, getattr(pl, name)) for name in function_names()],
    ]
    return HEADER + "\n".join(lines) + "\n"


def function_names() -> list[str]:
    """Names of the functions that are made when the front door is imported."""
    return sorted(public_functions().keys() - dict(_imports()).keys() - {"array"})


def _imports() -> Iterator[tuple[str, str]]:
    """Public names that the front door imports, each with the module it comes from."""
    tree = ast.parse(Path(pl.__file__).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.asname == alias.name:
                    yield alias.name, str(node.module)


def _place(line: str) -> tuple[str, list[Any]]:
    """Where an import stands: by module, then by name, numbers in names by size."""
    _, module, _, name, *_ = line.split()
    return module, [int(x) if x.isdigit() else x for x in re.split(r"(\d+)", name)]


def _constant(name: str, imported: Iterable[str]) -> str:
    """A name that is neither imported nor a function of tensors: another's, or a constant."""
    value = getattr(pl, name)
    for other in imported:
        if getattr(pl, other) is value:
            return f"{name} = {other}"
    kind = "list[str]" if name == "__all__" else type(value).__name__
    return f"{name}: {'None' if value is None else kind}"


def _declare(name: str, function: Callable[..., Any]) -> str:
    """A function's declaration, in lines as the formatter breaks them."""
    signature = inspect.signature(function)
    result = RETURNS.get(name) or _known(signature.return_annotation, "Tensor")
    parameters = list(_parameters(signature))
    flat = ", ".join(parameters)
    for text in (
        f"def {name}({flat}) -> {result}: ...",
        f"def {name}(\n    {flat}\n) -> {result}: ...",
    ):
        if max(map(len, text.splitlines())) <= _WIDTH:
            return text
    rows = "".join(f"    {parameter},\n" for parameter in parameters)
    return f"def {name}(\n{rows}) -> {result}: ..."


def _parameters(signature: inspect.Signature) -> Iterator[str]:
    """The parameters of a declaration, with the marks between their kinds."""
    known = list(signature.parameters.values())
    kinds = [parameter.kind for parameter in known]
    for i, parameter in enumerate(known):
        starts = i == kinds.index(parameter.kind)
        if starts and kinds[i] is parameter.KEYWORD_ONLY and parameter.VAR_POSITIONAL not in kinds:
            yield "*"
        star = "*" if kinds[i] is parameter.VAR_POSITIONAL else ""
        yield f"{star}{parameter.name}: {_type(parameter)}{_default(parameter)}"
        if kinds[i] is parameter.POSITIONAL_ONLY and kinds[i + 1 :].count(kinds[i]) == 0:
            yield "/"


def _type(parameter: inspect.Parameter) -> str:
    given = parameter.annotation
    if given not in ("Any", parameter.empty):
        return _known(given, "ArrayLike")
    found = PARAMETERS.get(parameter.name, "ArrayLike")
    if parameter.kind is parameter.VAR_POSITIONAL:
        return GATHERED.get(parameter.name, found)
    return f"{found} | None" if parameter.default is None and found != "Any" else found


def _known(annotation: str, thing: str) -> str:
    """An annotation in the stub's names, with what it leaves open filled in."""
    names = NAMES | {"Any": thing}
    return re.sub(r"\w+", lambda word: names.get(word[0], word[0]), annotation)


def _default(parameter: inspect.Parameter) -> str:
    value = parameter.default
    if value is parameter.empty:
        return ""
    shown = value.name if isinstance(value, np.dtype) else repr(value).replace("'", '"')
    return f" = {shown}"
