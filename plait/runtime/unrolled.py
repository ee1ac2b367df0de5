"""The quick call from tensors to tensors as source text, unrolled: its loops would cost too much.

For two arguments and two results, with a look outside and a check::

    def call(args):
      found = look(args)
      if found is None: return MISMATCH
      args += found
      try:
        a0, a1, = args
        frozen = a0._storage is FROZEN and a1._storage is FROZEN
      except (AttributeError, ValueError): frozen = False
      if not frozen:
        if not freeze_all(args): return MISMATCH
        a0, a1, = args
      d0 = a0._data
      d1 = a1._data
      if type(d0) is ndarray and d0.dtype != dtype0: return MISMATCH
      try: r0, r1, status, = run(d0, d1)
      except TypeError: return MISMATCH
      if NO_FAILURE != status: raise_status(status)
      t0 = Tensor(); t0._data = r0; t0._storage = FROZEN
      t1 = Tensor(); t1._data = r1; t1._storage = FROZEN
      return t0, t1,
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from plait.tracer import FROZEN, Tensor, freeze

#: What the status of a call without a failure is equal to. A comparison with a buffer reads it at
#: once, several times quicker than an ndarray of it; what cannot be read so, as on a GPU, is
#: unequal, and looked at with care.
NO_FAILURE = bytearray(4 * 8)


class Form(NamedTuple):
    """What the text of a quick call depends on.

    Attributes
    ----------
    arguments : int
        Number of tensors, those from outside included.
    results : int or None
        Number of results that are tensors in a tuple; None when they have another form.
    is_single : bool
        Whether the one result is in no tuple.
    has_status : bool
        Whether the last output is the status of checks.
    looks : bool
        Whether tensors from outside are looked up, or guards checked.
    checked : tuple of int
        Arguments whose dtype is checked when they are ndarrays.
    """

    arguments: int
    results: int | None
    is_single: bool
    has_status: bool
    looks: bool
    checked: tuple[int, ...]


def make_call(
    form: Form,
    *,
    run: Callable[..., Any],
    look: Callable[..., Any] | None,
    dtypes: dict[int, Any],
    raise_status: Callable[[Any], None],
    build: Callable[[Any], Any],
    mismatch: Any,
) -> Callable[[tuple[Any, ...]], Any]:
    """The quick call of one program.

    Parameters
    ----------
    form : Form
    run : callable
        Takes the arrays; raises TypeError when they are not those it was compiled for.
    look : callable or None
        Gives the tensors from outside, or None when outside has changed.
    dtypes : dict
        The dtype of each argument in ``form.checked``.
    raise_status : callable
        Raises the failure that a status tells of.
    build : callable
        Makes the result of the outputs, where ``form.results`` is None.
    mismatch : Any
        Given back when the arguments are not those that the call was made for.
    """
    names: dict[str, Any] = {
        **_COMMON,
        "run": run,
        "look": look,
        "raise_status": raise_status,
        "build": build,
        "MISMATCH": mismatch,
        "freeze_all": _freezing([Tensor] * form.arguments),
        **{f"dtype{i}": dtype for i, dtype in dtypes.items()},
    }
    exec(_code(form), names)
    call: Callable[[tuple[Any, ...]], Any] = names["call"]
    return call


_COMMON = {
    "__name__": __name__,
    "FROZEN": FROZEN,
    "NO_FAILURE": NO_FAILURE,
    "Tensor": Tensor,
    "ndarray": np.ndarray,
}


@cache
def _code(form: Form) -> CodeType:
    text = "def call(args):\n" + "".join(f"  {line}\n" for line in _lines(form))
    return compile(text, "<plait quick call>", "exec")


def _lines(form: Form) -> Iterator[str]:
    """The body of the function."""
    given = range(form.arguments)
    if form.looks:
        yield "found = look(args)"
        yield "if found is None: return MISMATCH"
        yield "args += found"
    if given:
        names = "".join(f"a{i}, " for i in given)
        yield "try:"
        yield f"  {names}= args"
        yield f"  frozen = {' and '.join(f'a{i}._storage is FROZEN' for i in given)}"
        yield "except (AttributeError, ValueError): frozen = False"
        yield "if not frozen:"
        yield "  if not freeze_all(args): return MISMATCH"
        yield f"  {names}= args"
        yield from (f"d{i} = a{i}._data" for i in given)
    else:
        yield "if args: return MISMATCH"
    for i in form.checked:
        yield f"if type(d{i}) is ndarray and d{i}.dtype != dtype{i}: return MISMATCH"
    yield from _run(form)


def _run(form: Form) -> Iterator[str]:
    """The call of the executable, and what becomes of its results."""
    data = ", ".join(f"d{i}" for i in range(form.arguments))
    made = range(form.results or 0)
    outputs = "*results, " if form.results is None else "".join(f"r{i}, " for i in made)
    if form.has_status:
        outputs += "status, "
    yield f"try: {outputs or 'results '}= run({data})"
    yield "except TypeError: return MISMATCH"
    if form.has_status:
        yield "if NO_FAILURE != status: raise_status(status)"
    if form.results is None:
        yield "return build(results)"
        return
    for i in made:
        yield f"t{i} = Tensor(); t{i}._data = r{i}; t{i}._storage = FROZEN"
    if form.is_single:
        yield "return t0"
    else:
        yield f"return ({''.join(f't{i}, ' for i in made)})"


def _freezing(kinds: list[Any]) -> Callable[[tuple[Any, ...]], bool]:
    """Freezes tensors, which XLA may read after the call; False when something else is there."""

    def freeze_all(args: tuple[Any, ...]) -> bool:
        if [*map(type, args)] != kinds:
            return False
        for handle in args:
            try:
                if handle._storage is None:
                    handle._storage = FROZEN
                elif handle._storage is not FROZEN:
                    freeze(handle)
            except AttributeError:  # made by the fast path of eager operators
                handle._storage = FROZEN
        return True

    return freeze_all


__all__ = ["Form", "make_call"]
