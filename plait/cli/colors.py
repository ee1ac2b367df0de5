"""Colors of text in a terminal; none in a pipe, in a file, or where NO_COLOR is set."""

from __future__ import annotations

import os
import re
import sys

_STYLES = {
    "comment": "2",
    "location": "2",
    "keyword": "35",
    "value": "36",
    "type": "33",
    "op": "1",
    "string": "32",
}
_RESET = "\x1b[0m"
_TOKENS = re.compile(
    r"""
    (?P<comment>(?m:^\s*\#[^\n]*))
  | (?P<location>@\ "[^"\n]*":\d+[^\n]*)
  | (?P<string>"(?:[^"\\\n]|\\.)*")
  | (?P<value>%(?:"(?:[^"\\\n]|\\.)*"|[\w.]+))
  | (?P<type>\b(?:bool|[iu](?:8|16|32|64)|b?f(?:16|32|64)|c(?:64|128)|bytes)\[[^\]\n]*\]|\btoken\b)
  | (?P<keyword>\b(?:graph|return)\b)
  | (?P<op>\b[a-z_][\w.]*(?=\())
    """,
    re.VERBOSE,
)


def use_color(file: str) -> bool:
    """Whether output that goes to a file, or to standard output (``-``), is to have colors."""
    if file != "-" or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()


def colored(text: str) -> str:
    """The text form of a graph or plan with colors."""
    return _TOKENS.sub(_style, text)


def _style(match: re.Match[str]) -> str:
    kind = match.lastgroup
    return f"\x1b[{_STYLES[kind]}m{match[0]}{_RESET}" if kind else match[0]


__all__ = ["colored", "use_color"]
