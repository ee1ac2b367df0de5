"""Random numbers: generators whose state compiled functions read and advance like a variable.

The functions of this module are those of one default generator, which ``seed`` restarts. Bits come
from Philox counters and are equal on every device; the numbers made of them agree within rounding.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from plait.ir import float32, functions, int32, uint32
from plait.ir.frames import public_methods
from plait.runtime import Stream, Variable
from plait.tracer import Tensor, lift

__all__ = [
    "Generator",
    "bernoulli",
    "bits",
    "categorical",
    "choice",
    "exponential",
    "gumbel",
    "normal",
    "permutation",
    "randint",
    "seed",
    "split",
    "truncated_normal",
    "uniform",
]

_pure = functions.random


@public_methods
class Generator:
    """A stream of random numbers.

    Parameters
    ----------
    seed : int, optional
        Names the stream; by default one that the system chooses.

    Examples
    --------
    >>> one, other = pl.random.Generator(7), pl.random.Generator(7)
    >>> bool(one.uniform() == other.uniform())
    True
    """

    __slots__ = ("_lock", "_state")

    def __init__(self, seed: int | None = None) -> None:
        chosen = int.from_bytes(os.urandom(8), "little") if seed is None else seed
        self._state = Stream(_pure.seed_state(chosen), name="generator", trainable=False)
        self._lock = threading.RLock()

    @property
    def state(self) -> Variable:
        """Key and counter, uint64 of shape (2,)."""
        return self._state

    def seed(self, seed: int) -> None:
        """Start the stream that an integer names.

        Parameters
        ----------
        seed : int
            Taken modulo 2**64.

        Examples
        --------
        >>> pl.random.seed(0)
        >>> x = pl.random.uniform()
        >>> pl.random.seed(0)
        >>> bool(pl.random.uniform() == x)
        True
        """
        self._state.assign(_pure.seed_state(seed))

    def _draw(self, function: Callable[..., Any], *args: Any, **options: Any) -> Tensor:
        with self._lock:
            values: Tensor
            values, state = function(self._state, *args, **options)
            self._state.assign(state)
        return values

    def bits(self, shape: Any = (), dtype: Any = uint32) -> Tensor:
        """Uniform random bits.

        Parameters
        ----------
        shape : int or tuple of int
        dtype : uint32 or uint64

        Returns
        -------
        Tensor

        Examples
        --------
        >>> pl.random.bits((2, 3)).shape
        (2, 3)
        """
        return self._draw(_bits, shape, dtype)

    def uniform(
        self, shape: Any = (), low: Any = 0.0, high: Any = 1.0, dtype: Any = float32
    ) -> Tensor:
        """Numbers of equal density in [low, high).

        Parameters
        ----------
        shape : int or tuple of int
        low, high : array_like
            Broadcast to ``shape``.
        dtype : dtype
            A floating one.

        Returns
        -------
        Tensor

        Raises
        ------
        DTypeError
            Not a floating dtype.
        ShapeError
            ``low`` or ``high`` does not broadcast to ``shape``.

        Examples
        --------
        >>> x = pl.random.uniform((2, 2), low=1.0, high=3.0)
        >>> x.shape, bool((x >= 1).all() & (x < 3).all())
        ((2, 2), True)
        """
        return self._draw(_uniform, shape, dtype, low, high)

    def normal(
        self, shape: Any = (), mean: Any = 0.0, std: Any = 1.0, dtype: Any = float32
    ) -> Tensor:
        """Numbers of the normal distribution.

        Parameters
        ----------
        shape : int or tuple of int
        mean, std : array_like
            Broadcast to ``shape``.
        dtype : dtype
            A floating one.

        Returns
        -------
        Tensor

        Raises
        ------
        DTypeError
            Not a floating dtype.
        ShapeError
            ``mean`` or ``std`` does not broadcast to ``shape``, or NumPy's order of arguments.

        Examples
        --------
        >>> pl.random.normal(3, mean=1.0, std=0.1).dtype
        dtype('float32')
        """
        return self._draw(_normal, shape, dtype, mean, std)

    def truncated_normal(
        self,
        shape: Any = (),
        low: Any = -2.0,
        high: Any = 2.0,
        mean: Any = 0.0,
        std: Any = 1.0,
        dtype: Any = float32,
    ) -> Tensor:
        """Numbers of the normal distribution within bounds.

        Parameters
        ----------
        shape : int or tuple of int
        low, high : array_like
            Bounds in standard deviations from the mean.
        mean, std : array_like
            Of the distribution before it is cut.
        dtype : dtype
            A floating one.

        Returns
        -------
        Tensor

        Examples
        --------
        >>> bool((pl.abs(pl.random.truncated_normal(100)) <= 2).all())
        True
        """
        return self._draw(_truncated_normal, shape, dtype, low, high, mean, std)

    def exponential(self, shape: Any = (), scale: Any = 1.0, dtype: Any = float32) -> Tensor:
        """Numbers of the exponential distribution with mean ``scale``.

        Parameters
        ----------
        shape : int or tuple of int
        scale : array_like
            Broadcast to ``shape``.
        dtype : dtype
            A floating one.

        Returns
        -------
        Tensor

        Examples
        --------
        >>> bool((pl.random.exponential(10) >= 0).all())
        True
        """
        return self._draw(_exponential, shape, dtype, scale)

    def gumbel(
        self, shape: Any = (), loc: Any = 0.0, scale: Any = 1.0, dtype: Any = float32
    ) -> Tensor:
        """Numbers of the Gumbel distribution.

        Parameters
        ----------
        shape : int or tuple of int
        loc, scale : array_like
            Broadcast to ``shape``.
        dtype : dtype
            A floating one.

        Returns
        -------
        Tensor

        Examples
        --------
        >>> pl.random.gumbel((4,)).shape
        (4,)
        """
        return self._draw(_gumbel, shape, dtype, loc, scale)

    def randint(self, low: Any, high: Any = None, shape: Any = (), dtype: Any = int32) -> Tensor:
        """Integers of equal probability in [low, high), or in [0, low) without ``high``.

        Parameters
        ----------
        low, high : array_like of integers
            Broadcast to ``shape``.
        shape : int or tuple of int
        dtype : dtype
            An integer one that holds the range.

        Returns
        -------
        Tensor

        Raises
        ------
        CheckError
            ``low`` is not below ``high``.
        DTypeError
            Not an integer dtype, or one that does not hold the range.

        Examples
        --------
        >>> x = pl.random.randint(6, shape=(100,)) + 1
        >>> int(x.min()) >= 1 and int(x.max()) <= 6
        True
        """
        bounds = (0, low) if high is None else (low, high)
        return self._draw(_randint, shape, *bounds, dtype)

    def bernoulli(self, shape: Any = (), p: Any = 0.5) -> Tensor:
        """True with probability ``p``.

        Parameters
        ----------
        shape : int or tuple of int
        p : array_like
            Broadcast to ``shape``.

        Returns
        -------
        Tensor of bool

        Raises
        ------
        CheckError
            A probability outside of [0, 1], also inside a compiled function.

        Examples
        --------
        >>> bool(pl.random.bernoulli(p=1.0))
        True
        """
        return self._draw(_bernoulli, shape, p)

    def categorical(self, logits: Any, shape: Any = None, axis: int = -1) -> Tensor:
        """Positions along an axis with probabilities ``softmax(logits)``.

        Parameters
        ----------
        logits : array_like
            Unnormalized logarithms of probabilities.
        shape : int or tuple of int, optional
            Shape of the result; by default that of ``logits`` without the axis.
        axis : int

        Returns
        -------
        Tensor of integers

        Examples
        --------
        >>> int(pl.random.categorical([-1e9, 0.0, -1e9]))
        1
        """
        return self._draw(_categorical, logits, shape=shape, axis=axis)

    def choice(
        self, a: Any, shape: Any = (), replace: bool = True, p: Any = None, axis: int = 0
    ) -> Tensor:
        """Random slices along an axis; of an int, numbers below it.

        Parameters
        ----------
        a : int or array_like
        shape : int or tuple of int
        replace : bool
            Whether one slice may be drawn several times.
        p : array_like, optional
            Probabilities of the slices.
        axis : int

        Returns
        -------
        Tensor

        Raises
        ------
        ShapeError
            Too little to draw from, or ``p`` does not fit.

        Examples
        --------
        >>> sorted(pl.random.choice(3, (3,), replace=False).tolist())
        [0, 1, 2]
        """
        return self._draw(_choice, a, shape, replace, p, axis)

    def permutation(self, x: Any, axis: int = 0) -> Tensor:
        """The slices along an axis in random order; of an int, the numbers below it.

        Parameters
        ----------
        x : int or array_like
        axis : int

        Returns
        -------
        Tensor

        Examples
        --------
        >>> sorted(pl.random.permutation(4).tolist())
        [0, 1, 2, 3]
        """
        return self._draw(_permutation, x, axis)

    def split(self, count: int = 2) -> list[Generator]:
        """Generators of new streams, whose seeds this one draws; not inside a compiled function.

        Parameters
        ----------
        count : int

        Returns
        -------
        list of Generator

        Examples
        --------
        >>> len(pl.random.split(3))
        3
        """
        return [Generator(int(state[0])) for state in self._draw(_split, count)]

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self._state.numpy().tolist(),)

    def __repr__(self) -> str:
        key, counter = self._state.numpy().tolist()
        return f"pl.random.Generator(seed={key}, counter={counter})"


def _restore(state: list[int]) -> Generator:
    made = Generator(0)
    made.state.assign(np.asarray(state, np.uint64))
    return made


_bernoulli = lift(_pure.bernoulli)
_bits = lift(_pure.random_bits)
_categorical = lift(_pure.categorical)
_choice = lift(_pure.choice)
_exponential = lift(_pure.exponential)
_gumbel = lift(_pure.gumbel)
_normal = lift(_pure.normal)
_permutation = lift(_pure.permutation)
_randint = lift(_pure.randint)
_split = lift(_pure.split)
_truncated_normal = lift(_pure.truncated_normal)
_uniform = lift(_pure.uniform)

_default = Generator()

bernoulli = _default.bernoulli
bits = _default.bits
categorical = _default.categorical
choice = _default.choice
exponential = _default.exponential
gumbel = _default.gumbel
normal = _default.normal
permutation = _default.permutation
randint = _default.randint
seed = _default.seed
split = _default.split
truncated_normal = _default.truncated_normal
uniform = _default.uniform


def __dir__() -> list[str]:
    return list(__all__)
