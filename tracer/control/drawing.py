"""Draws of random numbers while a function is captured: only what each call would draw again."""

from __future__ import annotations

from typing import Any

from plait.tracer.control import impure
from plait.tracer.outcome import Break, stop


def call_impure(
    trace: Any, reason: str, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Draw from a generator that the trace itself has made of a seed; refuse all else.

    Raises
    ------
    Break, Restart
        Another call gives another result, or each iteration of a loop does.
    """
    seeded = trace.root.seeded
    if impure.is_seeding(function, args):
        made = function(*args, **kwargs)
        seeded[id(made)] = made
        return made
    owners = (getattr(function, "__self__", None), *args[:1])  # bound, or called by the class
    if not any(id(owner) in seeded for owner in owners):
        raise stop(trace, Break(reason))
    return draw(trace, reason, function, args, kwargs)


def draw(
    trace: Any, reason: str, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Draw from a generator of the trace, which each iteration of a loop would do anew."""
    for region in trace.root.regions:
        region.avoid("it draws random numbers while it is traced")
        raise stop(
            trace, Break(f"{reason} in a branch or a loop on a tensor's value; use pl.random")
        )
    return function(*args, **kwargs)


__all__ = ["call_impure", "draw"]
