"""Names and strings of the text form: quoting, and deterministic names for values."""

from __future__ import annotations

import re
from collections.abc import Iterable

from plait.ir.graph import Graph, Node, Value

PLAIN_NAME = re.compile(r"[^\W\d]\w*(?:\.\w+)*\Z")
PLAIN_VALUE = re.compile(r"\w+(?:\.\w+)*\Z")
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quote(text: str) -> str:
    """A string in quotes, on one line, in printable characters; lone surrogates are escaped."""
    if text.isprintable() and "\\" not in text and '"' not in text:
        return f'"{text}"'
    return '"' + "".join([_escape(c) for c in text]) + '"'


def _escape(character: str) -> str:
    if character in ESCAPES:
        return ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def quote_name(name: str) -> str:
    """The name of a graph, region or function, in quotes unless it is plain."""
    return name if PLAIN_NAME.match(name) else quote(name)


def quote_value(name: str) -> str:
    """A value's name with its percent sign, in quotes unless it is plain."""
    return f"%{name}" if PLAIN_VALUE.match(name) else f"%{quote(name)}"


def name_values(graph: Graph, nodes: Iterable[Node] | None = None) -> dict[Value, str]:
    """Names for the graph's own inputs and results, without percent sign or quotes.

    Inputs keep their names; of inputs with one name, the later ones get ``_1``, ``_2``, ... .
    Results are numbered in order, past numbers that inputs have taken.
    """
    names: dict[Value, str] = {}
    taken = {v.name for v in graph.inputs}
    seen: set[str] = set()
    for i, value in enumerate(graph.inputs):
        name = value.name or f"arg{i}"
        if name in seen or (not value.name and name in taken):
            name = _fresh(name, taken | seen)
        seen.add(name)
        names[value] = name
    number = 0
    for node in graph.nodes if nodes is None else nodes:
        for result in node.results:
            while seen and str(number) in seen:
                number += 1
            names[result] = str(number)
            number += 1
    return names


def _fresh(name: str, taken: set[str]) -> str:
    count = 1
    while f"{name}_{count}" in taken:
        count += 1
    return f"{name}_{count}"
