"""The types of the front door are those of the functions that it makes."""

from __future__ import annotations

import inspect

import plait as pl
from tests.golden import check_golden
from tests.structure import stub
from tests.structure.source import ROOT


def test_stub_is_up_to_date() -> None:
    check_golden("__init__.pyi", stub.stub(), folder=ROOT / "plait")


def test_every_exception_is_still_needed() -> None:
    """A name in a table of the generator that nothing bears any more is to go."""
    signatures = [inspect.signature(getattr(pl, name)) for name in stub.function_names()]
    parameters = {name for signature in signatures for name in signature.parameters}
    assert stub.PARAMETERS.keys() | stub.GATHERED.keys() <= parameters
    assert stub.RETURNS.keys() <= set(stub.function_names())
