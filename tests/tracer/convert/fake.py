"""A runtime for converted functions that does what Python does, and notes what it is asked."""

from __future__ import annotations

import operator
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from plait.tracer.convert import Converter


class Gate:
    """Says whether anything is traced."""

    def __init__(self, active: bool) -> None:
        self.active = active


def _cell(function: Any) -> Any:
    """The variable that a lambda returns."""
    return function.__closure__[0]


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {"r": repr, "s": str, "a": ascii}


class Runtime:
    """Python's own meaning of each hook."""

    UNBOUND = object()
    PLAIN = frozenset((list, tuple, dict, set, frozenset, str, bytes))
    SCALARS = frozenset((int, float, bool, complex, str))

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def __getattribute__(self, name: str) -> Any:
        if name[0].islower() and name != "calls":
            self.calls[name] += 1
        return super().__getattribute__(name)

    # Values.

    @staticmethod
    def use(value: Any, sure: bool = False, free: bool = False) -> Any:
        return value

    @staticmethod
    def read(root: Any, value: Any, cell: Callable[[], Any] | None = None) -> Any:
        assert root.name.isidentifier()
        return value

    read_part = read

    @staticmethod
    def imported(value: Any, module: str, level: int = 0, name: str | None = None) -> Any:
        if name is None:
            assert value is sys.modules[module]
        return value

    @staticmethod
    def frame(function: Any) -> Any:
        assert callable(function)
        return function

    @staticmethod
    def write(root: Any, value: Any, cell: Callable[[], Any] | None = None) -> None:
        if cell is None:
            sys._getframe(1).f_globals[root.name] = value
        else:
            _cell(cell).cell_contents = value

    @staticmethod
    def delete(root: Any, cell: Callable[[], Any] | None = None) -> None:
        if cell is None:
            del sys._getframe(1).f_globals[root.name]
        else:
            del _cell(cell).cell_contents

    @staticmethod
    def enter(record: Any) -> None:
        assert record.static_reads is not None

    @staticmethod
    def attr(value: Any, name: str) -> Any:
        return getattr(value, name)

    attr_part = attr

    @staticmethod
    def item(value: Any, key: Any) -> Any:
        return value[key]

    item_part = item

    @staticmethod
    def set_attr(value: Any, name: str, new: Any) -> None:
        setattr(value, name, new)

    @staticmethod
    def del_attr(value: Any, name: str) -> None:
        delattr(value, name)

    @staticmethod
    def set_item(value: Any, key: Any, new: Any) -> None:
        value[key] = new

    @staticmethod
    def del_item(value: Any, key: Any) -> None:
        del value[key]

    @staticmethod
    def augment(value: Any, operation: str, operand: Any) -> Any:
        return getattr(operator, operation)(value, operand)

    # Calls.

    @staticmethod
    def call(function: Any, /, *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    @staticmethod
    def method(value: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
        return getattr(value, name)(*args, **kwargs)

    # Logic.

    def and_(self, value: Any, other: Callable[[], Any]) -> Any:
        return value and other()

    def or_(self, value: Any, other: Callable[[], Any]) -> Any:
        return value or other()

    def not_(self, value: Any) -> Any:
        return not value

    def if_expression(self, test: Any, body: Callable[[], Any], orelse: Callable[[], Any]) -> Any:
        return body() if test else orelse()

    @staticmethod
    def is_(a: Any, b: Any) -> bool:
        return a is b

    @staticmethod
    def contains(item: Any, container: Any) -> Any:
        return item in container

    @staticmethod
    def format_(*parts: Any) -> str:
        text = ""
        for part in parts:
            if isinstance(part, tuple):
                value, conversion, spec = part
                shown = _CONVERSIONS[conversion](value) if conversion else value
                part = format(shown, spec)
            text += part
        return text

    @staticmethod
    def manager(found: Any) -> Any:
        return found

    @staticmethod
    def percent(template: str, values: Any) -> Any:
        return template % values

    # Statements.

    def test(self, value: Any, site: Any) -> Any:
        assert site.kind in ("if", "guard")
        return bool(value)

    def while_(self, state: Any, test: Any, site: Any, held: dict[str, Any]) -> Any:
        assert state is None
        return None

    def for_(self, iterable: Any, site: Any) -> Any:
        return None

    @staticmethod
    def assert_(value: Any, message: Callable[[], Any] | None, site: Any) -> None:
        if not value:
            raise AssertionError(*([] if message is None else [message()]))

    @staticmethod
    def raise_(error: Any, cause: Any = None) -> None:
        raise error from cause

    @staticmethod
    def try_begin(handled: Any = None) -> list[str]:
        if handled is not None:
            assert isinstance(handled(), tuple)
        return []

    @staticmethod
    def final_begin(block: list[str]) -> None:
        assert not block
        block.append("final")

    @staticmethod
    def final_end(block: list[str]) -> None:
        assert block == ["final"]
        block.append("ended")

    @staticmethod
    def try_end(block: list[str]) -> None:
        assert not block
        block.append("ended")

    @staticmethod
    def caught(block: list[str]) -> None:
        assert not block
        block.append("caught")

    @staticmethod
    def before_yield() -> None: ...

    @staticmethod
    def listed(iterable: Any, one: Callable[[Any], Any], site: Any) -> list[Any]:
        return [one(item) for item in iterable]


def idle() -> Converter:
    """A converter for a runtime that traces nothing."""
    return Converter(Runtime(), Gate(False))


def tracing() -> Converter:
    """A converter for a runtime that takes every hook, on Python values."""
    return Converter(Runtime(), Gate(True))
