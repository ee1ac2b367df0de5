"""Whether the gradients of a random program agree: tape, graphs, forward mode, differences."""

from __future__ import annotations

import linecache
import random
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import plait as pl
from tests.capture.fuzz.execute import limited
from tests.plait.gradients.fuzz.grammar import generate

SHAPES = ((3,), (2, 3), ())
SMOOTH = tuple(range(len(SHAPES)))
STEP = 1e-5
LIMIT_S = 30.0
LARGE = 1e4


@dataclass(frozen=True)
class Verdict:
    """How a program fared: ``same``, ``kink``, ``large``, ``raised``, ``refused``, or ``wrong``."""

    kind: str
    detail: str = ""


def load(source: str, seed: int) -> Callable[..., Any]:
    """The ``main`` of a program, as if it had been written in a cell."""
    name = f"<smooth program {seed}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    module = types.ModuleType(f"smooth_program_{seed}")
    module.__dict__.update(pl=pl, np=np, __file__=name)
    exec(compile(source, name, "exec"), module.__dict__)
    found: Callable[..., Any] = module.__dict__["main"]
    return found


def arguments(seed: int) -> tuple[list[Any], list[Any], tuple[int, int]]:
    """The arrays, a direction for them, and the integers."""
    draw, whole = np.random.default_rng(seed), random.Random(seed)
    values = [np.asarray(draw.normal(size=s)) for s in SHAPES]
    along = [np.asarray(draw.normal(size=s)) for s in SHAPES]
    return values, along, (whole.randint(0, 4), whole.randint(0, 5))


def tensors(values: list[Any], numbers: tuple[int, int]) -> list[Any]:
    """Arguments of ``main``."""
    return [*[pl.asarray(x) for x in values], numbers[0], pl.asarray(numbers[1])]


def close(one: float, other: float, tolerance: float, scale: float) -> bool:
    """Whether two numbers agree, relative to their size and a scale."""
    return abs(one - other) <= tolerance * max(1.0, abs(one), abs(other), scale)


def check(source: str, seed: int, second: bool = False) -> Verdict:
    """Compare all ways."""
    with warnings.catch_warnings(), np.errstate(all="ignore"), limited(LIMIT_S):
        warnings.simplefilter("ignore")
        try:
            return _check(source, seed, second)
        except AssertionError as error:
            return Verdict("wrong", str(error))


def _check(source: str, seed: int, second: bool) -> Verdict:
    main = load(source, seed)
    values, along, numbers = arguments(seed)

    def value(step: float) -> float:
        moved = [np.asarray(x + step * d) for x, d in zip(values, along, strict=True)]
        return float(main(*tensors(moved, numbers)))

    try:
        here = value(0.0)
        slopes = [(value(h) - value(-h)) / (2 * h) for h in (STEP, 2 * STEP)]
    except pl.errors.PlaitError as error:  # an index out of range, say
        return Verdict("raised", str(error))
    if not np.isfinite(here) or max(abs(here), *map(abs, slopes)) > LARGE:
        return Verdict("large")
    if not close(slopes[0], slopes[1], 1e-6, abs(here)):
        return Verdict("kink")
    return _compare(main, values, along, numbers, slopes[0], second)


def ways(main: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """The gradients by compiled code."""
    return {
        "gradient compiled, reference": pl.graph_function(
            pl.grad(main, SMOOTH), backend="reference"
        ),
        "of compiled, planned": pl.grad(pl.graph_function(main, backend="planned"), SMOOTH),
    }


def _compare(
    main: Callable[..., Any],
    values: list[Any],
    along: list[Any],
    numbers: tuple[int, int],
    slope: float,
    second: bool,
) -> Verdict:
    def change(gradients: Any) -> float:
        return float(sum(np.sum(np.asarray(g) * d) for g, d in zip(gradients, along, strict=True)))

    def given() -> list[Any]:
        return tensors(values, numbers)

    found = pl.grad(main, SMOOTH)(*given())
    scale = float(sum(np.sum(np.abs(np.asarray(g))) for g in found))
    mine = change(found)
    assert close(mine, slope, 1e-5, scale), f"tape {mine}, differences {slope}"
    for way, function in ways(main).items():
        try:
            for _ in range(2):
                made = function(*given())
                for one, other in zip(made, found, strict=True):
                    a, b = np.asarray(one), np.asarray(other)
                    fits = np.allclose(a, b, rtol=1e-9, atol=1e-9 * max(1.0, scale))
                    assert fits, f"{way}: {a.tolist()}, tape {b.tolist()}"
        except pl.errors.TraceError as error:
            return Verdict("refused", str(error))
    last = numbers[0], pl.asarray(numbers[1])
    tangent = pl.jvp(
        lambda *xs: main(*xs, *last), tuple(given()[:3]), tuple(map(pl.asarray, along))
    )
    assert close(float(tangent[1]), mine, 1e-9, scale), f"forward {float(tangent[1])}, tape {mine}"
    return _second(main, given, along, mine) if second else Verdict("same")


def _second(
    main: Callable[..., Any], given: Callable[[], list[Any]], along: list[Any], mine: float
) -> Verdict:
    """Compare how the slope changes."""
    directions = [pl.asarray(d) for d in along]

    def slope(gradient: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            found = gradient(*args)
            return sum(pl.sum(g * d) for g, d in zip(found, directions, strict=True))

        return call

    wanted = pl.grad(slope(pl.grad(main, SMOOTH)), SMOOTH)(*given())
    scale = float(sum(np.sum(np.abs(np.asarray(g))) for g in wanted))
    for way, function in ways(main).items():
        made = pl.grad(slope(function), SMOOTH)(*given())
        for one, other in zip(made, wanted, strict=True):
            a, b = np.asarray(one), np.asarray(other)
            fits = np.allclose(a, b, rtol=1e-8, atol=1e-8 * max(1.0, scale, abs(mine)))
            assert fits, f"second order, {way}: {a.tolist()}, tapes {b.tolist()}"
    return Verdict("same")


def verdict(seed: int) -> Verdict:
    """The verdict on the program of a seed; each fourth to second order."""
    return check(generate(seed), seed, second=seed % 4 == 0)
