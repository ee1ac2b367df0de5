"""Guards: what a captured function read from outside must still be; compiled to one function."""

from __future__ import annotations

import builtins
import math
import types
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from plait.ir import TensorType, dispatch
from plait.ir.location import UNKNOWN, Location
from plait.tracer.arguments import weakly
from plait.tracer.layouts import layout_of, shown_layout
from plait.tracer.notes import ABSENT, Change, shown
from plait.tracer.paths import Attr, Global, Item, Namer, Path
from plait.tracer.places import UNBOUND
from plait.tracer.tensor import Tensor

#: Values that are what they are for good.
SINGLETONS = (None, True, False, Ellipsis, NotImplemented)


@dataclass(frozen=True, slots=True, eq=False)
class Guard:
    """One thing that must hold outside.

    Attributes
    ----------
    path : Path
    kind : str
        ``"is"``, ``"value"``, ``"type"``, ``"tensor"``, ``"array"``, ``"variable"``,
        ``"length"``, ``"keys"``, ``"contents"``, ``"set"``, ``"method"``, ``"number"``,
        ``"same"``, ``"other"``, ``"layout"`` or ``"absent"``.
    expected : Any
        Depends on the kind; objects are held weakly where they can be.
    location : Location
        The user's line that read it.
    """

    path: Path
    kind: str
    expected: Any
    location: Location = UNKNOWN

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for guards that ask for the same."""
        other = self.expected.key if isinstance(self.expected, Path) else None
        return (self.path.key, self.kind, other)

    def condition(self, value: str, held: str, name: Namer, other: str = "") -> str:
        """An expression that is true when the guard holds."""
        return _CONDITIONS[self.kind](self, value, held, name, other)

    def failure(self, leaves: Any, given: Any) -> Change | None:
        """What there is now in place of what was read; None when the guard holds."""
        held: Any = None
        try:
            if self.path.parent is not None:
                held = self.path.parent.find(leaves, given)
            found = self.path.step(held, leaves, given)
        except Exception:
            found = UNBOUND
        if self._holds(held, found, leaves, given):
            return None
        with dispatch.suspended():
            return Change("outside", *self._texts(found), self.location)

    def _holds(self, held: Any, found: Any, leaves: Any, given: Any) -> bool:
        if self.kind != "absent" and found is UNBOUND:
            return False
        names = Names()
        wanted = None
        try:
            if isinstance(self.expected, Path):
                wanted = self.expected.find(leaves, given)
            text = self.condition("value", "held", names, "wanted")
            return bool(eval(text, names.found | {"value": found, "held": held, "wanted": wanted}))
        except Exception:
            return False

    def _texts(self, found: Any) -> tuple[str, str, str]:
        path, before = self.path.text, self._before()
        if self.kind == "layout" and found is not UNBOUND:
            return path, before, shown_layout(layout_of(getattr(found, "_data", found)))
        if self.kind == "length" and hasattr(found, "__len__"):
            return path, before, f"length {len(found)}"
        if self.kind in ("same", "other") and found is not UNBOUND:
            other = "another object"
            return (path, before, other) if self.kind == "same" else (path, other, before)
        after = ABSENT if found is UNBOUND else shown(found)
        return path, before, f"another {after}" if after == before else after

    def _before(self) -> str:
        """What was read."""
        wanted, kind = self.expected, self.kind
        if kind == "absent":
            return ABSENT
        if kind == "is":
            held = wanted()
            return "an object that is gone" if held is None else shown(held)
        if kind in ("tensor", "array"):
            text = str(TensorType(*wanted[-2:]))
            return text if kind == "tensor" else f"array {text}"
        if kind == "layout":
            return shown_layout(wanted)
        if kind == "type":
            return f"a {wanted.__name__}"
        if kind == "number":
            return f"any {wanted.__name__}"
        if kind in ("same", "other"):
            return str(wanted.text)
        return f"length {wanted}" if kind == "length" else shown(wanted)

    @property
    def number(self) -> Any:
        """The class of number that is guarded by its value; None for anything else."""
        kind = type(self.expected)
        if self.kind != "value" or kind not in (int, float, complex):
            return None
        return kind


class Names:
    """Constants of generated code, under names."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = dict(_GLOBALS)
        self._known: dict[int, str] = {}
        self._kept: list[Any] = []

    def __call__(self, value: Any) -> str:
        known = self._known.get(id(value))
        if known is None:
            known = self._known[id(value)] = f"k{len(self._known)}"
            self.found[known] = value
            self._kept.append(value)
        return known


