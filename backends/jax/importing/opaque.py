"""Primitives that have no ops: jax's own code as a foreign function, which stays whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from plait.backends.jax.importing.rules import (
    Site,
    issubdtype,
    key_implementation,
    type_of_aval,
)
from plait.ir import TensorType, ops

Apply = Callable[..., Sequence[Any]]


class JaxFunction:
    """A function of jax's arrays that an op ``foreign`` holds.

    Attributes
    ----------
    apply : callable
        Takes and gives jax's values; random keys as their data.
    operand_types, result_types : tuple of TensorType
    """

    def __init__(
        self, name: str, apply: Apply, operands: Sequence[TensorType], results: Sequence[TensorType]
    ) -> None:
        self.__module__ = "jax"
        self.__qualname__ = self.__name__ = name
        self.apply = apply
        self.operand_types = tuple(operands)
        self.result_types = tuple(results)
        self._run: Any = None
        self._made: dict[Any, JaxFunction] = {}

    def __call__(self, *arrays: Any) -> tuple[Any, ...]:
        """The results, as ndarrays."""
        if self._run is None:
            self._run = jax.jit(lambda *xs: tuple(self.apply(*xs)))
        with jax.enable_x64(True), jax.default_device(jax.local_devices(backend="cpu")[0]):
            found = self._run(*arrays)
        return tuple(
            [np.asarray(x, t.dtype) for x, t in zip(found, self.result_types, strict=True)]
        )

    def pullback(self, needs: tuple[bool, ...], given: tuple[bool, ...]) -> JaxFunction:
        """The function of the operands, and cotangents of the ``given`` results."""
        key = ("pullback", needs, given)
        if key not in self._made:
            wanted = [i for i, need in enumerate(needs) if need]
            held = [i for i, is_given in enumerate(given) if is_given]
            count = len(self.operand_types)

            def pull(*xs: Any) -> Sequence[Any]:
                operands, cotangents = list(xs[:count]), xs[count:]

                def inner(*changing: Any) -> Any:
                    for i, x in zip(wanted, changing, strict=True):
                        operands[i] = x
                    results = self.apply(*operands)
                    return [results[i] for i in held]

                found: Sequence[Any] = jax.vjp(inner, *[operands[i] for i in wanted])[1](
                    list(cotangents)
                )
                return found

            types = [*self.operand_types, *[self.result_types[i] for i in held]]
            results = [self.operand_types[i] for i in wanted]
            self._made[key] = JaxFunction(f"{self.__name__}_vjp", pull, types, results)
        return self._made[key]

    def batched(self, mapped: tuple[bool, ...], size: int) -> JaxFunction:
        """The function of rows along the first axes of ``mapped`` operands."""
        key = ("batched", mapped, size)
        if key not in self._made:
            axes = tuple([0 if m else None for m in mapped])

            def rows(*xs: Any) -> Sequence[Any]:
                found: Sequence[Any] = jax.vmap(
                    lambda *row: tuple(self.apply(*row)), in_axes=axes, axis_size=size
                )(*xs)
                return found

            pairs = zip(self.operand_types, mapped, strict=True)
            types = [t.with_shape((size, *t.shape)) if m else t for t, m in pairs]
            results = [t.with_shape((size, *t.shape)) for t in self.result_types]
            self._made[key] = JaxFunction(f"{self.__name__}_rows", rows, types, results)
        return self._made[key]

    def __repr__(self) -> str:
        return f"<jax function {self.__name__}>"


def apply_equation(equation: Any) -> Callable[..., list[Any]]:
    """The function of jax's values that one equation of a jaxpr stands for."""
    primitive, params = equation.primitive, equation.params

    def apply(*operands: Any) -> list[Any]:
        bound = primitive.get_bind_params(params)
        found = primitive.bind(*operands, **bound)
        return list(found) if primitive.multiple_results else [found]

    return apply


def as_logical(x: Any, aval: Any) -> Any:
    """A value of jax as an equation takes it: keys from their data."""
    made = key_implementation(aval.dtype)
    return x if made is None else jax.random.wrap_key_data(x, impl=made.name)


def as_physical(x: Any) -> Any:
    """A value of jax as ops take it: keys as their data."""
    is_key = issubdtype(x.dtype, jax.dtypes.prng_key)
    return jax.random.key_data(x) if is_key else x


def opaque(at: Site, operands: Sequence[Any]) -> Sequence[Any]:
    """An equation as a node that holds it."""
    equation = at.equation
    function = apply_equation(equation)
    avals = [v.aval for v in equation.invars]

    def apply(*xs: Any) -> list[Any]:
        given = [as_logical(x, a) for x, a in zip(xs, avals, strict=True)]
        return [as_physical(x) for x in function(*given)]

    types = [type_of_aval(a) for a in avals]
    results = tuple([type_of_aval(v.aval) for v in equation.outvars])
    made = JaxFunction(at.name, apply, types, results)
    found: Sequence[Any] = ops.foreign(*operands, function=made, result_types=results)
    return found
