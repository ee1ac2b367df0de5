"""The examples of the documentation run, and what they show is true."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import numpy as np
import pytest

import plait as pl

DOCS = Path(__file__).parents[2] / "docs"
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
#: Every block of Python in these is an example that runs; the blocks of a file run in order.
EXAMPLED = ("gradients.md", "jax.md")


def examples(name: str) -> list[doctest.Example]:
    """The examples of a file, with their lines in it."""
    text = (DOCS / name).read_text(encoding="utf-8")
    found = []
    for block in BLOCK.finditer(text):
        first = text.count("\n", 0, block.start(1))
        for example in doctest.DocTestParser().get_examples(block[1]):
            example.lineno += first
            found.append(example)
    return found


def run(name: str, found: list[doctest.Example]) -> str:
    """What a reader would see that is not as written; nothing when all is."""
    test = doctest.DocTest(found, {"pl": pl, "np": np}, name, str(DOCS / name), 0, None)
    output: list[str] = []
    doctest.DocTestRunner(optionflags=FLAGS).run(test, out=output.append)
    return "".join(output)


@pytest.mark.parametrize("name", EXAMPLED)
def test_the_examples_run(name: str) -> None:
    found = run(name, examples(name))
    assert not found, found


@pytest.mark.parametrize("name", EXAMPLED)
def test_every_block_is_an_example(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    assert all(block[1].startswith(">>> ") for block in BLOCK.finditer(text))
    assert len(examples(name)) > 10


def test_what_is_wrong_is_found() -> None:
    (wrong,) = doctest.DocTestParser().get_examples(">>> pl.add(1, 1)\n3\n")
    assert "Expected:" in run("none.md", [wrong])
