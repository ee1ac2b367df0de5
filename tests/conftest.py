"""What holds for every test: fixed seeds, random tests that reproduce, no GPU unless asked for."""

from __future__ import annotations

import os
import random
import sys

import hypothesis
import numpy as np
import pytest

GPU_WANTED = os.environ.get("PLAIT_TEST_GPU") == "1"
if not GPU_WANTED:
    os.environ["JAX_PLATFORMS"] = "cpu"

# `ci` draws the same cases on every run; `campaign` draws new ones, many more of them. A failure
# of either prints a blob that `@hypothesis.reproduce_failure` takes.
hypothesis.settings.register_profile(
    "ci", max_examples=50, derandomize=True, print_blob=True, deadline=None, database=None
)
hypothesis.settings.register_profile("campaign", max_examples=5_000, print_blob=True, deadline=None)
hypothesis.settings.load_profile("ci")


@pytest.fixture(autouse=True)
def _fixed_seeds() -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - what library code under test may draw from
    plait = sys.modules.get("plait")
    if plait is not None and hasattr(plait, "random"):
        plait.random.seed(0)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PLAIT_LOG", "PLAIT_DUMP_TO", "PLAIT_DISABLE_GRAPH"):
        monkeypatch.delenv(name, raising=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, and say so, what needs a GPU."""
    if GPU_WANTED:
        return
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skip(reason="needs a GPU: make test-gpu"))
