"""Golden files: whole texts kept under ``tests/goldens``, rewritten by ``make bless``."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest

GOLDENS = Path(__file__).parent / "goldens"


def check_golden(name: str, text: str, *, folder: Path = GOLDENS) -> None:
    """Compare ``text`` with the golden file ``name``, or write it when ``PLAIT_BLESS=1``.

    Parameters
    ----------
    name : str
        File name below ``folder``, with its suffix; slashes make sub-folders.
    text : str
        What the test produced. A missing newline at the end is added.
    folder : Path
        Where the goldens are.
    """
    text = text if text.endswith("\n") else text + "\n"
    path = folder / name
    if os.environ.get("PLAIT_BLESS") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        return
    expected = path.read_text(encoding="utf-8") if path.exists() else ""
    if text != expected:
        diff = difflib.unified_diff(
            expected.splitlines(keepends=True), text.splitlines(keepends=True), name, "produced"
        )
        pytest.fail(f"{name} differs; `make bless` accepts it\n{''.join(diff)}", pytrace=False)
