"""The gradient tape: records what is computed from watched tensors, and plays it backwards."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, ParamSpec, Self, TypeVar

import numpy as np

from plait.ir import dispatch, functions, is_complex, is_inexact
from plait.ir.autodiff.recording import Recording
from plait.ir.derivatives.define import like
from plait.ir.errors import DTypeError, ShapeError, TraceError, UnknownNameError
from plait.ir.frames import boundary, public_methods
from plait.runtime.variable import Variable
from plait.tracer import (
    Tensor,
    flatten,
    freeze,
    recorded,
    recorder,
    uncaptured,
    unflatten,
    unwrap,
    wrap,
    wrap_shared,
)

P = ParamSpec("P")
R = TypeVar("R")
UNCONNECTED = ("none", "zero", "error")


def eager_from_here(scopes: ExitStack) -> None:
    """Where ops are recorded lazily, run what is pending and go on eagerly."""
    if (running := recorder()) is not None:
        running.flush()
        scopes.enter_context(dispatch.use(dispatch.EAGER))


def eagerly(function: Callable[P, R]) -> Callable[P, R]:
    """The function, which runs eagerly where ops are recorded lazily: tapes know arrays only."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if recorder() is None:
            return function(*args, **kwargs)
        with ExitStack() as scopes:
            eager_from_here(scopes)
            return function(*args, **kwargs)

    return run


