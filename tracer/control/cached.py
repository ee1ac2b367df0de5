"""``functools.lru_cache`` in captured code: a call keeps what it computed until it ends.

What an earlier call kept is computed again, so that it cannot be stale.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from plait.tracer.control import calls
from plait.tracer.outcome import Break, stop
from plait.tracer.paths import Attr
from plait.tracer.tensor import Tensor

_CHANGES = (
    "a function of functools.lru_cache changes something or prints, once or more often depending "
    "on the trips of a loop or a branch on a tensor's value; call it before"
)

#: By trace and by cache with arguments: the innermost region, the result, and whether it changed
#: anything.
_kept: WeakKeyDictionary[Any, dict[Any, tuple[Any, Any, bool]]] = WeakKeyDictionary()


def call_cached(trace: Any, cached: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call what ``lru_cache`` has made; it must not hold tensors of the trace beyond that.

    Raises
    ------
    Break
        Something would change more often than in eager code, or less.
    """
    root = trace.root
    key = (id(cached), args, tuple(sorted(kwargs.items())))
    try:
        hash(key)
    except TypeError:
        return cached(*args, **kwargs)  # says that an argument cannot be hashed
    known = _kept.setdefault(root, {})
    is_unknown = any(type(x) is Tensor for x in (*args, *kwargs.values()))  # equal to another?
    if key in known and not is_unknown:
        scope, result, changes = known[key]
        if scope is root or scope in root.regions:
            return result
        if changes and not _is_beside(scope, root.regions):
            raise stop(trace, Break(_CHANGES))
    path = root.provenance.path_of(cached)
    if path is not None:
        root.provenance.read(Attr(path, "__wrapped__"), cached.__wrapped__)
    before = root.noted
    result = calls.call(cached.__wrapped__, *args, **kwargs)
    changes = root.noted != before
    if changes and (is_unknown or any(region.name == "body" for region in root.regions)):
        for region in reversed(root.regions):
            region.avoid(_CHANGES)
        raise stop(trace, Break(_CHANGES))
    known[key] = (trace, result, changes)
    return result


def _is_beside(scope: Any, regions: list[Any]) -> bool:
    """Whether a region is part of the other branch of an ``if`` that is open."""
    others = [region.other for region in regions if region.other is not None]
    while scope is not scope.root:
        if any(other is scope for other in others):
            return True
        scope = scope.parent
    return False


__all__ = ["call_cached"]
