"""``and``, ``or``, ``not``, ``in`` and ``a if b else c`` on traced values."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from plait.ir import Trait, Value, ops
from plait.tracer.control.branch import Branch, truth, use
from plait.tracer.control.site import Site
from plait.tracer.region import Region
from plait.tracer.state import current
from plait.tracer.tensor import Tensor
from plait.tracer.tensor_handle import call, kind_of, wrap

#: Operands of ``and`` and ``or`` up to this many ops are computed always, instead of in a branch.
CHEAP = 16
#: The largest tensor in such an operand.
SMALL = 64
_DEAR = (Trait.EFFECT, Trait.HOST, Trait.REGION, Trait.BARRIER)


def tensor_of(x: Any) -> Tensor | None:
    """The tensor that ``x`` is or holds, as a variable does; None for anything else."""
    if type(x) is Tensor:
        return x
    if isinstance(x, type):
        return None
    read = getattr(x, "__plait_tensor__", None)
    return None if read is None else read()


def staged(x: Any) -> Tensor | None:
    """The tensor whose truth decides when the graph runs; None when Python can decide now."""
    trace = current()
    return None if trace is None or trace.is_lazy else tensor_of(x)


def and_(value: Any, other: Callable[[], Any]) -> Any:
    """``value and other()``. To be called by converted code itself, whose names it reads."""
    tensor = staged(value)
    if tensor is None:
        return value and other()
    return Choice(sys._getframe(1), "and", tensor).value(other, lambda: value)


def or_(value: Any, other: Callable[[], Any]) -> Any:
    """``value or other()``. To be called by converted code itself, whose names it reads."""
    tensor = staged(value)
    if tensor is None:
        return value or other()
    return Choice(sys._getframe(1), "or", tensor).value(lambda: value, other)


def not_(value: Any) -> Any:
    """``not value``."""
    tensor = staged(value)
    if tensor is None:
        return not value
    return wrap(ops.logical_not(truth(current(), tensor)), "number")


def if_expression(value: Any, then: Callable[[], Any], other: Callable[[], Any]) -> Any:
    """``then() if value else other()``. To be called by converted code itself."""
    tensor = staged(value)
    if tensor is None:
        return then() if value else other()
    return Choice(sys._getframe(1), "conditional expression", tensor).value(then, other)


class Choice(Branch):
    """A branch whose two sides are expressions."""

    def __init__(self, frame: FrameType, kind: str, condition: Tensor) -> None:
        code, trace = frame.f_code, current()
        site = Site(kind, ("value",), code.co_filename, frame.f_lineno, code.co_name)
        super().__init__(trace, truth(trace, condition), site, frame)
        self._condition = condition

    def value(self, then: Callable[[], Any], other: Callable[[], Any]) -> Any:
        """The value of the one function or the other, each of which is traced in a region."""
        kind = self._site.kind
        first = then()
        if kind == "and" and self._is_cheap(self._then, first):
            self._then.leave()
            return self._joined(ops.logical_and, self._then, first)
        self.otherwise({"value": first})
        second = other()
        if kind == "or" and self._is_cheap(self._else, second):
            self._else.leave()
            return self._joined(ops.logical_or, self._else, second)
        return use(self.merge({"value": second})[0])

    def _is_cheap(self, region: Region, value: Any) -> bool:
        """Whether a region may be computed whatever the condition is: a bool, quick, no effects."""
        if type(value) is not Tensor or type(value._data) is not Value or len(region.journal):
            return False
        if any(x.dtype != bool or x.shape for x in (value, self._condition)):
            return False
        return len(region.nodes) <= CHEAP and all(
            not any(node.op.has(trait) for trait in _DEAR)
            and all(v.size <= SMALL for v in (*node.operands, *node.results))
            for node in region.nodes
        )

    def _joined(self, op: Callable[..., Any], region: Region, value: Tensor) -> Tensor:
        """The condition and the bool of a closed region, whose nodes go to where it was."""
        region.finish()
        found = transplant(region, self._parent).get(value._data, value._data)
        result = op(self._pred, self._parent.lift(found))
        return wrap(result, kind_of((self._condition, value)))


def transplant(region: Region, trace: Any) -> Mapping[Value, Value]:
    """Write the nodes of a closed region down in another scope; gives what became of its values."""
    mapping: dict[Value, Value] = dict(zip(region.captured, region.outers, strict=True))
    for node in region.nodes:
        results = trace.copy(node, [mapping[v] for v in node.operands])
        mapping.update(zip(node.results, results, strict=True))
    return mapping


# Membership.


def contains(item: Any, container: Any) -> Any:
    """``item in container``."""
    trace = current()
    if trace is None or trace.is_lazy:
        return item in container
    held = tensor_of(container)
    if held is not None:
        return as_truth(call("any", call("equal", held, item)))
    if isinstance(container, range) and tensor_of(item) is not None:
        return _in_range(item, container)
    if type(container) not in (list, tuple):
        return item in container
    return any_of(_equals(item, element) for element in container)


def _equals(item: Any, element: Any) -> Any:
    return True if element is item else element == item


def _in_range(item: Any, found: range) -> Any:
    if not found:
        return False
    low, high = sorted((found[0], found[-1]))
    return all_of([low <= item, item <= high, (item - low) % abs(found.step) == 0])


def as_truth(tensor: Any) -> Any:
    """The truth of a tensor as a Python bool that is known at run time."""
    return wrap(truth(current(), tensor), "number")


def any_of(values: Any) -> Any:
    """Whether one of some values is true, all of which have been computed."""
    return _all_or_any(values, True, ops.logical_or)


def all_of(values: Any) -> Any:
    """Whether all of some values are true, all of which have been computed."""
    return _all_or_any(values, False, ops.logical_and)


def _all_or_any(values: Any, decisive: bool, op: Callable[..., Any]) -> Any:
    """The first value whose truth is ``decisive`` decides; traced ones are joined by ``op``."""
    found: Value | None = None
    for value in values:
        tensor = staged(value)
        if tensor is None:
            if bool(value) is decisive:
                return decisive
            continue
        this = truth(current(), tensor)
        found = this if found is None else op(found, this)
    return (not decisive) if found is None else wrap(found, "number")