@public_methods
class GradientTape:
    """Records what is computed from watched tensors and variables, for gradients of it.

    Use it as a context manager. Compiled functions that are called inside are differentiated
    through; inside a compiled function the gradients become part of its graph. Tapes nest: what
    ``gradient`` computes while an outer tape records can be differentiated again; to the tape
    itself it is a constant. So is what leaves tensors: ``numpy()``, ``float()``, NumPy's ``out=``
    arrays, and functions of other libraries. A tape records what its own thread computes.

    Parameters
    ----------
    persistent : bool, default False
        Whether ``gradient`` may be called more than once.
    watch_variables : bool, default True
        Whether trainable variables are watched when they are read.

    Examples
    --------
    >>> x = pl.constant(3.0)
    >>> with pl.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = x * x
    >>> tape.gradient(y, x)
    pl.Tensor(6., dtype=float32)
    """

    def __init__(self, persistent: bool = False, watch_variables: bool = True) -> None:
        self._persistent = persistent
        self._watches_variables = watch_variables
        self._recording: Recording | None = None
        self._is_spent = False
        self._scopes = ExitStack()
        self._block: AbstractContextManager[None] | None = None
        self._is_open = False
        self._home: Any = None  # who runs what is recorded

    @boundary
    def __enter__(self) -> Self:
        if self._is_open:
            raise TraceError("this tape records already; open another one")
        if self._recording is not None:
            self._demand_home()
        self._open()
        return self

    def _open(self) -> None:
        eager_from_here(self._scopes)
        if self._recording is None:
            self._recording, self._home = _new(self._watches_variables), dispatch.current()
        self._block = self._recording.recording()
        self._block.__enter__()
        self._is_open = True

    def _close(self) -> None:
        if self._block is not None:
            self._block.__exit__(None, None, None)
            self._block = None
        self._scopes.close()

    def __exit__(self, *failure: Any) -> None:
        self._is_open = False
        self._close()

    def reset(self) -> None:
        """Forget all that was recorded and watched."""
        self._close()
        self._recording, self._is_spent = None, False
        if self._is_open:
            self._open()

    def watch(self, *tensors: Any) -> None:
        """Record what is computed from tensors from here on.

        Parameters
        ----------
        *tensors : Tensor or Variable, or nested containers of them
            Floating or complex.

        Raises
        ------
        DTypeError
            Of another dtype, or no tensor.
        TraceError
            The tape does not record here.
        """
        recording = self._recording
        if not self._is_open or recording is None or recording not in dispatch.tapes():
            raise uncaptured(TraceError("watch: this tape does not record here; use it in a with"))
        for leaf in flatten(tensors)[0]:
            demand_differentiable(leaf, "watch")
            if type(leaf) is not Tensor and isinstance(leaf, Variable):
                recording.variable_payload(leaf, unwrap(leaf))
            else:
                recorded.watch(recording, leaf)

    def stop_recording(self) -> AbstractContextManager[None]:
        """Record nothing inside the block.

        Examples
        --------
        >>> x = pl.constant(2.0)
        >>> with pl.GradientTape() as tape:
        ...     tape.watch(x)
        ...     with tape.stop_recording():
        ...         factor = x * 10
        ...     y = factor * x
        >>> tape.gradient(y, x)
        pl.Tensor(20., dtype=float32)
        """
        return dispatch.paused(self._found())

    def watched_variables(self) -> tuple[Variable, ...]:
        """The variables that were watched, in the order of their first reading."""
        return tuple([variable for variable, _ in self._found().variables.values()])

    @eagerly
    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected: str = "none",
    ) -> Any:
        """The gradient of a target, or of the sum of several, with respect to sources.

        Parameters
        ----------
        target : Tensor, or nested containers of tensors
            Floating; of more than one element, the gradient is that of the sum.
        sources : Tensor or Variable, or nested containers of them
        output_gradients : as target, optional
            Weights of the target's elements, of its shape; 1 by default.
        unconnected : str
            What stands for the gradient of a source that the target does not depend on: ``"none"``
            gives None, ``"zero"`` zeros, ``"error"`` raises.

        Returns
        -------
        Tensor, or containers as ``sources``
            Of the dtypes and shapes of the sources.

        Raises
        ------
        DTypeError
            An integer or bool target or source; a complex target without ``output_gradients``.
        ShapeError
            Output gradients of another shape.
        TraceError
            The second call on a tape that is not persistent.

        Examples
        --------
        >>> x, w = pl.constant([1.0, 2.0]), pl.Variable([3.0, 4.0])
        >>> with pl.GradientTape() as tape:
        ...     y = pl.sum(x * w * w)
        >>> tape.gradient(y, {"w": w, "x": x})
        {'w': pl.Tensor([ 6., 16.], dtype=float32, shape=(2,)), 'x': None}
        """
        demand_way(unconnected)
        leaves, tree = flatten(sources)
        found = self._pull(target, leaves, output_gradients)
        made = [
            self._unconnected(leaf, target, unconnected) if x is None else wrap_shared(x)
            for leaf, x in zip(leaves, found, strict=True)
        ]
        return unflatten(tree, made)

    @eagerly
    def jacobian(self, target: Any, sources: Any, unconnected: str = "none") -> Any:
        """The derivatives of each element of a target with respect to each of sources.

        Parameters
        ----------
        target : Tensor
            Floating.
        sources : Tensor or Variable, or nested containers of them
        unconnected : str
            As for ``gradient``.

        Returns
        -------
        Tensor, or containers as ``sources``
            The shape of the target, then that of the source.

        Raises
        ------
        DTypeError, TraceError
            As for ``gradient``.

        Examples
        --------
        >>> x = pl.constant([1.0, 2.0])
        >>> with pl.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = x * x
        >>> tape.jacobian(y, x)
        pl.Tensor([[2., 0.],
                   [0., 4.]], dtype=float32, shape=(2, 2))
        """
        from plait.runtime.derivatives import by_rows

        demand_way(unconnected)
        leaves, tree = flatten(sources)
        recording, wanted = self._to_play(), payload_of_target(target)
        found = [self._source(leaf) for leaf in leaves]
        payloads = [unwrap(x) if s is None else s for x, s in zip(leaves, found, strict=True)]
        rows, reached = by_rows(recording, wanted, payloads)
        made = []
        for i, (leaf, row) in enumerate(zip(leaves, rows, strict=True)):
            if i in reached or unconnected == "zero":
                made.append(wrap(row))
            else:
                made.append(self._unconnected(leaf, target, unconnected))
        return unflatten(tree, made)

    def _pull(self, target: Any, leaves: list[Any], output_gradients: Any) -> list[Any]:
        recording = self._to_play()
        targets = payloads_of_targets(target)
        cotangents = cotangents_for(target, targets, output_gradients)
        sources = [self._source(leaf) for leaf in leaves]
        return recording.pullback(targets, cotangents, sources)

    def _to_play(self) -> Recording:
        recording = self._found()
        if self._is_spent:
            raise TraceError(
                "this tape has been played; make it with persistent=True to play it again"
            )
        self._demand_home()
        if not self._persistent:
            self._is_spent = True
        return recording

    def _demand_home(self) -> None:
        """Demand that what runs here runs where the tape has recorded."""
        here = dispatch.EAGER if recorder() is not None else dispatch.current()
        if here is self._home:
            return
        if self._home is dispatch.EAGER:
            found = "this tape has recorded outside of the compiled function; open one inside"
        elif self._found().is_inside:
            found = (
                "a gradient is asked for inside a branch or a loop on a tensor's value, of a tape "
                "that was opened outside of it; open the tape inside"
            )
        else:
            raise TraceError(
                "this tape has recorded inside a compiled function; ask for gradients there, or "
                "reset() the tape"
            )
        raise uncaptured(TraceError(found))

    def _source(self, leaf: Any) -> Any:
        recording = self._found()
        known = recording.watched.get(id(leaf))
        if known is not None:
            return known[1]
        demand_differentiable(leaf, "gradient")
        if type(leaf) is not Tensor and isinstance(leaf, Variable):
            known = recording.variables.get(id(leaf))
            return None if known is None else known[1]
        return unwrap(leaf)

    def _unconnected(self, leaf: Any, target: Any, how: str) -> Any:
        if how == "none":
            return None
        if how == "zero":
            return wrap(like(unwrap(leaf), 0))
        raise TraceError(f"the target does not depend on a source: {self.explain(target, leaf)}")

    @eagerly
    def explain(self, target: Any, source: Any) -> str:
        """How a target depends on a source, or where the path between them breaks.

        Examples
        --------
        >>> x = pl.constant([1.0, 5.0])
        >>> with pl.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = pl.astype(pl.argmax(x), "float32") * 2
        >>> "argmax" in tape.explain(y, x)
        True
        """
        from plait.runtime.paths import explain_path

        payloads = payloads_of_targets(target)
        return explain_path(self._found(), payloads, self._source(source))

    def _found(self) -> Recording:
        if self._recording is None:
            raise TraceError("this tape has recorded nothing; use it as a context manager")
        return self._recording


