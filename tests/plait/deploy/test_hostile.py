"""Files that are cut, garbled, hostile or newer: one class of error, and nothing happens."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

import plait as pl
from plait.deploy import archive
from plait.ir.errors import SavedFileError
from tests.plait.deploy import mutations


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    return mutations.samples()


@pytest.mark.parametrize("start", range(0, 400, 50))
def test_broken_files_are_refused(files: list[bytes], tmp_path: Path, start: int) -> None:
    outcomes = set()
    for seed in range(start, start + 50):
        _, data = mutations.mutated(files, seed)
        outcomes.add(mutations.read(tmp_path / "f.plait", data))
    assert "refused" in outcomes


def test_whole_files_are_read(files: list[bytes], tmp_path: Path) -> None:
    assert [mutations.read(tmp_path / "f.plait", data) for data in files] == ["read"] * len(files)


def test_a_file_that_is_cut_anywhere_is_refused(files: list[bytes], tmp_path: Path) -> None:
    data = files[1]
    for end in range(0, len(data), 97):
        assert mutations.read(tmp_path / "f.plait", data[:end]) == "refused"


def refused(tmp_path: Path, data: bytes) -> str:
    path = tmp_path / "f.plait"
    path.write_bytes(data)
    with pytest.raises(SavedFileError) as error:
        pl.load(path)
    assert str(path) in error.value.message
    return error.value.message


def changed(data: bytes, **entries: Any) -> bytes:
    """A file whose manifest has other entries."""
    members = archive.unpack(data)
    manifest = json.loads(members[archive.MANIFEST]) | entries
    return archive.pack({**members, archive.MANIFEST: json.dumps(manifest).encode()})


def test_a_newer_version_says_what_to_do(files: list[bytes], tmp_path: Path) -> None:
    message = refused(tmp_path, changed(files[1], version=2, plait="9.0", more="unknown"))
    assert "format version 2, written by Plait 9.0" in message
    assert "install a newer one" in message


def test_something_else_is_named(tmp_path: Path, files: list[bytes]) -> None:
    assert "no whole zip file" in refused(tmp_path, b"hello")
    assert "plait.saved" in refused(tmp_path, changed(files[1], format="keras"))


def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path, files: list[bytes]) -> None:
    members = archive.unpack(files[1])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name in members:
            file.writestr(name, b"\0" * 20_000_000)
    assert "compressed" in refused(tmp_path, buffer.getvalue())


def test_members_of_other_names_are_refused(tmp_path: Path, files: list[bytes]) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in archive.unpack(files[1]).items():
            file.writestr(name, data)
        file.writestr("../../evil.py", b"raise SystemExit")
    assert "../../evil.py" in refused(tmp_path, buffer.getvalue())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f.plait"]


def test_deep_documents_are_refused(tmp_path: Path, files: list[bytes]) -> None:
    members = archive.unpack(files[1])
    deep = b'{"format": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    refused(tmp_path, archive.pack({**members, archive.MANIFEST: deep}))
    tree: Any = None
    for _ in range(400):
        tree = {"kind": "list", "children": [tree]}
    refused(tmp_path, changed(files[1], result=tree))


def test_other_hashes_are_refused(tmp_path: Path, files: list[bytes]) -> None:
    members = archive.unpack(files[0])
    changed_weights = members[archive.WEIGHTS][:-1] + b"\1"
    data = archive.pack({**members, archive.WEIGHTS: changed_weights})
    assert "hash differs" in refused(tmp_path, data)


def signed(data: bytes, text: str) -> bytes:
    """A file with another graph, whose hash is right."""
    members = {**archive.unpack(data), archive.GRAPH: text.encode()}
    entry = {archive.GRAPH: [len(text.encode()), archive.digest(text.encode())]}
    known = json.loads(members[archive.MANIFEST])["members"]
    return changed(archive.pack(members), members=known | entry)


PYTHON = """\
graph plain(%x: f32[n]) -> (f32[n], f32[n]) {
  %0: token = create_token()
  %1: token, %2: f32[n] = callback(%0, %x) {function = python "os:system", result_types = (f32[n],)}
  return %2, %2
}
"""
HUGE = """\
graph plain(%x: f32[n]) -> (f32[n], f32[n]) {
  %0: f32[99999999999,99999999999] = full() {value = 1.0: f32[], shape = (99999999999, 99999999999)}
  return %x, %x
}
"""


def test_python_functions_are_refused(tmp_path: Path, files: list[bytes]) -> None:
    assert "Python function" in refused(tmp_path, signed(files[1], PYTHON))


def test_huge_shapes_take_no_memory(tmp_path: Path, files: list[bytes]) -> None:
    path = tmp_path / "f.plait"
    path.write_bytes(signed(files[1], HUGE))
    pl.load(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing.plait", "\0"):
        with pytest.raises(SavedFileError):
            pl.load(path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SavedFileError, match="no regular file"):
        pl.load(tmp_path / "pipe")