class Strong:
    """A way to a function, class or module, which stays alive."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self) -> Any:
        """The object."""
        return self.value


def absent_attribute(held: Any, name: str) -> bool:
    """Whether an object has no attribute of a name, its class's ``__getattr__`` aside."""
    if name in getattr(held, "__dict__", ()):
        return False
    found = next((vars(kind)[name] for kind in type(held).__mro__ if name in vars(kind)), UNBOUND)
    if isinstance(found, types.MemberDescriptorType):  # a slot, which may be empty
        return not hasattr(held, name)
    return found is UNBOUND


# What each kind asks.


def _is(guard: Guard, value: str, held: str, name: Namer, other: str) -> str:
    if isinstance(guard.expected, Strong):
        return f"{value} is {name(guard.expected.value)}"
    return f"{value} is {name(guard.expected)}() and {value} is not None"


def _method(guard: Guard, value: str, held: str, name: Namer, other: str) -> str:
    return f"{value}.__func__ is {name(guard.expected)}"


def _value(guard: Guard, value: str, held: str, name: Namer, other: str) -> str:
    wanted = guard.expected
    if any(wanted is one for one in SINGLETONS):
        return f"{value} is {wanted!r}"
    kind = type(wanted)
    constant = name(wanted)
    if kind is float and (not wanted or math.isnan(wanted)):
        return f"type({value}) is float and {value}.hex() == {wanted.hex()!r}"
    if kind is complex:
        bits = name((wanted.real.hex(), wanted.imag.hex()))
        return f"type({value}) is complex and ({value}.real.hex(), {value}.imag.hex()) == {bits}"
    if isinstance(wanted, np.generic):
        bits = name(wanted.tobytes())
        return f"type({value}) is {name(kind)} and {value}.tobytes() == {bits}"
    shown_kind = kind.__name__ if getattr(builtins, kind.__name__, None) is kind else name(kind)
    return f"({value} is {constant} or type({value}) is {shown_kind} and {value} == {constant})"


def _type(guard: Guard, value: str, held: str, name: Namer, other: str) -> str:
    return f"type({value}) is {name(guard.expected)}"


def _tensor(guard: Guard, value: str, held: str, name: Namer, other: str) -> str:
    dtype, shape = guard.expected
    data = f"{value}._data"
    return (
        f"type({value}) is Tensor and {data}.shape == {shape!r} and {data}.dtype == {name(dtype)}"
    )


def _array(guard: Guard, value: str, held: str, name: Namer, other: str) -> str:
    kind, dtype, shape = guard.expected
    return (
        f"type({value}) is {name(kind)} and {value}.shape == {shape!r} "
        f"and {value}.dtype == {name(dtype)}"
    )


def _length(guard: Guard, value: str, held: str, name: Namer, other: str) -> str:
    return f"len({value}) == {guard.expected}"


def _keys(guard: Guard, value: str, held: str, name: Namer, other: str) -> str:
    keys = name(guard.expected)
    plain = all(type(key) is str for key in guard.expected)
    if plain:
        return f"[*{value}] == {keys}"
    return f"[*{value}] == {keys} and [*map(type, {value})] == {name([*map(type, guard.expected)])}"


def _contents(guard: Guard, value: str, held: str, name: Namer, other: str) -> str:
    """A list or tuple of numbers, strings and the like."""
    kinds = name([*map(type, guard.expected)])
    return f"[*{value}] == {name(guard.expected)} and [*map(type, {value})] == {kinds}"


def _set(guard: Guard, value: str, held: str, name: Namer, other: str) -> str:
    return f"{value} == {name(guard.expected)}"


