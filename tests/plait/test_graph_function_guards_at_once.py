"""What cannot be guarded is never taken to stay as it was at the capture."""

from __future__ import annotations

import argparse
import types
from typing import Any

import pytest

import plait as pl


class Slots:
    __slots__ = ("extra", "factor")


def test_an_empty_slot_may_be_filled() -> None:
    held: Any = Slots()
    held.factor = 2.0

    def scale(x: Any) -> Any:
        return x * held.factor + (held.extra if hasattr(held, "extra") else 0.0)

    f = pl.graph_function(scale, backend="reference")
    assert float(f(pl.constant(1.0))) == 2.0
    held.extra = 10.0
    assert float(f(pl.constant(1.0))) == 12.0
    del held.extra
    assert float(f(pl.constant(1.0))) == 2.0


@pytest.mark.parametrize("make", [types.SimpleNamespace, argparse.Namespace])
def test_namespaces_of_the_standard_library_are_read_as_any_object(make: Any) -> None:
    options = make(rate=2.0, layers=[1.0])

    def scale(x: Any) -> Any:
        return x * options.rate + options.layers[0] + getattr(options, "bias", 0.0)

    f = pl.graph_function(scale, backend="reference")
    assert float(f(pl.constant(1.0))) == 3.0
    options.rate = 5.0
    assert float(f(pl.constant(1.0))) == 6.0
    options.layers[0] = 2.0
    assert float(f(pl.constant(1.0))) == 7.0
    options.bias = 10.0
    assert float(f(pl.constant(1.0))) == 17.0
