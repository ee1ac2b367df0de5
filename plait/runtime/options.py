"""The options of ``graph_function``, checked once where the user writes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from plait.ir.autodiff.capacity import POLICIES
from plait.ir.errors import SignatureError, UnknownNameError
from plait.tracer import TensorSpec, parse_specs

BACKENDS = ("xla", "planned", "reference")


@dataclass(frozen=True, slots=True)
class Options:
    """How a function is captured and compiled; see ``graph_function``."""

    backend: str = "xla"
    signature: tuple[tuple[Any, ...], dict[str, Any]] | None = None
    static: frozenset[str | int] = frozenset()
    passes: str | None = None
    checks: bool = True
    cache_size: int = 128
    name: str = ""
    max_traces: int | None = None
    fullgraph: bool = False
    residuals: str = "min-cut"


def make_options(
    *,
    backend: str,
    signature: Any,
    static: Any,
    passes: str | None,
    checks: str,
    cache_size: int,
    name: str | None,
    max_traces: int | None,
    fullgraph: bool,
    residuals: str = "min-cut",
) -> Options:
    """Check the options and bring them to one form.

    Raises
    ------
    UnknownNameError
        A backend, a mode or a policy that does not exist.
    SignatureError
        Options of the wrong kind.
    """
    if backend not in BACKENDS:
        raise UnknownNameError(f"unknown backend {backend!r}; there are {', '.join(BACKENDS)}")
    if checks not in ("on", "off"):
        raise UnknownNameError(f'checks is "on" or "off", got {checks!r}')
    demand_policy(residuals)
    if not isinstance(cache_size, int) or cache_size < 1:
        raise SignatureError(f"cache_size is the number of kept graphs, got {cache_size!r}")
    if max_traces is not None and (not isinstance(max_traces, int) or max_traces < 1):
        raise SignatureError(f"max_traces is the number of allowed captures, got {max_traces!r}")
    return Options(
        backend=backend,
        signature=_signature(signature),
        static=_names("static", static),
        passes=passes,
        checks=checks == "on",
        cache_size=cache_size,
        name=name or "",
        max_traces=max_traces,
        fullgraph=bool(fullgraph),
        residuals=residuals,
    )


def demand_policy(residuals: Any) -> None:
    """Demand a way to choose residuals.

    Raises
    ------
    UnknownNameError
        There is none of that name.
    """
    if residuals not in POLICIES:
        raise UnknownNameError(
            f"residuals is one of {', '.join(map(repr, POLICIES))}, got {residuals!r}"
        )


def _signature(given: Any) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    if given is None:
        return None
    if isinstance(given, str):
        return parse_specs(given)
    if isinstance(given, TensorSpec):
        return (given,), {}
    if isinstance(given, dict):
        return (), {k: _spec(v) for k, v in given.items()}
    if isinstance(given, Iterable):
        return tuple(_spec(v) for v in given), {}
    raise SignatureError(
        f"signature is a string such as 'f32[8,16] f32[16]' or a list of specs, got {given!r}"
    )


def _spec(item: Any) -> Any:
    """A spec, from its text form when it is one."""
    if not isinstance(item, str):
        return item
    args, kwargs = parse_specs(item)
    if len(args) != 1 or kwargs:
        raise SignatureError(f"expected one spec such as 'f32[8,16]', got {item!r}")
    return args[0]


def _names(option: str, given: Any) -> frozenset[str | int]:
    if given is None:
        return frozenset()
    items = [given] if isinstance(given, (str, int)) else list(given)
    if any(not isinstance(item, (str, int)) or isinstance(item, bool) for item in items):
        raise SignatureError(f"{option} takes argument names or positions, got {given!r}")
    return frozenset(items)
