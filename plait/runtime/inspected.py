"""``f.inspect``: what compiled functions offer to look at; layers above this one make the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from plait.ir.frames import boundary

_inspectors: dict[str, Callable[..., Any]] = {}


def register_inspector(kind: str, inspector: Callable[..., Any]) -> None:
    """Say who makes pages: about a ``"function"``, or about the two passes of a ``"gradient"``."""
    _inspectors[kind] = inspector


def page_about(kind: str, *parts: Any) -> Any:
    """The page about something."""
    return _inspectors[kind](*parts)


class Inspected:
    """A compiled function that can be looked at."""

    __slots__ = ()

    @boundary
    def inspect(self, /, *args: Any, grad: bool = False, **kwargs: Any) -> Any:
        """A page about the compilation for these arguments or specs, which a notebook shows.

        Source and graph side by side, linked both ways; each pass with what it changed, by which
        rule, at which line; costs as colors; the memory plan over time. One HTML file that needs
        nothing else.

        Parameters
        ----------
        *args, **kwargs
            As for ``trace``.
        grad : bool
            Whether to show the graph that also gives the gradients of all floating arguments and
            trainable variables: forward and backward together.

        Returns
        -------
        Inspection
            ``.save(path)`` writes the page, ``.html`` is its text.

        Examples
        --------
        >>> double = pl.graph_function(lambda x: x + x, name="double")
        >>> double.inspect("f32[3]")
        <inspection of double: traced, dce, inline, simplify, optimized, plan>
        """
        function: Any = self
        if not args and not kwargs and function.signature is not None:
            args, kwargs = function.signature
        program = function.trace(*args, **kwargs)._program
        gradient = None
        if grad:
            from plait.runtime.played import all_gradients

            gradient = all_gradients(function).trace(*args, **kwargs)._program
        return page_about("function", function, program, gradient)


__all__ = ["Inspected", "page_about", "register_inspector"]
