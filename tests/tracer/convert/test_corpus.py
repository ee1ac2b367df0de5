"""Converted functions do what the originals do: results, errors, and where these were raised."""

from __future__ import annotations

import copy
import itertools
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from plait.tracer.convert import Converter
from tests.tracer.convert import corpus_control, corpus_exceptions, corpus_names
from tests.tracer.convert.fake import idle, tracing

CASES = corpus_control.CASES
assert callable(corpus_exceptions.raises)  # its functions are among the cases
assert corpus_names.METHODS  # and those of this one

CONVERTERS = {"idle": idle(), "tracing": tracing()}


def outcome(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """What a call gives, or how it fails and on which lines of the user's file."""
    arguments = copy.deepcopy(arguments)
    try:
        result = function(*arguments)
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [(f.name, f.lineno) for f in frames if "corpus_" in f.filename]
        own = [line for line, _ in itertools.groupby(lines)]  # an operand may run in a thunk
        cause = type(error.__cause__)
        return type(error), str(error), own, cause, error.__suppress_context__
    return result, arguments


@pytest.mark.parametrize("name", CONVERTERS)
@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda n: f"{CASES[n][0].__name__}-{n}")
def test_means_the_same(name: str, number: int) -> None:
    function, arguments = CASES[number]
    converter = CONVERTERS[name]
    assert converter.why_not(function) is None
    converted = converter.convert(function)
    assert converted is not function
    assert outcome(converted, arguments) == outcome(function, arguments)


@pytest.mark.parametrize("name", CONVERTERS)
def test_methods_mean_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    converter: Converter = CONVERTERS[name]
    expected = corpus_names.methods(3)
    for method in ("__init__", "get", "name"):
        for owner in (corpus_names.Base, corpus_names.Derived):
            if method in vars(owner):
                original = vars(owner)[method]
                assert converter.why_not(original) is None
                monkeypatch.setattr(owner, method, converter.convert(original))
    getter: Any = vars(corpus_names.Derived)["size"].fget
    size = converter.convert(getter)
    monkeypatch.setattr(corpus_names.Derived, "size", property(size))
    assert converter.convert(corpus_names.methods)(3) == expected