def _number(guard: Guard, value: str, held: str, name: Namer, other: str) -> str:
    if guard.expected is int:
        return f"type({value}) is int and -0x8000000000000000 <= {value} <= 0x7fffffffffffffff"
    return f"type({value}) is {guard.expected.__name__}"


def _same(guard: Guard, value: str, held: str, name: Namer, other: str) -> str:
    return f"{value} is {other}"


def _other(guard: Guard, value: str, held: str, name: Namer, other: str) -> str:
    return f"{value} is not {other}"


def _layout(guard: Guard, value: str, held: str, name: Namer, other: str) -> str:
    return f"layout_of(getattr({value}, '_data', {value})) == {guard.expected!r}"


def _absent(guard: Guard, value: str, held: str, name: Namer, other: str) -> str:
    path = guard.path
    if isinstance(path, Global):
        return f"{path.name!r} not in {name(path.namespace)}"
    if isinstance(path, Item):
        return f"{name(path.index)} not in {held}"
    if isinstance(path, Attr):
        return f"absent_attribute({held}, {path.name!r})"
    return f"{value} is UNBOUND"


_CONDITIONS: dict[str, Callable[[Guard, str, str, Namer, str], str]] = {
    "is": _is,
    "method": _method,
    "value": _value,
    "type": _type,
    "tensor": _tensor,
    "array": _array,
    "variable": _array,
    "length": _length,
    "keys": _keys,
    "contents": _contents,
    "set": _set,
    "number": _number,
    "same": _same,
    "other": _other,
    "layout": _layout,
    "absent": _absent,
}

_GLOBALS: dict[str, Any] = {
    "__builtins__": builtins,
    "Tensor": Tensor,
    "absent_attribute": absent_attribute,
    "layout_of": layout_of,
    "UNBOUND": UNBOUND,
}


# All guards of a program in one function.

#: ``check(leaves, given)``: the values at the paths asked for, None when a guard fails.
Check = Callable[..., tuple[Any, ...] | None]


class _Writer:
    """Writes the function that checks guards."""

    def __init__(self) -> None:
        self.names = Names()
        self.lines: list[str] = []
        self._values: dict[tuple[Any, ...], str] = {}

    def value(self, path: Path) -> str:
        """The variable that holds what a path leads to."""
        known = self._values.get(path.key)
        if known is None:
            held = "" if path.parent is None else self.value(path.parent)
            known = self._values[path.key] = f"v{len(self._values)}"
            self.lines.append(f"{known} = {path.code(held, self.names)}")
        return known

    def demand(self, guard: Guard) -> None:
        """Return None when a guard fails."""
        held = "" if guard.path.parent is None else self.value(guard.path.parent)
        value = "" if guard.kind == "absent" else self.value(guard.path)
        other = self.value(guard.expected) if isinstance(guard.expected, Path) else ""
        condition = guard.condition(value, held, self.names, other)
        self.lines.append(f"if not ({condition}): return None")


@lru_cache(maxsize=512)
def _compiled(text: str) -> types.CodeType:
    """Code of guards; the same again when a function is captured for other arguments."""
    return compile(text, "<plait guards>", "exec")


def compile_check(guards: Iterable[Guard], wanted: Sequence[Path | Callable[[], Any]]) -> Check:
    """A function that checks all guards and finds the values at the wanted paths.

    A failing step, such as an attribute that is gone, is a failing guard.
    """
    writer = _Writer()
    for guard in guards:
        writer.demand(guard)
    found = [writer.value(path) for path in wanted if isinstance(path, Path)]
    body = [*writer.lines, f"return ({''.join(f'{v}, ' for v in found)})"]
    names = writer.names.found
    text = "\n  ".join(["def check(leaves, given=None):", "try:", *[f" {line}" for line in body]])
    text += "\n  except Exception: return None\n"
    exec(_compiled(text), names)
    check: Check = names.pop("check")  # a function does not hold itself
    return check


__all__ = ["Check", "Guard", "Strong", "compile_check", "weakly"]
