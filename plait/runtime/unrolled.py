"""The quick call as source text, unrolled over arguments and results: loops would cost too much.

For two tensors as arguments, a variable from outside that is assigned, a check and one result::

    def call(args, kwargs):
      if kwargs: return MISMATCH
      try: a0, a1, = args
      except ValueError: return MISMATCH
      leaves = (a0, a1, )
      found = look(leaves)
      if found is None: return MISMATCH
      c0, = found
      try: frozen = a0._storage is FROZEN and a1._storage is FROZEN
      except AttributeError: frozen = False
      if not frozen and not freeze_all(a0, a1): return MISMATCH
      d0 = a0._data
      d1 = a1._data
      fresh = False
      if type(d0) is ndarray:
        pair = lent[0]
        if d0 is pair[0]: d0 = pair[1]
        elif d0.dtype != dtype0: return MISMATCH
        else: fresh = True
      ...
      if fresh and not next(ticks) % 16: note(d0, d1, )
      with locked:
        d2 = c0.lend(donated=True, host=False)
        try: r0, r1, status, = run(d0, d1, d2)
        except TypeError: return MISMATCH
        commit0(r1)
        if NO_FAILURE != status: raise_status(status)
      t0 = Tensor(); t0._data = r0; t0._storage = FROZEN
      return t0
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import count
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from plait.runtime.lending import Lender
from plait.runtime.program import NO_FAILURE, number_array
from plait.tracer import FROZEN, Tensor, freeze

#: What a quick call gives when the arguments are not those that it was made for.
MISMATCH: Any = object()


#: Of so many calls with ndarrays in tensors, one looks which of them have come again.
LOOK_EVERY = 16

#: Takes the positional and the named arguments.
Quick = Callable[[tuple[Any, ...], dict[str, Any]], Any]


class Spelling(NamedTuple):
    """How the arguments of a call are written.

    Attributes
    ----------
    trees : tuple
        The structure of each argument: None for a leaf, or whether it is a dict, and the structures
        of its children.
    positional : int
        How many of them, from the first on, are given by position.
    named : tuple of int
        Which are given by name, in the order of the call.
    default : tuple of (int, int)
        Which are left out, and where their values are among the defaults.
    """

    trees: tuple[Any, ...]
    positional: int
    named: tuple[int, ...]
    default: tuple[tuple[int, int], ...]


class Form(NamedTuple):
    """What the text of a quick call depends on.

    Attributes
    ----------
    spelling : Spelling
        How the arguments are written.
    leaves : tuple of str
        What each leaf of them is: ``"tensor"``; ``"host"`` or ``"device"``, an array of one class
        of NumPy or jax; ``"number"``, of one class; ``"static"``, of one value.
    captured : tuple of str
        What comes from outside: ``"tensor"``, ``"number"`` or ``"variable"``, or ``"donated"``, a
        variable whose buffer is given up.
    looks : bool
        Whether something from outside is looked up, or guards checked.
    checked : tuple of int
        Inputs whose dtype is checked when they are ndarrays.
    outputs : int
        Number of the function's own outputs.
    assigned : int
        Number of the outputs after them, which variables take over.
    has_status : bool
        Whether the last output is the status of checks.
    result : str
        ``"one"`` tensor, a ``"tuple"`` of all, or ``"built"`` of the outputs.
    """

    spelling: Spelling
    leaves: tuple[str, ...]
    captured: tuple[str, ...]
    looks: bool
    checked: tuple[int, ...]
    outputs: int
    assigned: int
    has_status: bool
    result: str


def make_call(form: Form, names: Mapping[str, Any], place: Callable[[Any], Any]) -> Quick:
    """The quick call of one program.

    Parameters
    ----------
    form : Form
    names : mapping
        What the text refers to: ``run`` the arrays, ``look`` outside, ``raise_status``, ``build``
        the result of the outputs, the arguments and what was found, ``locked`` while variables are
        in use; the ``keywords`` of the call; the ``function`` and the ``defaults`` it had; of an
        input ``dtype0``, of a leaf ``class0`` and ``value0``, of a container ``kind0``, ``keys0``
        and their identities ``ids0``, of a variable ``commit0``.
    place : callable
        Makes an array of the device of an ndarray.
    """
    handles = (*form.leaves, *form.captured).count("tensor")
    lender = Lender(handles, place)
    known = {
        **_COMMON,
        "freeze_all": _freezing([Tensor] * handles),
        "lent": lender.lent,
        "ticks": lender.ticks,
        "note": lender.note,
        **names,
    }
    exec(_code(form), known)
    call: Quick = known["call"]
    return call


_COMMON: dict[str, Any] = {
    "__name__": __name__,
    "FROZEN": FROZEN,
    "MISMATCH": MISMATCH,
    "NO_FAILURE": NO_FAILURE,
    "Tensor": Tensor,
    "ndarray": np.ndarray,
    "number_array": number_array,
}


@cache
def _code(form: Form) -> CodeType:
    text = "def call(args, kwargs):\n" + "".join(f"  {line}\n" for line in _lines(form))
    return compile(text, "<plait quick call>", "exec")


def _lines(form: Form) -> Iterator[str]:
    """The body of the function."""
    yield from _unpack(form)
    yield from _data(form)
    yield from _run(form)
    yield from _result(form)


def _unpack(form: Form) -> Iterator[str]:
    """Each leaf of the arguments in a variable, and each value from outside."""
    yield from _open(form.spelling)
    for i, kind in enumerate(form.leaves):
        if kind != "tensor":
            yield f"if type(a{i}) is not class{i}: return MISMATCH"
        if kind == "static":
            yield f"if a{i} != value{i}: return MISMATCH"
    if form.looks or form.result == "built":
        yield f"leaves = ({_each('a', form.leaves)})"
    if form.looks:
        yield "found = look(leaves)"
        yield "if found is None: return MISMATCH"
    elif form.result == "built":
        yield "found = ()"
    if form.captured:
        rest = "*_" if form.result == "built" else ""
        yield f"{_each('c', form.captured)}{rest} = found"


def _open(spelling: Spelling) -> Iterator[str]:
    """The arguments, and what is in their containers."""
    leaves, containers = count(), count()

    def name(tree: Any) -> tuple[Any, str]:
        if tree is None:
            return None, f"a{next(leaves)}"
        is_dict, children = tree
        own = f"b{next(containers)}"
        return (own, is_dict, [name(child) for child in children]), own

    named = [name(tree) for tree in spelling.trees]
    yield from _targets([x for _, x in named[: spelling.positional]], "args")
    if spelling.named:
        yield "if tuple(kwargs) != keywords: return MISMATCH"
        yield f"{_comma(named[i][1] for i in spelling.named)}= kwargs.values()"
    else:
        yield "if kwargs: return MISMATCH"
    if spelling.default:
        yield "if function.__defaults__ is not defaults: return MISMATCH"
    for i, place in spelling.default:
        yield f"{named[i][1]} = defaults[{place}]"
    pending = [opened for opened, _ in named if opened is not None]
    while pending:
        own, is_dict, children = pending.pop(0)
        yield f"if type({own}) is not kind{own[1:]}: return MISMATCH"
        names = [x for _, x in children]
        if is_dict:
            i = own[1:]
            same = f"[*map(id, {own})] == ids{i} or keys{i} == tuple({own})"
            yield f"if not ({same}): return MISMATCH"
            yield from _targets(names, f"{own}.values()") if names else ()
        else:
            yield from _targets(names, own)
        pending += [opened for opened, _ in children if opened is not None]


def _targets(names: Sequence[str], source: str) -> Iterator[str]:
    """Unpack exactly so many values."""
    if not names:
        yield f"if {source}: return MISMATCH"
        return
    yield f"try: {_comma(names)}= {source}"
    yield "except ValueError: return MISMATCH"


def _data(form: Form) -> Iterator[str]:
    """The array of each input, apart from variables."""
    handles = [f"a{i}" for i, kind in enumerate(form.leaves) if kind == "tensor"]
    handles += [f"c{i}" for i, kind in enumerate(form.captured) if kind == "tensor"]
    if handles:
        yield f"try: frozen = {' and '.join(f'{x}._storage is FROZEN' for x in handles)}"
        yield "except AttributeError: frozen = False"
        yield f"if not frozen and not freeze_all({', '.join(handles)}): return MISMATCH"
    for k, (source, kind) in enumerate(_inputs(form)):
        if kind == "tensor":
            yield f"d{k} = {source}._data"
        elif kind in ("host", "device"):
            yield f"d{k} = {source}"
        elif kind == "number":
            yield f"d{k} = number_array({source})"
    tensors = [k for k, (_, kind) in enumerate(_inputs(form)) if kind == "tensor"]
    yield from (
        f"if type(d{k}) is ndarray and d{k}.dtype != dtype{k}: return MISMATCH"
        for k in form.checked
        if k not in tensors
    )
    if tensors:
        yield from _lend(form, tensors)


def _lend(form: Form, tensors: list[int]) -> Iterator[str]:
    """Take for ndarrays what is lent for them; look at others now and then."""
    yield "fresh = False"
    for place, k in enumerate(tensors):
        yield f"if type(d{k}) is ndarray:"
        yield f"  pair = lent[{place}]"
        yield f"  if d{k} is pair[0]: d{k} = pair[1]"
        if k in form.checked:
            yield f"  elif d{k}.dtype != dtype{k}: return MISMATCH"
        yield "  else: fresh = True"
    data = _comma(f"d{k}" for k in tensors)
    yield f"if fresh and not next(ticks) % {LOOK_EVERY}: note({data})"


def _run(form: Form) -> Iterator[str]:
    """The call of the executable; new state is committed while the variables are locked."""
    inputs = _inputs(form)
    data = ", ".join(f"d{k}" for k in range(len(inputs)))
    lent = [(k, x, kind) for k, (x, kind) in enumerate(inputs) if kind in ("variable", "donated")]
    space = ""
    if lent:
        yield "with locked:"
        space = "  "
        for k, source, kind in lent:
            yield f"  d{k} = {source}.lend(donated={kind == 'donated'}, host=False)"
    last = ["status, "] if form.has_status else []
    made = [f"r{i}, " for i in range(form.outputs + form.assigned)]
    yield f"{space}try: {''.join([*made, *last]) or 'results '}= run({data})"
    yield f"{space}except TypeError: return MISMATCH"
    for i in range(form.assigned):
        yield f"{space}commit{i}(r{form.outputs + i})"
    if form.has_status:
        yield f"{space}if NO_FAILURE != status: raise_status(status)"


def _result(form: Form) -> Iterator[str]:
    """What the function gives."""
    own = _each("r", range(form.outputs))
    if "host" in form.leaves and (own or form.assigned) and not form.has_status:
        # The caller may write to the arrays as soon as we return.
        yield "r0.block_until_ready()"
    if form.result == "built":
        yield f"return build(({own}), leaves, found)"
        return
    for i in range(form.outputs):
        yield f"t{i} = Tensor(); t{i}._data = r{i}; t{i}._storage = FROZEN"
    made = _each("t", range(form.outputs))
    yield "return t0" if form.result == "one" else f"return ({made})"


def _inputs(form: Form) -> list[tuple[str, str]]:
    """The variable in the text, and the kind, of each input of the program."""
    given = [(f"a{i}", kind) for i, kind in enumerate(form.leaves) if kind != "static"]
    return given + [(f"c{i}", kind) for i, kind in enumerate(form.captured)]


def _each(letter: str, items: Sequence[Any]) -> str:
    """Variables of the text, each followed by a comma."""
    return _comma(f"{letter}{i}" for i in range(len(items)))


def _comma(names: Iterable[str]) -> str:
    """Names, each followed by a comma."""
    return "".join(f"{name}, " for name in names)


def _freezing(kinds: list[Any]) -> Callable[..., bool]:
    """Freezes tensors, which XLA may read after the call; False when something else is there."""

    def freeze_all(*handles: Any) -> bool:
        if [*map(type, handles)] != kinds:
            return False
        for handle in handles:
            try:
                if handle._storage is None:
                    handle._storage = FROZEN
                elif handle._storage is not FROZEN:
                    freeze(handle)
            except AttributeError:  # made by the fast path of eager operators
                handle._storage = FROZEN
        return True

    return freeze_all


__all__ = ["MISMATCH", "Form", "Quick", "Spelling", "make_call"]
