"""Where output goes: a file, replaced at once, or standard output; no half-written files."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from plait.cli.colors import colored, use_color
from plait.cli.diagnostics import source
from plait.ir import ExecutionPlan, Graph, parse, print_graph, verify
from plait.ir.errors import GraphError, TargetError
from plait.ir.text import decode, load_graph, save_graph

STDIO = "-"
PIECE = 1 << 16


@contextmanager
def _to_stdout() -> Iterator[None]:
    """Say which output failed where the disk, not the reader, ends it."""
    try:
        yield
    except BrokenPipeError:
        raise OutputClosed from None
    except OSError as error:
        # What is left in the buffer would fail again at the interpreter's exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise TargetError(f"cannot write to standard output: {error.strerror}") from None


class OutputClosed(Exception):
    """The reader of standard output went away."""


def write_text(text: str, file: str) -> None:
    """Write text, ended by a newline, to a file or to standard output."""
    text = text if text.endswith("\n") else text + "\n"
    if file != STDIO:
        return write_bytes(text.encode(), file)
    encoding = sys.stdout.encoding or "utf-8"
    # What the encoding of a terminal or pipe does not have is escaped.
    text = text.encode(encoding, "backslashreplace").decode(encoding)
    with _to_stdout():
        # In pieces, so that a reader that goes away is noticed soon.
        for start in range(0, len(text), PIECE):
            sys.stdout.write(text[start : start + PIECE])
        sys.stdout.flush()


def write_bytes(data: bytes, file: str) -> None:
    """Write bytes to a file or to standard output.

    Raises
    ------
    GraphError
        The file cannot be written.
    """
    if file == STDIO:
        with _to_stdout():
            sys.stdout.buffer.write(data)
            sys.stdout.flush()
        return
    path = Path(file)
    if path.exists() and not path.is_file():
        # A pipe or a device is written to, not replaced.
        return _write(path, data, file)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        _write(temporary, data, file)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _write(path: Path, data: bytes, shown: str) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise GraphError(f"cannot write {shown}: {error.strerror}") from None


def write_json(document: Any, file: str) -> None:
    """Write a JSON document; the same text for the same document."""
    write_text(format_json(document), file)


def format_json(value: Any, indent: str = "") -> str:
    """JSON indented by two blanks, with what holds no other container on one line."""
    if not isinstance(value, (dict, list)) or not any(
        isinstance(x, (dict, list)) and x
        for x in (value.values() if isinstance(value, dict) else value)
    ):
        return json.dumps(value, allow_nan=False, ensure_ascii=False)
    inner = indent + "  "
    if isinstance(value, dict):
        items = [f"{json.dumps(k)}: {format_json(v, inner)}" for k, v in value.items()]
        opening, closing = "{}"
    else:
        items = [format_json(item, inner) for item in value]
        opening, closing = "[]"
    body = f",\n{inner}".join(items)
    return f"{opening}\n{inner}{body}\n{indent}{closing}"


def write_ir(text: str, file: str) -> None:
    """Write the text form of a graph or plan; with colors where a terminal shows it."""
    write_text(colored(text) if use_color(file) else text, file)


def write_graph(graph: Graph, file: str, full: bool = False) -> None:
    """Write a graph's text; beside a file its large constants, unless all are to be in full."""
    limit = None if full else 16
    if file == STDIO or full:
        write_ir(print_graph(graph, max_elements=limit), file)
    else:
        save_graph(graph, file)


def write_python(shown: Graph | ExecutionPlan, file: str, full: bool = False) -> None:
    """Write a graph's NumPy program; beside a file its large constants, unless in full."""
    from plait.deploy.exporting import packed
    from plait.inspect.program import write_program

    graph = shown.graph if isinstance(shown, ExecutionPlan) else shown
    beside = None if full or file == STDIO else Path(file).with_suffix(".npz")
    program = write_program(graph, beside=beside.name if beside is not None else None)
    if beside is not None and program.constants:
        write_bytes(packed(program.constants), str(beside))
    write_text(program.text, file)


def read_bytes(file: str) -> bytes:
    """The bytes of a file or of standard input.

    Raises
    ------
    TargetError
        The file cannot be read; says which are near.
    """
    if file == STDIO:
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise TargetError(f"cannot read {file}: {error.strerror}{near_files(file)}") from None


def near_files(file: str) -> str:
    """A hint at files of nearly the same name in the same folder."""
    from difflib import get_close_matches

    folder = Path(file).parent
    try:
        names = sorted(p.name for p in folder.iterdir() if p.is_file())
    except OSError:
        return ""
    near = get_close_matches(Path(file).name, names, n=3)
    return f"; did you mean {' or '.join((folder / n).as_posix() for n in near)}?" if near else ""


def read_graph(file: str) -> Graph:
    """A graph from a ``.ir`` file and the constants beside it, or from standard input.

    Raises
    ------
    ParseError
        The text is not a graph; points at line and column.
    VerificationError
        The graph breaks a rule of the IR.
    TargetError, GraphError
        A file is missing, or the constants are not those of the text.
    """
    data = read_bytes(file)
    name = "<stdin>" if file == STDIO else file
    text = decode(data, name)
    with source(text):
        graph = parse(text, name) if file == STDIO else load_graph(file)
    verify(graph)
    return graph
