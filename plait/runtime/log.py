"""What the compiler did, on request: ``PLAIT_LOG`` to stderr, ``PLAIT_DUMP_TO`` to files."""

from __future__ import annotations

import itertools
import os
import re
import sys
from pathlib import Path

from plait.ir.errors import UnknownNameError

TOPICS = ("trace", "retrace", "passes", "plan", "compile")

_numbers = itertools.count(1)


def topics() -> dict[str, int]:
    """The topics in ``PLAIT_LOG`` with their levels: 1, and one more per ``+`` before the name.

    Raises
    ------
    UnknownNameError
        A topic that does not exist.
    """
    text = os.environ.get("PLAIT_LOG", "")
    found: dict[str, int] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name = item.lstrip("+")
        if name not in TOPICS and name != "all":
            raise UnknownNameError(
                f"PLAIT_LOG: unknown topic {name!r}; topics: {', '.join(TOPICS)} or all"
            )
        level = 1 + len(item) - len(name)
        for topic in TOPICS if name == "all" else (name,):
            found[topic] = max(level, found.get(topic, 0))
    return found


def log(topic: str, message: str, detail: str = "") -> None:
    """Print a line of a topic that is on, with its detail at level 2 and up."""
    level = topics().get(topic, 0)
    if level:
        print(f"plait [{topic}] {message}", file=sys.stderr)
    if level > 1 and detail:
        print(detail, file=sys.stderr)


def enabled(topic: str) -> bool:
    """Whether a topic is on."""
    return topics().get(topic, 0) > 0


def dump(function: str, signature: str, stage: str, text: str) -> None:
    """Write one numbered file into ``PLAIT_DUMP_TO``, if it is set.

    Names sort by time: ``003.lstm_cell.sig1a2b.07-cse.ir``.
    """
    folder = os.environ.get("PLAIT_DUMP_TO", "")
    if not folder:
        return
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    safe = re.sub(r"[^A-Za-z0-9_]+", "_", function).strip("_") or "graph"
    (path / f"{next(_numbers):03d}.{safe}.sig{signature}.{stage}.ir").write_text(text + "\n")


def dumping() -> bool:
    """Whether ``PLAIT_DUMP_TO`` is set."""
    return bool(os.environ.get("PLAIT_DUMP_TO"))
