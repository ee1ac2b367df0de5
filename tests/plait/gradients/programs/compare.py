"""Compare the gradients of programs, in all ways of computing them, with jax's."""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

import plait as pl
from tests.plait.gradients.programs.table import Program, Table

FAMILIES = (
    "recurrent",
    "attention",
    "vision",
    "iterations",
    "physics",
    "optimizers",
    "statistics",
    "language",
)
RTOL, ATOL = 1e-7, 1e-9
#: The numbers are compared, not the speed.
QUICK: dict[str, str | bool] = {
    "xla_backend_optimization_level": "0",
    "xla_llvm_disable_expensive_passes": True,
}


def family(name: str) -> Table:
    """The programs of a family."""
    found: Table = importlib.import_module(f"tests.plait.gradients.programs.{name}").PROGRAMS
    return found


def moved(make: Callable[[Any], Any], value: Any) -> Any:
    """Nests of arrays, with each array in another library; Python values stay."""
    if isinstance(value, np.ndarray):
        return make(value)
    if isinstance(value, dict):
        return {k: moved(make, v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(moved(make, v) for v in value)
    return value


def tensors(args: Any) -> Any:
    """Arguments for Plait."""
    return moved(pl.asarray, args)


def arrays(value: Any) -> list[Any]:
    """The arrays of a nest, in order of keys."""
    if isinstance(value, dict):
        return [x for k in sorted(value) for x in arrays(value[k])]
    if isinstance(value, (list, tuple)):
        return [x for v in value for x in arrays(v)]
    return [np.asarray(value)]


def directions(args: Any, seed: int = 7) -> Any:
    """A direction for each array."""
    random = np.random.default_rng(seed)
    return moved(lambda x: np.asarray(random.normal(size=x.shape), x.dtype), args)


def agree(found: Any, wanted: Any, what: str) -> None:
    """Demand equal numbers."""
    one, other = arrays(found), arrays(wanted)
    assert len(one) == len(other), what
    for i, (a, b) in enumerate(zip(one, other, strict=True)):
        assert a.dtype == b.dtype, f"{what}, {i}: {a.dtype}, wanted {b.dtype}"
        assert a.shape == b.shape, f"{what}, {i}: {a.shape}, wanted {b.shape}"
        scale = float(np.max(np.abs(b), initial=0.0))
        np.testing.assert_allclose(
            a, b, rtol=RTOL, atol=ATOL * max(scale, 1.0), err_msg=f"{what}, {i}"
        )


def paired(gradients: Any, along: Any) -> Any:
    """The sum of products of gradients and a direction, in either library."""
    if isinstance(gradients, dict):
        return sum(paired(gradients[k], along[k]) for k in sorted(gradients))
    if isinstance(gradients, (list, tuple)):
        return sum(paired(g, v) for g, v in zip(gradients, along, strict=True))
    product = (gradients * along).sum()
    return product.real if product.dtype.kind == "c" else product


def wanted(program: Program, seeds: tuple[int, ...]) -> list[Any]:
    """For each seed what jax gives: the value, the gradients, and how these change."""
    numbers = tuple(range(program.differentiated))
    both = jax.value_and_grad(program.twin, numbers)
    along = jax.grad(lambda v, *args: paired(both(*args)[1], v), tuple(i + 1 for i in numbers))
    draws = [program.arguments(seed) for seed in seeds]
    # What is neither an array nor a nest of them is static.
    static = [i for i, x in enumerate(draws[0]) if isinstance(x, (int, float, bool, str))]

    def everything(v: Any, *args: Any) -> Any:
        value, gradients = both(*args)
        return value, gradients, along(v, *args) if program.second else None

    with jax.enable_x64(True):
        made = jax.jit(everything, static_argnums=[i + 1 for i in static])
        found, compiled = [], {}
        for args in draws:
            mine = directions(args[: program.differentiated])
            key = tuple(args[i] for i in static)
            if key not in compiled:
                compiled[key] = made.lower(mine, *args).compile(compiler_options=QUICK)
            rest = [x for i, x in enumerate(args) if i not in static]
            found.append(jax.tree.map(np.asarray, compiled[key](mine, *rest)))
    return found


def ways(program: Program) -> dict[str, Callable[..., Any]]:
    """The value and the gradients of a program, computed in several ways."""
    f, numbers = program.function, tuple(range(program.differentiated))
    compiled = functools.partial(pl.graph_function, fullgraph=program.fullgraph)
    backend = "xla" if program.xla else "planned"
    return {
        "eager": pl.value_and_grad(f, numbers),
        "gradient compiled": compiled(pl.value_and_grad(f, numbers), backend=backend),
        "of compiled": pl.value_and_grad(compiled(f, backend=backend), numbers),
    }


def check_program(program: Program) -> None:
    """Compare one program's value and gradients, and how they change."""
    with warnings.catch_warnings():
        if not program.fullgraph:
            warnings.simplefilter("ignore", pl.errors.GraphBreakWarning)
        _check_program(program)


def _check_program(program: Program, seeds: tuple[int, ...] = (0, 1, 2)) -> None:
    made = ways(program)
    numbers = tuple(range(program.differentiated))
    for seed, (value, gradients, change) in zip(seeds, wanted(program, seeds), strict=True):
        args = program.arguments(seed)
        for way, function in made.items():
            found = function(*tensors(args))
            what = f"{program.name}, {way}, seed {seed}"
            agree(found[0], value, f"{what}: value")
            agree(found[1], gradients, f"{what}: gradient")
        if program.second and seed == seeds[0]:
            check_second(program, made, args, change)
        if seed == seeds[0]:
            check_forward(program, args, paired(gradients, directions(args[: len(numbers)])))


def check_second(
    program: Program, made: dict[str, Callable[..., Any]], args: tuple[Any, ...], change: Any
) -> None:
    """Compare how the gradients change along a direction."""
    numbers = tuple(range(program.differentiated))
    along = tensors(directions(args[: len(numbers)]))
    compiled = sorted(set(made) - {"eager"})
    for way in ("eager", compiled[len(program.name) % 2]):

        def slope(*given: Any, function: Callable[..., Any] = made[way]) -> Any:
            return paired(function(*given)[1], along)

        found = pl.grad(slope, numbers)(*tensors(args))
        agree(found, change, f"{program.name}, {way}: second order")


def check_forward(program: Program, args: tuple[Any, ...], change: Any) -> None:
    """Compare how the value changes along a direction, by forward mode."""
    count = program.differentiated
    given, along = tensors(args), tensors(directions(args[:count]))
    backend = "planned"
    for f in (program.function, pl.graph_function(program.function, backend=backend)):

        def call(*mine: Any, f: Callable[..., Any] = f) -> Any:
            return f(*mine, *given[count:])

        found = pl.jvp(call, given[:count], along)[1]
        agree(found, change, f"{program.name}: forward mode")
