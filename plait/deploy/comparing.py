"""Arguments for an export, and how far its results are from those of eager execution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any

import numpy as np

from plait.deploy.manifest import COMPUTED, Manifest
from plait.deploy.matching import match
from plait.ir import Dim, TensorType
from plait.ir.types import is_bool, is_complex
from plait.runtime import Variable
from plait.tracer import Tensor, TensorSpec, TracedFunction, flatten, map_leaves, unflatten, wrap

#: Sizes that named dimensions get, from the first on.
FIRST_SIZE = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """The arguments of one call.

    Attributes
    ----------
    args, kwargs
        As the function takes them.
    kind : str
        ``"given"`` or ``"generated"``.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    kind: str

    def copy(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments, whose arrays may be written into."""
        made: tuple[tuple[Any, ...], dict[str, Any]] = map_leaves(_copied, (self.args, self.kwargs))
        return made

    def as_arrays(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with arrays for tensors."""
        made: tuple[tuple[Any, ...], dict[str, Any]] = map_leaves(_array, (self.args, self.kwargs))
        return made

    def operands(self, manifest: Manifest) -> list[Any]:
        """The arrays among the arguments."""
        found = match(manifest, self.args, self.kwargs).operands
        return [np.asarray(x) for x in found]


def _copied(leaf: Any) -> Any:
    if type(leaf) is Tensor:
        return wrap(np.array(leaf._data), leaf._kind)
    return leaf.copy() if isinstance(leaf, np.ndarray) else leaf


def _array(leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray):
        return leaf.copy()
    return np.array(leaf._data) if type(leaf) is Tensor else leaf


def trial_of(traced: TracedFunction, leaves: Sequence[Any]) -> Trial:
    """The arguments that an export was asked for, with arrays where they are types only."""
    generator = np.random.default_rng(0)
    sizes: dict[Dim, int] = {}
    kind, found = "given", []
    for spec, given in zip(traced.leaves, leaves, strict=True):
        if spec.type is None:
            found.append(spec.value.value)
        elif isinstance(given, (TensorSpec, str)):
            kind = "generated"
            found.append(_made(spec, generator, sizes))
        else:
            found.append(given)
    args, kwargs = unflatten(traced.in_tree, found)
    return Trial(args, kwargs, kind)


def _made(leaf: Any, generator: Any, sizes: dict[Dim, int]) -> Any:
    """Random values for one argument."""
    type_: TensorType = leaf.type
    shape = [
        sizes.setdefault(d, FIRST_SIZE + len(sizes)) if type(d) is Dim else d for d in type_.shape
    ]
    dtype = type_.dtype
    if is_bool(dtype):
        array = generator.integers(0, 2, shape).astype(dtype)
    elif dtype.kind in "iu":
        array = generator.integers(0, 3, shape).astype(dtype)
    elif is_complex(dtype):
        array = (generator.normal(size=shape) + 1j * generator.normal(size=shape)).astype(dtype)
    else:
        array = np.asarray(generator.normal(size=shape)).astype(dtype)
    if leaf.kind == "number":
        return array.item()
    return array if leaf.kind == "ndarray" else wrap(array)


@contextmanager
def kept_state(traced: TracedFunction) -> Iterator[None]:
    """Give variables the values back that they had before the block."""
    variables = [c.source for c in traced.captures if isinstance(c.source, Variable)]
    before = [np.array(v.numpy()) for v in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)


def eager_results(function: Any, traced: TracedFunction, trial: Trial) -> list[Any]:
    """The leaves of what the undecorated function gives; what it prints is not shown."""
    args, kwargs = trial.copy()
    with kept_state(traced), redirect_stdout(StringIO()), np.errstate(all="ignore"):
        leaves, _ = flatten(function.__wrapped__(*args, **kwargs))
    return leaves


def computed(manifest: Manifest, leaves: Sequence[Any]) -> list[Any]:
    """The leaves of a result that the graph computes, as arrays, by its outputs."""
    pairs = zip(manifest.results, leaves, strict=True)
    found = {r.index: np.asarray(_array(x)) for r, x in pairs if r.kind in COMPUTED}
    return [found[i] for i in sorted(found)]


def largest_difference(wanted: Sequence[Any], found: Sequence[Any]) -> float:
    """The largest difference of two elements; infinite where only one is finite, or types differ.

    NaN is equal to NaN.
    """
    largest = 0.0
    for want, have in zip(wanted, found, strict=True):
        have = np.asarray(have)
        if want.shape != have.shape or want.dtype != have.dtype:
            return float("inf")
        wide: Any = np.complex128 if is_complex(want.dtype) else np.longdouble
        a, b = np.asarray(want, wide).reshape(-1), np.asarray(have, wide).reshape(-1)
        with np.errstate(all="ignore"):
            gap = np.where((a == b) | ((a != a) & (b != b)), 0, np.abs(a - b))
        gap = np.where(gap != gap, np.inf, gap)
        largest = max(largest, float(gap.max(initial=0)))
    return largest


__all__ = ["Trial", "computed", "eager_results", "largest_difference", "trial_of"]
