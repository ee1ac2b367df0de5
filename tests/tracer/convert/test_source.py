"""The source of a function is found, or it is said why not."""

from __future__ import annotations

import asyncio
import functools
import json
import linecache
import math
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import pytest

import plait.tracer.convert as public
from plait.tracer.convert import Converter
from tests.tracer.convert.fake import idle, tracing

# fmt: off
FIRST, SECOND = (lambda x: x + 1 if x else 0), (lambda x: x - 1 if x else 0)
PAIR: list[Any] = [lambda x: x and (lambda y: x * y if y else 0), lambda x, y=2: x or y]
SPREAD = dict(  # noqa: C408
    key=lambda v: (
        v * 2 if v
        else 7
    ),
    other=lambda v: v)
EQUAL = [lambda: 1 and 2, lambda: 1 and 2]
# fmt: on


def converted(function: Any) -> Any:
    converter = tracing()
    assert converter.why_not(function) is None
    found = converter.convert(function)
    assert found is not function
    return found


def test_lambdas_on_one_line() -> None:
    assert converted(FIRST)(3) == 4
    assert converted(SECOND)(3) == 2
    assert converted(PAIR[0])(3)(5) == 15
    assert converted(PAIR[0](3))(5) == 15
    assert converted(PAIR[1])(0) == 2
    assert converted(SPREAD["key"])(4) == 8
    assert converted(SPREAD["other"])(4) == 4
    assert converted(EQUAL[1])() == 2


def module(tmp_path: Path, text: str, name: str = "made") -> dict[str, Any]:
    """What a file defines."""
    path = tmp_path / f"{name}.py"
    path.write_text(textwrap.dedent(text))
    names: dict[str, Any] = {"__name__": name}
    exec(compile(path.read_text(), str(path), "exec"), names)
    return names


def test_a_block_with_text_at_the_margin(tmp_path: Path) -> None:
    names = module(
        tmp_path,
        '''
        class A:
            def f(
                self,
                x,
            ) -> str:
                """Doc
        at the margin
                """
                # comment
        # and one more
                text = """
        not indented
        """
                if x:

                    return text

                return "no"  # end
            def g(self): return 1 if self else 2
            def h(self):
                def inner():
                    return 5
                if self: return inner()
        ''',
    )
    a = names["A"]()
    assert converted(a.f)(1) == "\nnot indented\n"
    assert converted(a.f)(0) == "no"
    assert converted(a.g)() == 1
    assert converted(a.h)() == 5
    assert converted(a.f).__self__ is a


def test_a_function_that_begins_inside_of_a_line(tmp_path: Path) -> None:
    text = "f = 1\nif f: g = [(lambda x: x + 1 if x else 0)\n  for _ in range(1)][0]\n"
    assert converted(module(tmp_path, text)["g"])(2) == 3


def test_a_changed_file_is_no_source(tmp_path: Path) -> None:
    f = module(tmp_path, "def f(x):\n    return x + 1 if x else 0\n")["f"]
    g = module(tmp_path, "def f(x):\n    return x + 2 if x else 0\n")["f"]
    linecache.clearcache()
    converter = idle()
    assert converter.convert(f) is f
    reason = converter.why_not(f)
    assert "is not what was loaded" in (reason or "")
    assert converter.why_not(g) is None


def test_a_stale_line_cache_is_read_again(tmp_path: Path) -> None:
    f = module(tmp_path, "def f(x):\n    return x + 1\n")["f"]
    linecache.getlines(f.__code__.co_filename)
    g = module(tmp_path, "\n\ndef f(x):\n    return x + 2 if x else 1\n")["f"]
    assert converted(g)(1) == 3
    assert idle().why_not(f) is not None


def test_code_without_a_file_is_no_source() -> None:
    names: dict[str, Any] = {}
    exec("def f(x):\n    return x", names)
    converter = idle()
    assert converter.convert(names["f"]) is names["f"]
    assert "not to be found" in (converter.why_not(names["f"]) or "")


def test_a_cell_of_a_notebook_is_found_in_linecache() -> None:
    text = "def f(x):\n    if x:\n        return 1\n    return 2\n"
    file = "/tmp/ipykernel_1/3.py"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    names: dict[str, Any] = {}
    exec(compile(text, file, "exec"), names)
    assert converted(names["f"])(0) == 2


async def asynchronous(x: int) -> int:
    return x


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (math.sin, "not a Python function"),
        (np.sin, "not a Python function"),
        (functools.partial(print), "not a Python function"),
        (int, "not a Python function"),
        (json.dumps, "standard library"),
        (np.linalg.norm, "not a Python function"),
        (np.linalg.norm.__wrapped__, "site-packages"),  # type: ignore[attr-defined]
        (asynchronous, "asynchronous"),
        (public.convert, "Plait's own"),
    ],
)
def test_what_is_not_converted_says_why(function: Any, reason: str) -> None:
    converter = idle()
    assert converter.convert(function) is function
    assert reason in (converter.why_not(function) or "")
    assert not converter.is_converted(function)


