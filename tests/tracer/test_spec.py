"""Specs and their text form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plait.ir import Dim, errors
from plait.tracer import TensorSpec, parse_specs, spec_from_text


def test_spec_forms() -> None:
    spec = TensorSpec((8, "batch"), np.float32)
    assert repr(spec) == "f32[8,batch]"
    assert spec.shape == (8, Dim("batch"))
    assert spec == parse_specs("float32[8, batch]")[0][0]
    assert TensorSpec(3).shape == (3,)
    assert repr(TensorSpec((), "bfloat16")) == "bf16[]"


def test_spec_of_a_text() -> None:
    spec = TensorSpec("f32[8,16]")
    assert spec == TensorSpec((8, 16), "float32")
    assert TensorSpec(" i64 [batch, 2] ", name="x").type == TensorSpec(("batch", 2), "int64").type
    assert TensorSpec("bool[]").shape == ()
    assert TensorSpec("batch").shape == (Dim("batch"),)


@pytest.mark.parametrize("text", ["f32[8", "f32[8,-1]", "f32[8] f32[8]", "f33[8]", "[8]"])
def test_bad_texts(text: str) -> None:
    with pytest.raises(errors.ParseError):
        TensorSpec(text)
    with pytest.raises(errors.ParseError, match=r"taken for a type.*static="):
        spec_from_text(text)


def test_a_missing_bracket_is_named() -> None:
    with pytest.raises(errors.ParseError, match=r"'f32\[2,': ']' is missing"):
        spec_from_text("f32[2,")
    for text in ("f32[2,", "x=f32[2", "f32[3], f32[2, k=1", "(f32[2)"):
        with pytest.raises(errors.ParseError, match=r"']' is missing in f32\[2"):
            parse_specs(text)


def test_dtype_given_twice() -> None:
    with pytest.raises(errors.DTypeError, match="already"):
        TensorSpec("f32[8]", "float64")


def test_strings_that_are_types() -> None:
    assert spec_from_text("f32[8]") == TensorSpec(8)
    for value in ("mean", "", "token", 3, None, (8,)):
        assert spec_from_text(value) is None


@pytest.mark.parametrize("shape", [(-1,), (1.5,), ("a b",), 3.5, (None,)])
def test_bad_shapes(shape: Any) -> None:
    with pytest.raises(errors.ShapeError):
        TensorSpec(shape)


def test_bad_dtypes() -> None:
    with pytest.raises(errors.UnknownNameError, match="float33"):
        TensorSpec((), "float33")
    with pytest.raises(errors.DTypeError, match="object"):
        TensorSpec((), object)


@pytest.mark.parametrize(
    ("text", "args", "kwargs"),
    [
        ("", (), {}),
        ("f32[8,16] f32[32]", (TensorSpec((8, 16)), TensorSpec(32)), {}),
        ('{"x": f32[8,16]}, k=2', ({"x": TensorSpec((8, 16))},), {"k": 2}),
        ("[f32[2], (i32[],)]", ([TensorSpec(2), (TensorSpec((), "int32"),)],), {}),
        ("(f32[2])", (TensorSpec(2),), {}),
        ("x=-1.5e3 y='a b' z=None", (), {"x": -1500.0, "y": "a b", "z": None}),
        ("True, False, [], {}, ()", (True, False, [], {}, ()), {}),
        ("rate=inf", (), {"rate": float("inf")}),
    ],
)
def test_specs(text: str, args: Any, kwargs: Any) -> None:
    assert parse_specs(text) == (args, kwargs)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("f32", 1),
        ("f32[8] g32[8]", 8),
        ("f32[8,-1]", 1),
        ("k=1 f32[8]", 5),
        ("k=1 k=2", 5),
        ("[f32[8]", 8),
        ("f32[8] @", 8),
        ('{"a" 3}', 6),
        ("token", 1),
        ("[" * 200, 102),
    ],
)
def test_bad_specs_name_their_column(text: str, column: int) -> None:
    with pytest.raises(errors.ParseError) as caught:
        parse_specs(text)
    assert caught.value.column == column


@given(st.text(alphabet="f32[]8,16{}()=:\"'k -.@", max_size=30))
def test_any_text_parses_or_is_a_parse_error(text: str) -> None:
    try:
        parse_specs(text)
    except errors.ParseError as error:
        if not str(error).startswith("<spec>:1:"):
            raise
