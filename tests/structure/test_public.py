"""Every public name is documented and exampled, and every example in the package runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
from collections.abc import Collection, Iterator
from types import ModuleType

import numpy as np
import pytest

import plait as pl
from tests.structure.source import Module, modules

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# Public names without an example, each with its reason.
UNEXAMPLED: dict[str, str] = {}


def public_names() -> dict[str, object]:
    """Our functions and classes, by dotted name, in ``plait`` and the modules it lists."""
    found: dict[str, object] = {}
    pending: list[ModuleType] = [pl]
    for module in pending:
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if isinstance(value, ModuleType) and value not in pending:
                pending.append(value)
            elif callable(value) and str(getattr(value, "__module__", "")).startswith("plait"):
                found[f"{module.__name__}.{name}"] = value
    return found


def undocumented_members(cls: type) -> Iterator[str]:
    """Public methods and properties of a class that have no docstring."""
    for name, member in vars(cls).items():
        documentable = inspect.isroutine(member) or isinstance(
            member, property | classmethod | staticmethod
        )
        if documentable and not name.startswith("_") and not inspect.getdoc(member):
            yield name


def defined_at(value: object) -> str:
    """The dotted name of the place where a function or class is defined."""
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"


def run_examples(value: object, name: str, *, skipped: Collection[str] = ()) -> None:
    """Run the examples in the docstrings of a module, class or function, and fail if one does."""
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    output: list[str] = []
    for test in doctest.DocTestFinder().find(value, name):
        if not any(test.name == one or test.name.startswith(f"{one}.") for one in skipped):
            test.globs |= {"pl": pl, "np": np}
            runner.run(test, out=output.append)
    assert not runner.failures, "".join(output)


PUBLIC = public_names()


def test_the_front_door_lists_its_names() -> None:
    assert pl.__all__, "plait/__init__.py has no __all__"


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name_is_documented(name: str) -> None:
    value = PUBLIC[name]
    text = inspect.getdoc(value) or ""
    assert text, "no docstring"
    if inspect.isclass(value):
        assert list(undocumented_members(value)) == []
    if name not in UNEXAMPLED:
        assert "Examples\n--------" in text, "no Examples section"
        assert ">>> " in text, "the example is not in doctest form"


@pytest.mark.parametrize("name", PUBLIC)
def test_public_examples_run(name: str) -> None:
    run_examples(PUBLIC[name], name)


def exampled_modules() -> list[Module]:
    return [m for m in modules() if ">>> " in m.path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("module", exampled_modules(), ids=lambda module: module.name)
def test_inner_examples_run(module: Module) -> None:
    public = {defined_at(value) for value in PUBLIC.values()}
    run_examples(importlib.import_module(module.name), module.name, skipped=public)
