"""What there was before a region: the user's own names, and not what hooks keep beside them."""

from __future__ import annotations

import sys
from types import FrameType, SimpleNamespace
from typing import Any

from plait.tracer.control.scope import Before

TRACE = SimpleNamespace(
    root=SimpleNamespace(provenance=SimpleNamespace(path_of=lambda x: None)),
)


class Hook:
    """Stands for a branch or a loop, which converted code holds."""

    def __init__(self, kept: Any) -> None:
        self.kept = kept


Hook.__module__ = "plait.tracer.control.branch"


def _outer(thing: Any, held: dict[str, Any], caller: FrameType | None) -> bool:
    return Before(TRACE, held, caller).is_outer(thing)


def test_what_the_users_names_hold_was_there() -> None:
    thing = [1]
    assert _outer(thing, {"kept": (thing,)}, None)
    assert not _outer(thing, {}, None)
    assert not _outer(thing, {"hook": Hook(thing)}, None)


def test_what_a_hook_of_a_caller_keeps_was_not_there() -> None:
    found = []

    def caller(mine: Any, hook: Any) -> None:
        frame = sys._getframe()
        found.append(_outer(mine, {}, _alone(frame)))
        found.append(_outer(hook.kept, {}, _alone(frame)))

    caller([1], Hook([2]))
    assert found == [True, False]


def _alone(frame: FrameType) -> Any:
    """The frame as the outermost one."""
    return SimpleNamespace(f_locals=frame.f_locals, f_globals=frame.f_globals, f_back=None)
