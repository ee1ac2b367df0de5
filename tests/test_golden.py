"""The golden helper itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden import check_golden


def test_blessing_writes_what_is_then_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAIT_BLESS", "1")
    check_golden("deep/a.ir", "one\ntwo", folder=tmp_path)
    monkeypatch.delenv("PLAIT_BLESS")
    check_golden("deep/a.ir", "one\ntwo\n", folder=tmp_path)


def test_a_difference_fails_with_a_diff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLAIT_BLESS", raising=False)
    (tmp_path / "a.ir").write_text("one\ntwo\n")
    with pytest.raises(pytest.fail.Exception, match=r"(?s)-two.*\+three"):
        check_golden("a.ir", "one\nthree\n", folder=tmp_path)


def test_a_missing_golden_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLAIT_BLESS", raising=False)
    with pytest.raises(pytest.fail.Exception, match="make bless"):
        check_golden("new.ir", "text", folder=tmp_path)
