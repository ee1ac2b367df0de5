"""Graphs in files: the text, and its large constants in a safetensors file beside it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from plait.ir.errors import GraphError, ParseError
from plait.ir.graph import Graph
from plait.ir.literal import Literal
from plait.ir.text.parser import parse
from plait.ir.text.printer import INLINE_ELEMENTS, Printer
from plait.ir.types import DType, bfloat16, complex64, complex128, is_complex, real_dtype

_HEADER = re.compile(r"# constants in [^\n]*, blake2b ([0-9a-f]{32})\n")
_COMPLEX = "plait.complex"
_DTYPES: dict[str, DType] = {
    "BF16": bfloat16,
    "BOOL": np.dtype(np.bool_),
    **{f"F{8 * n}": np.dtype(f"f{n}") for n in (2, 4, 8)},
    **{f"I{8 * n}": np.dtype(f"i{n}") for n in (1, 2, 4, 8)},
    **{f"U{8 * n}": np.dtype(f"u{n}") for n in (1, 2, 4, 8)},
}


def save_graph(
    graph: Graph, path: str | os.PathLike[str], *, max_elements: int = INLINE_ELEMENTS
) -> tuple[Path, ...]:
    """Write a graph's text, and its large constants to a safetensors file of the same name.

    Each file is replaced at once, never left half written.

    Parameters
    ----------
    graph : Graph
    path : path
        The text's file, such as ``cell.ir``; the constants go to ``cell.safetensors``.
    max_elements : int
        Constants of more elements go to the safetensors file.

    Returns
    -------
    tuple of Path
        The files written: the text, and the constants if there are large ones.

    Raises
    ------
    GraphError
        A file cannot be written, or an attribute has no text form.
    """
    target = Path(path)
    beside = constants_path(target)
    printer = Printer(True, max_elements)
    text = printer.write(graph) + "\n"
    if not printer.constants:
        replace_file(target, text.encode())
        return (target,)
    data = pack_constants(printer.constants)
    digest = hashlib.blake2b(data, digest_size=16).hexdigest()
    replace_file(beside, data)
    replace_file(target, f"# constants in {beside.name}, blake2b {digest}\n{text}".encode())
    return target, beside


def load_graph(
    path: str | os.PathLike[str], *, functions: Mapping[str, Callable[..., Any]] | None = None
) -> Graph:
    """Read a graph that ``save_graph`` wrote; both files are checked.

    Parameters
    ----------
    path : path
        The text's file; its constants are in the safetensors file of the same name.
    functions : mapping of str to callable, optional
        The Python functions that callbacks name.

    Raises
    ------
    ParseError
        The text is not a graph.
    GraphError
        A file is missing or cut, or the constants are not those of the text.
    """
    target = Path(path)
    text = decode(_read(target), str(path))
    return parse(text, str(path), _Beside(target, text), functions)


def constants_path(path: str | os.PathLike[str]) -> Path:
    """The safetensors file beside a text's file."""
    found = Path(path).with_suffix(".safetensors")
    if found == Path(path):
        raise GraphError(f"{path}: a graph's text cannot be named .safetensors; use .ir")
    return found


def decode(data: bytes, file: str) -> str:
    """The text in a file's bytes, which must be UTF-8; the byte order mark is left out."""
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise ParseError("the text is not UTF-8", file, line, column) from None


class _Beside(Mapping[str, Literal]):
    """The constants beside a text, read when the text first names one."""

    def __init__(self, target: Path, text: str) -> None:
        self._target = target
        self._text = text

    @cached_property
    def _constants(self) -> dict[str, Literal]:
        return _load_constants(self._target, self._text)

    def __getitem__(self, name: str) -> Literal:
        return self._constants[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._constants)

    def __len__(self) -> int:
        return len(self._constants)


def _load_constants(target: Path, text: str) -> dict[str, Literal]:
    beside = constants_path(target)
    if not beside.exists():
        raise GraphError(
            f"{target} needs its constants in {beside.name}, which is not beside it; "
            "copy or save both files together"
        )
    data = _read(beside)
    constants = unpack_constants(data, beside)
    header = _HEADER.match(text)
    if header and hashlib.blake2b(data, digest_size=16).hexdigest() != header[1]:
        raise GraphError(
            f"{beside} does not hold the constants that {target.name} was saved with; save the "
            "graph again, or take out the first line of the text to use these"
        )
    return constants


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise GraphError(f"cannot read {path}: {error.strerror}") from None


def replace_file(path: Path, data: bytes) -> None:
    """Write a temporary file beside ``path`` and rename it.

    Raises
    ------
    GraphError
        It cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        try:
            with temporary.open("xb") as file:
                file.write(data)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise GraphError(f"cannot write {path}: {error.strerror}") from None


def pack_constants(constants: Mapping[str, Literal]) -> bytes:
    """The bytes of a safetensors file; complex constants as pairs of real numbers."""
    from safetensors.numpy import save

    arrays = {name: np.asarray(c.array, order="C") for name, c in constants.items()}
    pairs = {n: str(a.dtype) for n, a in arrays.items() if is_complex(a.dtype)}
    for name in pairs:
        real = real_dtype(arrays[name].dtype)
        arrays[name] = arrays[name].view(real).reshape(*arrays[name].shape, 2)
    made: bytes = save(arrays, metadata={_COMPLEX: json.dumps(pairs)} if pairs else None)
    return made


def unpack_constants(data: bytes, path: str | Path) -> dict[str, Literal]:
    """The constants in the bytes of a safetensors file.

    Raises
    ------
    GraphError
        The bytes are cut or garbled, or hold a dtype that tensors do not have.
    """
    from safetensors import SafetensorError, deserialize

    try:
        found = deserialize(data)  # type: ignore[no-untyped-call]
        size = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + size]).get("__metadata__") or {}
        pairs = json.loads(metadata.get(_COMPLEX, "{}"))
        return {name: _constant(name, tensor, pairs.get(name)) for name, tensor in found}
    except (SafetensorError, ValueError, AttributeError, KeyError) as error:
        raise GraphError(f"{path} is not a whole safetensors file of tensors: {error}") from None


def _constant(name: str, tensor: Mapping[str, Any], pair: str | None) -> Literal:
    if tensor["dtype"] not in _DTYPES:
        raise ValueError(f"{name} has dtype {tensor['dtype']}")
    dtype = _DTYPES[tensor["dtype"]].newbyteorder("<") if tensor["dtype"] != "BF16" else bfloat16
    array = np.frombuffer(tensor["data"], dtype).reshape(tensor["shape"])
    if pair is not None:
        wide = {str(d): d for d in (complex64, complex128)}[pair]
        array = array.view(wide).reshape(array.shape[:-1])
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    array.flags.writeable = False
    return Literal(array)
