"""The HTML file: template, style, script and document in one, with nothing that could break out."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from plait.ir.errors import GraphError

PARTS = (
    "model",
    "layering",
    "layout",
    "scene",
    "drawing",
    "source",
    "details",
    "changes",
    "memory",
    "search",
    "app",
    "start",
)
#: What ends a script or means something to HTML, as JSON escapes.
_UNSAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


class Inspection:
    """A page that shows a compilation; in a notebook it shows itself.

    Attributes
    ----------
    document : mapping
        What it shows, ready for JSON.

    Examples
    --------
    >>> from plait import ir
    >>> graph = ir.parse("graph f(%x: f32[2]) -> (f32[2]) { %0: f32[2] = tanh(%x) return %0 }")
    >>> page = graph.inspect()
    >>> page
    <inspection of f: traced, dce, inline, simplify, optimized, plan>
    >>> page.html[:15]
    '<!doctype html>'
    """

    def __init__(self, document: Mapping[str, Any], texts: Sequence[tuple[str, str]]) -> None:
        self.document = document
        self._texts = texts
        self._html: str | None = None

    @property
    def html(self) -> str:
        """The page: one HTML file that needs nothing else."""
        if self._html is None:
            self._html = render(self.document, self._texts)
        return self._html

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file.

        Raises
        ------
        GraphError
            The file cannot be written.
        """
        try:
            with open(path, "w", encoding="utf-8", newline="\n") as file:
                file.write(self.html)
        except OSError as error:
            raise GraphError(f"cannot write {os.fspath(path)}: {error.strerror}") from None

    def _repr_html_(self) -> str:
        """The page in a frame of its own, which cannot reach the notebook."""
        return (
            f'<iframe srcdoc="{escape(self.html)}" sandbox="allow-scripts" title="Plait inspector" '
            'style="width:100%;height:640px;border:1px solid #8888;border-radius:6px"></iframe>'
        )

    def at_stage(self, name: str) -> Inspection:
        """The same page, opened at a stage; at the first one where there is none of the name."""
        names = [stage["name"] for stage in self.document["stages"]]
        start = names.index(name) if name in names else 0
        return Inspection({**self.document, "start": start}, self._texts)

    def __repr__(self) -> str:
        stages = ", ".join([stage["name"] for stage in self.document["stages"]])
        return f"<inspection of {self.document['title']}: {stages}>"


def render(document: Mapping[str, Any], texts: Sequence[tuple[str, str]]) -> str:
    """The page of a document.

    Parameters
    ----------
    document : mapping
        Ready for JSON.
    texts : sequence of (str, str)
        Title and text of what is shown where scripts do not run.
    """
    style, script = _static("inspector.css"), _script()
    data = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    parts = {
        "title": escape(str(document["title"])),
        "script_hash": digest,
        "style": style,
        "data": data.translate(_UNSAFE),
        "script": script,
        "plain": "\n".join(
            [f"<h2>{escape(head)}</h2>\n<pre>{escape(text)}</pre>" for head, text in texts]
        ),
    }
    return _fill(_static("inspector.html"), parts)


def _fill(template: str, parts: Mapping[str, str]) -> str:
    """The template with each ``{{name}}`` replaced, once; what is put in is not looked at."""
    pieces = template.split("{{")
    made = [pieces[0]]
    for piece in pieces[1:]:
        name, _, rest = piece.partition("}}")
        made += [parts[name], rest]
    return "".join(made)


@cache
def _static(name: str) -> str:
    return (files("plait.inspect.inspector") / "static" / name).read_text(encoding="utf-8")


@cache
def _script() -> str:
    """The parts of the script as one, in a function of their own."""
    body = "\n".join([_static(f"{part}.js") for part in PARTS])
    return f'(() => {{\n"use strict";\n{body}\n}})();\n'


__all__ = ["Inspection", "render"]
