"""The file itself: a zip of four members, the same bytes each time, verified when it is read."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

from plait.ir.errors import GraphError, SavedFileError
from plait.ir.text import replace_file

MANIFEST, GRAPH, WEIGHTS, SOURCE = (
    "manifest.json",
    "graph.ir",
    "weights.safetensors",
    "source.json",
)
MEMBERS = (MANIFEST, GRAPH, WEIGHTS, SOURCE)
MIB = 1 << 20
#: Most bytes of a member that is parsed, which takes many times its size; weights are not.
LIMITS = {MANIFEST: 8 * MIB, GRAPH: 32 * MIB, SOURCE: 8 * MIB}

Members = Mapping[str, bytes]

_DATE = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_READABLE = 0o644 << 16
#: What ``zipfile`` raises for bytes that are no zip.
_BROKEN = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    KeyError,
    EOFError,
    OSError,
    OverflowError,
    IndexError,
)


def digest(data: bytes) -> str:
    """A hash of a member's bytes."""
    return hashlib.blake2b(data, digest_size=32).hexdigest()


def pack(members: Members) -> bytes:
    """The bytes of a file with these members, not compressed."""
    for name, data in members.items():
        if len(data) > LIMITS.get(name, len(data)):
            raise SavedFileError(
                f"{name} would have {len(data):,} bytes; at most {LIMITS[name]:,} can be read again"
            )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
        for name in MEMBERS:
            info = zipfile.ZipInfo(name, _DATE)
            info.create_system, info.external_attr = _UNIX, _READABLE
            file.writestr(info, members[name])
    return buffer.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """The members in the bytes of a file.

    Raises
    ------
    SavedFileError
        They are no zip of exactly these members, each stored as it is and within its bounds.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            infos = file.infolist()
            _check(infos, len(data))
            return {info.filename: file.read(info) for info in infos}
    except _BROKEN as error:
        if isinstance(error, SavedFileError):
            raise
        raise SavedFileError(f"it is no whole zip file: {error}") from None


def _check(infos: list[zipfile.ZipInfo], size: int) -> None:
    """Demand the members that there are to be, before any of them is read."""
    names = [info.orig_filename for info in infos]
    if sorted(names) != sorted(MEMBERS):
        shown = ", ".join([repr(name)[:40] for name in names[:8]]) or "nothing"
        raise SavedFileError(f"it is to hold {', '.join(MEMBERS)} once each; it holds {shown}")
    for info in infos:
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise SavedFileError(f"{info.filename} is compressed; members are stored as they are")
        if info.flag_bits & ~0x800:
            raise SavedFileError(f"{info.filename} is encrypted or streamed")
        if info.file_size > LIMITS.get(info.filename, info.file_size):
            raise SavedFileError(f"{info.filename} claims {info.file_size:,} bytes: too many")
    if sum([info.file_size for info in infos]) > size:
        raise SavedFileError("its members claim more bytes than the file has")


def read_file(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a regular file.

    Raises
    ------
    SavedFileError
        It cannot be read, or is something else.
    """
    try:
        found = os.stat(path)  # first: a pipe would be waited for
        if not stat.S_ISREG(found.st_mode):
            raise SavedFileError(f"cannot read {os.fspath(path)}: it is no regular file")
        with open(path, "rb") as file:
            return file.read(found.st_size)
    except OSError as error:
        reason = error.strerror or error
        raise SavedFileError(f"cannot read {os.fspath(path)}: {reason}") from None
    except SavedFileError:
        raise
    except ValueError as error:  # a name with a null byte
        raise SavedFileError(f"cannot read {os.fspath(path)!r}: {error}") from None


def write_file(path: str | os.PathLike[str], data: bytes) -> None:
    """Replace a file at once.

    Raises
    ------
    SavedFileError
        It cannot be written.
    """
    target = Path(path)
    if target.exists() and not target.is_file():  # renaming would take the place of a device
        raise SavedFileError(f"cannot write {target}: it is there and is no regular file")
    try:
        replace_file(target, data)
    except (GraphError, ValueError) as error:
        raise SavedFileError(getattr(error, "message", f"cannot write {path}: {error}")) from None


__all__ = ["MANIFEST", "MEMBERS", "digest", "pack", "read_file", "unpack", "write_file"]
