"""Programs of changes as modules whose source ``inspect`` finds."""

from __future__ import annotations

import collections
import dataclasses
import functools
import linecache
import sys
import types
from typing import Any

import numpy as np

import plait as pl

NAMES = {
    "pl": pl,
    "np": np,
    "types": types,
    "functools": functools,
    "collections": collections,
    "dataclasses": dataclasses,
}


def execute(text: str, module: dict[str, Any], file: str) -> None:
    """Run a text in a module; its lines can be found under the file's name."""
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), module)


def load(source: str, file: str) -> dict[str, Any]:
    """A module of a text, and ``X`` to call its function with."""
    module = types.ModuleType("changes_under_test")
    sys.modules[module.__name__] = module  # dataclasses look there
    module.__dict__.update(NAMES, X=pl.asarray(np.array([1, -2, 3], "float32")))
    execute(source, module.__dict__, file)
    return module.__dict__


def call(text: str, function: Any, module: dict[str, Any], file: str = "<call>") -> Any:
    """The value of a call of the function, written as text in which it is named ``f``."""
    linecache.cache[file] = (len(text), None, [text + "\n"], file)
    return eval(compile(text, file, "eval"), module, {"f": function})