def test_libraries_are_converted_where_asked() -> None:
    converter = idle()
    assert converter.convert(textwrap.indent) is textwrap.indent
    converter.include("textwrap")
    assert converter.why_not(textwrap.indent) is None
    assert converter.convert(textwrap.indent)("a\nb", "> ") == "> a\n> b"
    assert converter.why_not(json.dumps) is not None


def test_asynchronous_code_inside_stays_as_it_is() -> None:
    def run() -> int:
        async def inner() -> int:
            return await asynchronous(3) if vars(asyncio) else 4

        return asyncio.run(inner())

    assert converted(run)() == 3


def test_long_functions(tmp_path: Path) -> None:
    ifs = "".join(
        f"    if x > {i}:\n        y += {i}\n    else:\n        y -= 1\n" for i in range(99)
    )
    elifs = "".join(f"    elif x == {i}:\n        y = {i}\n" for i in range(99))
    returns = "".join(f"    if x == {i}:\n        return {i * 2}\n" for i in range(60))
    loops = "".join(f"{'    ' * (d + 1)}for i{d} in range(2):\n" for d in range(6))
    for text in (
        f"def f(x):\n    y = 0\n{ifs}    return y\n",
        f"def f(x):\n    y = 0\n    if x < 0:\n        y = 5\n{elifs}    return y\n",
        f"def f(x):\n{returns}    return -1\n",
        f"def f(x):\n    y = 0\n{loops}{'    ' * 7}y += x\n    return y\n",
    ):
        f = module(tmp_path, text)["f"]
        assert [converted(f)(x) for x in (3, 50, 200)] == [f(x) for x in (3, 50, 200)]


def test_what_python_cannot_compile_is_refused(tmp_path: Path) -> None:
    returns = "".join(f"    if x == {i}:\n        return {i * 2}\n" for i in range(900))
    f = module(tmp_path, f"def f(x):\n{returns}    return -1\n")["f"]
    converter = idle()
    assert converter.convert(f) is f
    assert "too deeply nested" in (converter.why_not(f) or "")


# What the new function keeps.


def keeper(x: int, y: int = 2, *, z: int = 3) -> int:
    """Doc."""
    return x + y + z if x else 0


keeper.note = "kept"  # type: ignore[attr-defined]


def test_everything_but_the_code_is_kept() -> None:
    found = converted(keeper)
    for name in ("__name__", "__qualname__", "__module__", "__doc__", "__defaults__"):
        assert getattr(found, name) == getattr(keeper, name)
    assert found.__kwdefaults__ == {"z": 3}
    assert found.__annotations__ == keeper.__annotations__
    assert found.note == "kept"
    assert found.__globals__ is keeper.__globals__
    assert found(1) == 6


def test_closure_cells_stay_alive() -> None:
    count = 0

    def add(x: int) -> int:
        nonlocal count
        if x:
            count += x
        return count

    found = converted(add)
    assert found.__closure__ == add.__closure__
    assert found(2) == 2
    count = 10
    assert add(1) == 11
    assert found(1) == 12
    assert count == 12


def test_conversion_is_cached() -> None:
    converter = idle()
    found = converter.convert(keeper)
    assert converter.convert(keeper) is found
    assert converter.convert(found) is found
    assert converter.is_converted(found)
    assert not converter.is_converted(keeper)
    again = FunctionType(keeper.__code__, keeper.__globals__, "again", keeper.__defaults__)
    assert converter.convert(again).__code__ is found.__code__
    keeper.__defaults__ = (5,)
    try:
        assert converter.convert(keeper)(1, z=0) == 6
    finally:
        keeper.__defaults__ = (2,)


def test_functions_inside_are_converted() -> None:
    def outer() -> tuple[Callable[..., Any], Callable[..., Any], type]:
        class Inner:
            def method(self) -> int:
                return 1 if vars(self) else 2

        return (lambda x: x and 1), keeper, Inner

    converter = tracing()
    made, other, inner = converter.convert(outer)()
    assert converter.is_converted(made)
    assert converter.is_converted(inner.method)
    assert not converter.is_converted(other)


def test_equal_code_in_two_files(tmp_path: Path) -> None:
    text = "def f(x):\n    return x if x else missing\n"
    first, second = (module(tmp_path, text, name)["f"] for name in ("one", "two"))
    assert first.__code__ == second.__code__
    converter = idle()
    for f, name in ((first, "one"), (second, "two")):
        assert converter.convert(f).__code__.co_filename.endswith(f"{name}.py")
        assert converter.convert(f).__globals__ is f.__globals__


def test_a_global_that_becomes_a_function(tmp_path: Path) -> None:
    names = module(tmp_path, "def f(x):\n    return value if x else 0\n")
    f = names["f"]
    converter: Converter = tracing()
    reads = converter.runtime.calls
    for value, hooked in ((len, False), (3, True), (4, True)):
        names["value"] = value
        reads.clear()
        assert converter.convert(f)(1) is value
        assert bool(reads["read"]) == hooked
