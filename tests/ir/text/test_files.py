"""Graphs in files: both files are checked, and no file is ever left half written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plait import ir
from plait.ir import Graph, GraphBuilder
from plait.ir.errors import GraphError, ParseError


def with_constants(*arrays: Any) -> Graph:
    builder = GraphBuilder("weights")
    return builder.build([builder.constant(a) for a in arrays])


def every_dtype() -> Graph:
    numbers = np.arange(40).reshape(4, 10)
    return with_constants(*[(numbers % 7).astype(d) for d in ir.DTYPES], np.ones(2))


def test_every_dtype_comes_back(tmp_path: Path) -> None:
    graph = every_dtype()
    written = ir.save_graph(graph, tmp_path / "g.ir")
    assert [p.name for p in written] == ["g.ir", "g.safetensors"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["g.ir", "g.safetensors"]
    again = ir.load_graph(tmp_path / "g.ir")
    assert ir.structural_equal(again, graph, locations=True)
    assert not again.nodes[0].attributes["value"].array.flags.writeable


def test_odd_bits_come_back(tmp_path: Path) -> None:
    bits = np.full(20, 0x7FC00001, np.uint32).view(np.float32)
    graph = with_constants(bits, (bits + 1j * bits).astype(np.complex64), np.ones((5, 0, 9)))
    ir.save_graph(graph, tmp_path / "g.ir", max_elements=0)
    assert ir.structural_equal(ir.load_graph(tmp_path / "g.ir"), graph)


def test_a_graph_without_large_constants_is_one_file(tmp_path: Path) -> None:
    graph = with_constants(np.ones(3, np.float32))
    assert ir.save_graph(graph, tmp_path / "g.ir") == (tmp_path / "g.ir",)
    assert (tmp_path / "g.ir").read_text() == f"{graph}\n"
    assert ir.structural_equal(ir.load_graph(str(tmp_path / "g.ir")), graph)


def test_other_tools_can_read_the_constants(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    ir.save_graph(with_constants(np.arange(20), np.ones(20, np.complex128)), tmp_path / "g.ir")
    found = load_file(tmp_path / "g.safetensors")
    assert found["const_0"].tolist() == list(range(20))
    assert found["const_1"].shape == (20, 2)


@pytest.mark.parametrize("kept", [0, 4, 8, 60, 200, -1])
def test_cut_constants(tmp_path: Path, kept: int) -> None:
    ir.save_graph(every_dtype(), tmp_path / "g.ir")
    path = tmp_path / "g.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(GraphError, match=r"g\.safetensors is not a whole safetensors file"):
        ir.load_graph(tmp_path / "g.ir")


def test_changed_constants(tmp_path: Path) -> None:
    ir.save_graph(with_constants(np.ones(20)), tmp_path / "g.ir")
    ir.save_graph(with_constants(np.zeros(20)), tmp_path / "other.ir")
    (tmp_path / "other.safetensors").rename(tmp_path / "g.safetensors")
    with pytest.raises(GraphError, match=r"does not hold the constants that g\.ir was saved with"):
        ir.load_graph(tmp_path / "g.ir")
    text = (tmp_path / "g.ir").read_text().partition("\n")[2]
    (tmp_path / "g.ir").write_text(text)
    assert ir.evaluate(ir.load_graph(tmp_path / "g.ir"), [])[0].sum() == 0


def test_constants_of_another_type(tmp_path: Path) -> None:
    ir.save_graph(with_constants(np.ones(20)), tmp_path / "g.ir")
    text = (tmp_path / "g.ir").read_text().partition("\n")[2]
    (tmp_path / "g.ir").write_text(text.replace("f64", "f32"))
    with pytest.raises(ParseError, match=r"g\.ir:2:.*@const_0 is f64\[20\], but .* says f32\[20\]"):
        ir.load_graph(tmp_path / "g.ir")
    (tmp_path / "g.ir").write_text(text.replace("const_0", "weights"))
    with pytest.raises(ParseError, match="constant @weights is not in the text"):
        ir.load_graph(tmp_path / "g.ir")


def test_a_dtype_that_tensors_do_not_have(tmp_path: Path) -> None:
    ir.save_graph(with_constants(np.ones(20, np.uint8)), tmp_path / "g.ir")
    header = json.dumps({"const_0": {"dtype": "F8_E5M2", "shape": [20], "data_offsets": [0, 20]}})
    packed = len(header).to_bytes(8, "little") + header.encode() + bytes(20)
    (tmp_path / "g.safetensors").write_bytes(packed)
    with pytest.raises(GraphError, match="const_0 has dtype F8_E5M2"):
        ir.load_graph(tmp_path / "g.ir")


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match=r"cannot read .*none\.ir: No such file"):
        ir.load_graph(tmp_path / "none.ir")
    with pytest.raises(GraphError, match="cannot write"):
        ir.save_graph(every_dtype(), tmp_path / "no" / "folder.ir")
    with pytest.raises(GraphError, match=r"cannot be named \.safetensors"):
        ir.save_graph(every_dtype(), tmp_path / "g.safetensors")
    ir.save_graph(every_dtype(), tmp_path / "g.ir")
    (tmp_path / "g.safetensors").unlink()
    with pytest.raises(GraphError, match=r"needs its constants in g\.safetensors"):
        ir.load_graph(tmp_path / "g.ir")


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "g.ir").write_bytes(b"graph f() -> () {\n \xff }")
    with pytest.raises(ParseError, match=r"g\.ir:2:2: error: the text is not UTF-8"):
        ir.load_graph(tmp_path / "g.ir")


def test_windows_line_ends_and_byte_order_marks(tmp_path: Path) -> None:
    (tmp_path / "g.ir").write_bytes(b"\xef\xbb\xbfgraph f() -> () {\r\n  return\r\n}\r\n")
    assert ir.load_graph(tmp_path / "g.ir").name == "f"


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ir.save_graph(every_dtype(), tmp_path / "g.ir")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(GraphError, match=r"cannot write .*: No space left on device"):
        ir.save_graph(with_constants(np.zeros(30)), tmp_path / "g.ir")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