def _new(watches_variables: bool) -> Recording:
    made = Recording()
    made.watches_variables = watches_variables
    return made


def demand_way(unconnected: str) -> None:
    """Demand one of the ways to give the gradient of an unconnected source."""
    if unconnected not in UNCONNECTED:
        raise UnknownNameError(
            f"unconnected must be one of {', '.join(UNCONNECTED)}, got {unconnected!r}"
        )


def demand_differentiable(leaf: Any, what: str) -> None:
    """Demand a floating or complex tensor or variable.

    Raises
    ------
    DTypeError
        It is none.
    """
    if type(leaf) is Tensor and is_inexact(leaf._data.dtype):
        return
    if not isinstance(leaf, (Tensor, Variable)):
        raise DTypeError(f"{what}: expected a tensor or a variable, got {type(leaf).__name__}")
    if not is_inexact(leaf.dtype):
        raise DTypeError(
            f"{what}: only floating and complex tensors have gradients, this one is "
            f"{leaf.dtype.name}; cast it with astype('float32')"
        )


def payload_of_target(leaf: Any) -> Any:
    """The payload of a tensor that is differentiated.

    Raises
    ------
    DTypeError
        It is not floating or complex.
    """
    if type(leaf) is not Tensor and isinstance(leaf, (float, complex)):
        return functions.constant(leaf)
    if not hasattr(leaf, "dtype") or not hasattr(leaf, "shape"):
        raise DTypeError(f"gradient: expected a floating tensor as target, got {_kind(leaf)}")
    if not is_inexact(leaf.dtype):
        raise DTypeError(
            f"gradient: a target of {leaf.dtype.name} has no gradient; differentiate a floating one"
        )
    return unwrap(leaf)


def payloads_of_targets(nest: Any) -> list[Any]:
    """The payloads of the tensors in a nest that is differentiated, None left out.

    Raises
    ------
    DTypeError
        There is none; one that is not floating or complex.
    """
    if type(nest) is Tensor and is_inexact(nest._data.dtype):
        return [unwrap(nest)]
    found = [payload_of_target(leaf) for leaf in flatten(nest)[0] if leaf is not None]
    if not found:
        raise DTypeError("gradient: expected a floating tensor as target, got None")
    return found


def _kind(x: Any) -> str:
    return "None" if x is None else type(x).__name__


def cotangents_for(target: Any, payloads: Sequence[Any], given: Any) -> list[Any]:
    """The cotangents of targets: ones, or those given, as payloads of the targets' types."""
    if given is None:
        for x in payloads:
            if is_complex(x.dtype):
                raise DTypeError(
                    "gradient: a complex target needs output_gradients; differentiate its real "
                    "part or its absolute value"
                )
        return [like(x, 1) for x in payloads]
    leaves = [g for g in flatten(given)[0] if g is not None]
    if len(leaves) != len(payloads):
        raise ShapeError(
            f"output_gradients: expected {len(payloads)}, one for each target, got {len(leaves)}"
        )
    return [fitting(g, x, "output_gradients") for g, x in zip(leaves, payloads, strict=True)]


def fitting(given: Any, wanted: Any, what: str) -> Any:
    """A cotangent or tangent of exactly the dtype and shape of a payload.

    Raises
    ------
    ShapeError, DTypeError
        It has another shape, or a dtype that does not fit.
    """
    payload = functions.constant(unwrap(given)) if not hasattr(given, "shape") else unwrap(given)
    payload = payload if hasattr(payload, "shape") else functions.constant(payload)
    if type(given) is Tensor:
        freeze(given)  # it may become a gradient
    elif type(given) is np.ndarray:
        payload = payload.copy()
    if tuple(payload.shape) != tuple(wanted.shape):
        raise ShapeError(
            f"{what}: expected shape {tuple(wanted.shape)}, got {tuple(payload.shape)}"
        )
    if payload.dtype == wanted.dtype:
        return payload
    if not np.can_cast(payload.dtype, wanted.dtype, "same_kind"):
        raise DTypeError(f"{what}: expected {wanted.dtype.name}, got {payload.dtype.name}")
    return functions.astype(payload, wanted.dtype)


__all__ = [
    "GradientTape",
    "cotangents_for",
    "demand_differentiable",
    "eager_from_here",
    "eagerly",
    "fitting",
    "payload_of_target",
    "payloads_of_targets",
]
