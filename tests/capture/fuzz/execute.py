"""Run a program's ``main`` some times and note all that can be seen of it."""

from __future__ import annotations

import builtins
import contextlib
import dis
import io
import itertools
import linecache
import random
import signal
import threading
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import plait as pl

CALLS = 3
LIMIT_S = 20.0


class Hang(BaseException):
    """A program took too long."""


@dataclass(frozen=True)
class Outcome:
    """One call: what it gave or raised, what it left behind, what it printed."""

    result: Any = None
    error: tuple[str, int] | None = None
    left: Any = None
    printed: str = ""
    message: str = ""
    refused: bool = False
    broken: str = ""


def load(source: str, seed: int, namespace: Any) -> dict[str, Any]:
    """Run the program's text as a module; ``inspect`` finds its source, as that of a cell."""
    name = f"<random program {seed}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    module = types.ModuleType(f"random_program_{seed}")
    module.__dict__.update(xp=namespace, np=np, __file__=name)
    exec(compile(source, name, "exec"), module.__dict__)
    return module.__dict__


def arguments(seed: int, call: int, namespace: Any, box: Any) -> tuple[Any, ...]:
    """The arguments of one call; those of the first two differ in tensors alone."""
    values = random.Random(seed * 10 + call)
    shapes = random.Random(seed * 10 + max(call - 1, 0))

    def floats(*shape: int) -> Any:
        count = int(np.prod(shape))
        numbers = [values.randint(-6, 6) / 2 for _ in range(count)]
        return namespace.asarray(np.array(numbers, "float32").reshape(shape))

    def integers(*shape: int) -> Any:
        count = int(np.prod(shape))
        numbers = [values.randint(-4, 4) for _ in range(count)]
        return namespace.asarray(np.array(numbers, "int32").reshape(shape))

    table = {"v": floats(3), "n": shapes.randint(0, 4), "s": floats()}
    if shapes.random() < 0.3:
        table["extra"] = 2
    return (
        floats(3),
        floats(2, 3),
        floats(),
        integers(),
        integers(3),
        shapes.randint(-1, 4),
        shapes.randint(-4, 8) / 4,
        shapes.random() < 0.5,
        [floats(3) for _ in range(shapes.randint(1, 3))],
        table,
        box(floats(3), floats(), shapes.randint(0, 4)),
    )


def freeze(value: Any) -> Any:
    """A value in a form that compares: arrays by class, dtype, shape and contents."""
    if isinstance(value, (np.ndarray, np.generic, pl.Tensor)):
        array = np.asarray(value)
        family = "tensor" if isinstance(value, pl.Tensor) else "array"
        numbers = (array + 0).ravel().tolist() if array.dtype != bool else array.ravel().tolist()
        return (family, str(array.dtype), array.shape, [0.0 if v == 0 else v for v in numbers])
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, [freeze(v) for v in value])
    if isinstance(value, dict):
        return ("dict", [(k, freeze(v)) for k, v in value.items()])
    if type(value).__name__ == "Box":
        return ("Box", [(k, freeze(v)) for k, v in sorted(vars(value).items())])
    return (type(value).__name__, value)


def _places(error: BaseException) -> Iterator[tuple[str, int]]:
    """File and line of each frame that an error went through.

    CPython 3.11 and 3.12 load a name in one step with the store before it: an unbound one is said
    to be at the line of the store.
    """
    trace = error.__traceback__
    while trace is not None:
        code, line = trace.tb_frame.f_code, trace.tb_lineno
        if isinstance(error, UnboundLocalError):
            steps = list(dis.get_instructions(code, adaptive=True))
            for step, following in itertools.pairwise(steps):
                if step.offset == trace.tb_lasti and step.opname == "STORE_FAST__LOAD_FAST":
                    line = (following.positions and following.positions.lineno) or line
        yield code.co_filename, line
        trace = trace.tb_next


def describe_error(error: BaseException, file: str) -> tuple[str, int]:
    """The built-in class of an error, and the deepest line of the program that it names."""
    family = next(c for c in type(error).__mro__ if vars(builtins).get(c.__name__) is c)
    lines = [line for name, line in _places(error) if name == file]
    location = getattr(error, "location", None)
    if location is not None and isinstance(error, pl.errors.PlaitError):
        lines.append(getattr(location, "line", 0) or 0)
    return family.__name__, lines[-1] if lines else 0


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise ``Hang`` in what takes longer; in the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def late(*_: Any) -> None:
        raise Hang(f"took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def observe(
    function: Callable[..., Any], given: tuple[Any, ...], module: dict[str, Any]
) -> Outcome:
    """Call the function once."""
    printed, result, error, message, refused = io.StringIO(), None, None, "", False
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(printed):
            warnings.simplefilter("ignore")
            result = function(*given)
    except Exception as found:
        error = describe_error(found, module["__file__"])
        message = "".join(traceback.format_exception(found))
        leaked = isinstance(found, pl.errors.LeakedTracerError)
        refused = isinstance(found, pl.errors.TraceError) and not leaked
    outside = [module[name] for name in ("COUNT", "BIAS", "STATE")]
    left = None if error else freeze([*given, *outside])
    text = printed.getvalue().replace("-0.", "0.") if "-0." in printed.getvalue() else None
    text = printed.getvalue() if text is None else text
    return Outcome(freeze(result), error, left, text, message, refused)


def run(source: str, seed: int, namespace: Any, wrap: Callable[[Any], Any]) -> list[Outcome]:
    """Call ``main`` some times, until it raises."""
    module = load(source, seed, namespace)
    function = wrap(module["main"])
    outcomes: list[Outcome] = []
    for call in range(CALLS):
        given = arguments(seed, call, namespace, module["Box"])
        with limited(LIMIT_S):
            outcomes.append(observe(function, given, module))
        if outcomes[-1].error:
            break
    breaks = function.explain(fixes=False).breaks if hasattr(function, "explain") else ()
    if breaks:
        outcomes[-1] = replace(outcomes[-1], broken=breaks[0].reason)
    return outcomes
