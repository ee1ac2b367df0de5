"""What the compiler did, on request: ``PLAIT_LOG`` to stderr, ``PLAIT_DUMP_TO`` to files."""

from __future__ import annotations

import itertools
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from plait.ir import Graph
from plait.ir.errors import GraphError, UnknownNameError

TOPICS = ("trace", "retrace", "passes", "plan", "compile")

_numbers = itertools.count(1)
_refused: set[str] = set()  # values of PLAIT_DUMP_TO whose error was raised


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


def log(
    topic: str,
    message: str,
    detail: Callable[[], str] | None = None,
    seconds: float | None = None,
) -> None:
    """Print a line of a topic that is on; at level 2 and up with its time and its detail."""
    level = topics().get(topic, 0)
    if not level:
        return
    clock = f" in {1e3 * seconds:.2f} ms" if level > 1 and seconds is not None else ""
    print(f"plait [{topic}] {message}{clock}", file=sys.stderr)
    if level > 1 and detail is not None:
        print(detail(), file=sys.stderr)


def enabled(topic: str) -> bool:
    """Whether a topic is on."""
    return topics().get(topic, 0) > 0


def dumping() -> bool:
    """Whether ``PLAIT_DUMP_TO`` is set, to a place where writing has not failed."""
    folder = os.environ.get("PLAIT_DUMP_TO", "")
    return bool(folder) and folder not in _refused


class Dumps:
    """The numbered files of one program's stages; all carry the hash of what was captured.

    Parameters
    ----------
    graph : Graph
        The graph as captured.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._stages = itertools.count()

    def write(self, stage: str, text: Callable[[], str], suffix: str = "ir") -> None:
        """Write a stage into ``PLAIT_DUMP_TO``, if it is set.

        Names sort by time: ``003.lstm_cell.sig1a2b.07-cse.ir``.

        Raises
        ------
        GraphError
            The file cannot be written; for each value of the variable once.
        """
        if not dumping():
            return
        from plait.ir import structural_hash

        stage = re.sub(r"[^A-Za-z0-9_-]+", "_", stage.partition("{")[0])
        function = re.sub(r"[^A-Za-z0-9_]+", "_", self._graph.name).strip("_")[:80] or "graph"
        signature = structural_hash(self._graph)[:4]
        name = f"{function}.sig{signature}.{next(self._stages):02d}-{stage}.{suffix}"
        write_dump(name, text() + "\n")


def write_dump(name: str, text: str) -> None:
    """Write one file, numbered; it appears whole or not at all.

    Raises
    ------
    GraphError
        It cannot be written. From then on nothing is dumped to this place.
    """
    folder = os.environ.get("PLAIT_DUMP_TO", "")
    path = Path(folder) / f"{next(_numbers):03d}.{name}"
    temporary = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(text.encode("utf-8", "backslashreplace"))
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        _refused.add(folder)
        raise GraphError(
            f"PLAIT_DUMP_TO={folder}: cannot write dumps there: {error.strerror}; name a folder "
            "that can be written, or unset the variable (nothing more is dumped to this one)"
        ) from None
