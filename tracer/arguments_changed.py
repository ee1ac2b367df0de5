"""Containers among the arguments: captured code gets copies, and what it does to them is found."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from plait.ir.errors import TraceError
from plait.tracer.effects import Collector
from plait.tracer.paths import Attr, Given, Item, Path
from plait.tracer.pytree import container_of


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """One container among the copies.

    Attributes
    ----------
    copy : Any
        What captured code sees.
    path : Path
        Where the caller's own is.
    before : list, dict or set
        What it holds when captured code begins.
    """

    copy: Any
    path: Path
    before: Any


class GivenContainers:
    """All containers among the arguments of a trace.

    Parameters
    ----------
    given : tuple
        Positional and named arguments, as captured code gets them.
    paths : sequence of str
        Names of the leaves.
    """

    def __init__(self, given: Any, paths: Sequence[str]) -> None:
        names = iter(paths)
        self.known: list[Known] = []
        args, kwargs = given
        for where in [*[(0, i) for i in range(len(args))], *[(1, k) for k in kwargs]]:
            argument = given[where[0]][where[1]]
            if container_of(argument) is None:
                next(names, "")
                continue
            first = len(_leaves(argument))
            named = [next(names, "") for _ in range(first)]
            text = _name(named[0]) if named else str(where[1])
            self.known += _walk(argument, Given(where, text))

    def collect(self, collector: Collector) -> None:
        """Turn what changed into effects on the caller's containers."""
        for known in self.known:
            now = _contents(known.copy)
            if not _same(known.before, now):
                _change(known, now, collector)


def _leaves(value: Any) -> list[Any]:
    from plait.tracer.pytree import flatten

    return flatten(value)[0]


def _name(text: str) -> str:
    return text.partition("[")[0].partition(".")[0]


def _walk(value: Any, path: Path) -> Iterator[Known]:
    container = container_of(value)
    if container is None:
        return
    before = _contents(value)
    yield Known(value, path, before)
    if isinstance(before, dict):
        fields = dataclasses.is_dataclass(value)
        for key, item in before.items():
            yield from _walk(item, Attr(path, key) if fields else Item(path, key))
    elif isinstance(before, list):
        for i, item in enumerate(before):
            yield from _walk(item, Item(path, i))


def _contents(value: Any) -> Any:
    """What a container holds: a dict of items or attributes, a set, else a list."""
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, set):
        return set(value)
    if dataclasses.is_dataclass(value):
        names = [f.name for f in dataclasses.fields(value) if hasattr(value, f.name)]
        return {name: getattr(value, name) for name in names} | getattr(value, "__dict__", {})
    if isinstance(value, (list, tuple)):
        return [*value]
    container = container_of(value)
    return [] if container is None else [*container[0](value)[0]]


def _same(before: Any, now: Any) -> bool:
    if len(before) != len(now):
        return False
    if isinstance(before, dict):
        return [*before] == [*now] and all(before[key] is now[key] for key in before)
    if isinstance(before, set):
        return not before ^ now
    return all(a is b for a, b in zip(before, now, strict=True))


def _change(known: Known, now: Any, collector: Collector) -> None:
    copy, path, before = known.copy, known.path, known.before
    if isinstance(copy, dict):
        if [key for key in now if key in before] == [*before]:
            fresh = [key for key in now if key not in before or now[key] is not before[key]]
            for key in fresh:
                collector.change("item", path, key, now[key])
        else:
            collector.change("contents", path, None, now)
    elif isinstance(copy, list):
        same = len(before) <= len(now)
        kept = same and all(a is b for a, b in zip(before, now, strict=False))
        if kept:
            collector.change("extend", path, None, now[len(before) :])
        elif len(before) == len(now):
            for i, item in enumerate(now):
                if item is not before[i]:
                    collector.change("item", path, i, item)
        else:
            collector.change("contents", path, None, now)
    elif isinstance(copy, set):
        collector.change("contents", path, None, now)
    elif dataclasses.is_dataclass(copy):
        for name in {**before, **now}:
            if name not in now:
                collector.change("attribute", path, name)
            elif name not in before or now[name] is not before[name]:
                collector.change("attribute", path, name, now[name])
    else:
        raise TraceError(
            f"the function changes {path.text}, a {type(copy).__name__}, which a compiled function "
            "cannot do to its caller's object; return the new value instead"
        )


__all__ = ["GivenContainers"]
