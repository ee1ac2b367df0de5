"""Decide whether a program means the same in each way of running it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import plait as pl
from tests.capture.fuzz.execute import Hang, Outcome, run
from tests.capture.fuzz.program import Program


@dataclass(frozen=True)
class Verdict:
    """How a program fared: ``same``, ``raised`` (the same in all ways), ``refused`` or worse.

    ``broken`` is why it ran in segments, if it did.
    """

    kind: str
    way: str = ""
    detail: str = ""
    broken: str = ""

    @property
    def wrong(self) -> bool:
        """Whether this is a bug."""
        return self.kind not in ("same", "raised", "refused")


def plain(function: Any) -> Any:
    """The function undecorated."""
    return function


def compiled(backend: str) -> Callable[[Any], Any]:
    """The function captured."""
    return lambda function: pl.graph_function(function, backend=backend)


def strip(value: Any) -> Any:
    """Without the family of arrays, to compare NumPy with tensors."""
    if isinstance(value, tuple) and value and value[0] in ("tensor", "array"):
        return value[1:]
    if isinstance(value, (tuple, list)):
        return [strip(v) for v in value]
    return value


def difference(want: Outcome, got: Outcome, families: bool = True) -> str:
    """What differs between two outcomes; empty when nothing does."""
    if want.error != got.error:
        return f"raised {got.error}, wanted {want.error}\n{got.message}"
    if want.error:
        same = not families or got.printed.startswith(want.printed)
        return "" if same else f"printed {got.printed!r}, wanted {want.printed!r}"
    form = plain if families else strip
    for name in ("result", "left"):
        if form(getattr(want, name)) != form(getattr(got, name)):
            return f"{name}\n  {getattr(got, name)}\nwanted\n  {getattr(want, name)}"
    if families and want.printed != got.printed:
        return f"printed {got.printed!r}, wanted {want.printed!r}"
    return ""


def compare(want: list[Outcome], got: list[Outcome], way: str, families: bool = True) -> Verdict:
    """The verdict on the calls of one way of running."""
    for number, (w, g) in enumerate(zip(want, got, strict=False)):
        if g.refused and not w.refused:
            located = g.error is not None and g.error[1] > 0
            return Verdict("refused" if located else "no line", way, g.message)
        found = difference(w, g, families)
        if found:
            return Verdict("different", way, f"call {number}: {found}")
    return Verdict("raised" if want[-1].error else "same", way, broken=got[-1].broken)


def ways(program: Program, backends: tuple[str, ...]) -> list[tuple[str, Any, str]]:
    """Name, namespace and backend of each compiled way of running."""
    found = [(f"tensors, {b}", pl, b) for b in backends]
    if backends and program.numpy and program.seed % 3 == 0:
        found.append(("ndarrays, reference", np, "reference"))
    return found


def check(program: Program, backends: tuple[str, ...] = ("reference", "planned")) -> Verdict:
    """Run a program in all ways; the first that differs decides."""
    source, seed = program.source, program.seed
    try:
        eager = run(source, seed, pl, plain)
    except Hang as error:
        return Verdict("hang", "eager", str(error))
    arrays = run(source, seed, np, plain) if program.numpy else []
    if program.numpy:
        verdict = compare(arrays, eager, "eager", families=False)
        if verdict.wrong:
            return verdict
    last = Verdict("same")
    for way, namespace, backend in ways(program, backends):
        try:
            got = run(source, seed, namespace, compiled(backend))
        except Hang as error:
            return Verdict("hang", way, str(error))
        except BaseException as error:  # what is internal must not come out
            return Verdict("crash", way, f"{type(error).__name__}: {error}")
        last = compare(eager if namespace is pl else arrays, got, way)
        if last.kind not in ("same", "raised"):
            return last
    return last
