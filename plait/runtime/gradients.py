"""Functions that give gradients of functions, by playing a tape."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from plait.ir.derivatives.define import like
from plait.ir.errors import SignatureError
from plait.ir.frames import boundary
from plait.runtime.played import (
    Derived,
    checked_argnums,
    checked_params,
    demand_callable,
    gradients_or_zeros,
    play_here,
    scalar_payload,
    split_aux,
    with_graph,
)
from plait.runtime.tape import cotangents_for, eagerly, fitting, payloads_of_targets
from plait.runtime.variable import Variable
from plait.tracer import Tensor, flatten, recorder, wrap_shared


@boundary
def gradients_function(
    f: Callable[..., Any], params: Sequence[int | str] | None = None
) -> Derived[list[Any]]:
    """The function that gives the gradients of ``f`` with respect to its arguments, as a list.

    Parameters
    ----------
    f : callable
        Gives a floating tensor, or a nest of them; of more than one element, the gradient is that
        of the sum.
    params : sequence of int or str, optional
        Positions or names of the arguments; all positional ones by default.

    Returns
    -------
    callable
        Takes the arguments of ``f`` (Python floats, arrays, tensors or nests of them); gives a list
        with one gradient for each, in the structure of the argument. None stands for an argument
        that the result does not depend on.

    Raises
    ------
    DTypeError
        When it is called: an integer argument, or a result that is no floating tensor.

    Examples
    --------
    >>> def square(x):
    ...     return pl.multiply(x, x)
    >>> pl.gradients_function(square)(3.0)
    [pl.Tensor(6., dtype=float32)]
    """
    demand_callable(f, "gradients_function")

    @functools.wraps(f, updated=())
    @boundary
    def _gradients(*args: Any, **kwargs: Any) -> list[Any]:
        return _pulled(f, params, args, kwargs)[1]

    return with_graph(_gradients, "gradients")


@boundary
def value_and_gradients_function(
    f: Callable[..., Any], params: Sequence[int | str] | None = None
) -> Derived[tuple[Any, list[Any]]]:
    """As ``gradients_function``, but gives what ``f`` returned, too.

    Examples
    --------
    >>> pl.value_and_gradients_function(lambda x: x * x)(3.0)
    (pl.Tensor(9., dtype=float32), [pl.Tensor(6., dtype=float32)])
    """
    demand_callable(f, "value_and_gradients_function")

    @functools.wraps(f, updated=())
    @boundary
    def _value_and_gradients(*args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
        return _pulled(f, params, args, kwargs)

    return with_graph(_value_and_gradients, "gradients")


def _pulled(f: Any, params: Any, args: tuple[Any, ...], kwargs: Any) -> tuple[Any, list[Any]]:
    """What ``f`` returns, and its gradients."""
    if recorder() is not None:
        found: tuple[Any, list[Any]] = eagerly(_pulled)(f, params, args, kwargs)
        return found
    positions = range(len(args)) if params is None else checked_params(params, args, kwargs)
    played = play_here(f, args, kwargs, positions)
    targets = payloads_of_targets(played.result)
    pulled = played.pull(targets, cotangents_for(played.result, targets, None))
    made: list[Any] = []
    for x in pulled:
        made.append(None if x is None else wrap_shared(x))
    gradients: list[Any] = played.nest(made)
    return played.result, gradients


@boundary
def implicit_gradients(f: Callable[..., Any]) -> Derived[list[tuple[Tensor, Variable]]]:
    """The function that gives the gradients of ``f`` with respect to the variables that it reads.

    Parameters
    ----------
    f : callable
        Gives a floating tensor, a loss.

    Returns
    -------
    callable
        Takes the arguments of ``f``; gives a list of pairs of a gradient and its variable, for all
        trainable variables that ``f`` read, in the order of their first reading. The gradient of
        one that the result does not depend on is zero.

    Examples
    --------
    >>> w = pl.Variable([1.0, 2.0], name="w")
    >>> pairs = pl.implicit_gradients(lambda x: pl.sum(w * x))(3.0)
    >>> [(g, v.name) for g, v in pairs]
    [(pl.Tensor([3., 3.], dtype=float32, shape=(2,)), 'w')]
    """
    both = implicit_value_and_gradients(f)

    @functools.wraps(f, updated=())
    @boundary
    def _gradients(*args: Any, **kwargs: Any) -> list[tuple[Tensor, Variable]]:
        found: list[tuple[Tensor, Variable]] = both(*args, **kwargs)[1]
        return found

    return with_graph(_gradients, "gradients")


@boundary
def implicit_value_and_gradients(
    f: Callable[..., Any],
) -> Derived[tuple[Any, list[tuple[Tensor, Variable]]]]:
    """As ``implicit_gradients``, but gives what ``f`` returned, too.

    Examples
    --------
    >>> w = pl.Variable(2.0)
    >>> value, pairs = pl.implicit_value_and_gradients(lambda x: w * x)(3.0)
    >>> value, pairs[0][0]
    (pl.Tensor(6., dtype=float32), pl.Tensor(3., dtype=float32))
    """
    demand_callable(f, "implicit_gradients")

    @functools.wraps(f, updated=())
    @boundary
    @eagerly
    def _value_and_gradients(
        *args: Any, **kwargs: Any
    ) -> tuple[Any, list[tuple[Tensor, Variable]]]:
        played = play_here(f, args, kwargs, (), variables=True)
        targets = payloads_of_targets(played.result)
        variables = list(played.recording.variables.values())
        sources = [payload for _, payload in variables]
        cotangents = cotangents_for(played.result, targets, None)
        found = played.recording.pullback(targets, cotangents, sources)
        made = [
            wrap_shared(like(x, 0) if g is None else g) for x, g in zip(sources, found, strict=True)
        ]
        return played.result, [(g, v) for g, (v, _) in zip(made, variables, strict=True)]

    return with_graph(_value_and_gradients, "gradients")


@boundary
def grad(
    fun: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Derived[Any]:
    """The function that gives the gradient of ``fun``, in JAX's convention.

    Parameters
    ----------
    fun : callable
        Gives a floating tensor of one element; with ``has_aux`` a pair of it and anything else.
    argnums : int or sequence of int, default 0
        The arguments to differentiate with respect to: floating tensors, or nests of them.
    has_aux : bool, default False

    Returns
    -------
    callable
        Takes the arguments of ``fun``; gives the gradient in the structure of the argument, or a
        tuple for several ``argnums``; with ``has_aux`` a pair of that and what else ``fun``
        returned. Where the result does not depend on an argument, the gradient is zero. Of complex
        arguments u + iv it is df/du - i df/dv, as in JAX.

    Raises
    ------
    ShapeError, DTypeError
        When it is called: a result of more than one element, or that is not floating; an argument
        of integers.

    Examples
    --------
    >>> pl.grad(lambda p: pl.sum(p["w"] * p["w"]))({"w": pl.constant([1.0, 2.0])})
    {'w': pl.Tensor([2., 4.], dtype=float32, shape=(2,))}
    """
    both = value_and_grad(fun, argnums, has_aux)

    @functools.wraps(fun, updated=())
    @boundary
    def _gradient(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return with_graph(_gradient, "grad")


@boundary
def value_and_grad(
    fun: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Derived[Any]:
    """As ``grad``, but gives a pair of what ``fun`` returned and the gradient.

    Examples
    --------
    >>> pl.value_and_grad(lambda x: x * x)(3.0)
    (pl.Tensor(9., dtype=float32), pl.Tensor(6., dtype=float32))
    """
    demand_callable(fun, "grad")

    @functools.wraps(fun, updated=())
    @boundary
    @eagerly
    def _value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        positions = checked_argnums(argnums, args)
        played = play_here(fun, args, kwargs, positions)
        value, _ = split_aux(played.result, has_aux)
        target = scalar_payload(value)
        found = played.pull([target], [like(target, 1)])
        gradients = played.nest(gradients_or_zeros(played, found))
        return played.result, gradients[0] if isinstance(argnums, int) else tuple(gradients)

    return with_graph(_value_and_gradient, "grad")


@boundary
def vjp(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of a function, and the function that pulls cotangents back to its arguments.

    Parameters
    ----------
    fun : callable
        Gives a floating or complex tensor, or a nest of them; with ``has_aux`` a pair of that and
        anything else.
    *primals : Tensor, or nested containers of tensors
        Its arguments.
    has_aux : bool, default False

    Returns
    -------
    value : as ``fun`` gives it
    pull : callable
        Takes cotangents in the structure, shapes and dtypes of ``value``; gives a tuple with the
        cotangents of each argument. It may be called any number of times.
    aux : Any
        With ``has_aux`` only.

    Examples
    --------
    >>> value, pull = pl.vjp(lambda x, y: x * y, pl.constant(2.0), pl.constant(5.0))
    >>> pull(1.0)
    (pl.Tensor(5., dtype=float32), pl.Tensor(2., dtype=float32))
    """
    demand_callable(fun, "vjp")
    return _vjp(fun, primals, has_aux)


@eagerly
def _vjp(fun: Callable[..., Any], primals: tuple[Any, ...], has_aux: bool) -> Any:
    played = play_here(fun, primals, {}, range(len(primals)))
    value, aux = split_aux(played.result, has_aux)
    leaves, tree = flatten(value)
    targets = payloads_of_targets(value)

    @boundary
    @eagerly
    def pull(cotangents: Any) -> Any:
        given, found_tree = flatten(cotangents)
        if found_tree != tree:
            raise SignatureError(
                f"vjp: the cotangents must have the structure of the result, {len(leaves)} "
                f"tensor(s); found {len(given)} in another structure"
            )
        there = [g for g, leaf in zip(given, leaves, strict=True) if leaf is not None]
        fitted = [fitting(g, x, "cotangent") for g, x in zip(there, targets, strict=True)]
        found = played.pull(targets, fitted)
        return tuple(played.nest(gradients_or_zeros(played, found)))

    return (value, pull, aux) if has_aux else (value, pull)


__all__ = [
    "grad",
    "gradients_function",
    "implicit_gradients",
    "implicit_value_and_gradients",
    "value_and_grad",
    "value_and_gradients_function",
    "vjp",
]
