"""The list of packages is complete, and what is installed is what the repository holds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.structure.source import ROOT, SITE, modules, packages, pyproject

SETUPTOOLS = pyproject()["tool"]["setuptools"]
SOURCES = ("backends", "ir", "passes", "plait", "tracer")
DOCUMENTED_FOLDERS = ("tests", "notebooks", "benchmarks", "docs", "examples")


def has_code(folder: Path) -> bool:
    return any(folder.glob("*.py"))


@pytest.mark.skipif(SITE is not None, reason="reads the source tree")
def test_every_package_is_listed() -> None:
    assert sorted(SETUPTOOLS["packages"]) == sorted(packages())


def test_every_source_folder_is_mapped() -> None:
    assert set(SETUPTOOLS["package-dir"].values()) == set(SOURCES)


@pytest.mark.parametrize("source", SOURCES)
def test_every_folder_with_code_is_a_package(source: str) -> None:
    folders = [ROOT / source, *(p for p in (ROOT / source).rglob("*") if p.is_dir())]
    assert [f for f in folders if has_code(f) and not (f / "__init__.py").exists()] == []


@pytest.mark.skipif(SITE is None, reason="reads the built package: make check")
def test_the_built_package_has_every_source_file() -> None:
    built = {module.path.relative_to(ROOT / str(SITE) / "plait") for module in modules()}
    sources = {
        path.relative_to(ROOT / ("plait" if source == "plait" else ""))
        for source in SOURCES
        for path in (ROOT / source).rglob("*.py")
    }
    assert built == sources
    for data in ("py.typed", "__init__.pyi"):
        assert (ROOT / str(SITE) / "plait" / data).exists()


def source_folders() -> list[str]:
    folders = {path.parent for source in SOURCES for path in (ROOT / source).rglob("*.py")}
    return sorted(str(folder.relative_to(ROOT)) for folder in folders)


@pytest.mark.parametrize("folder", [*source_folders(), *DOCUMENTED_FOLDERS])
def test_every_folder_has_a_short_readme(folder: str) -> None:
    text = (ROOT / folder / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert len(text.split()) <= 900, "a README is short: what lives here, how to add to it"


def test_importing_plait_is_light() -> None:
    code = (
        "import sys, plait; "
        "heavy = {'jax', 'jaxlib', 'networkx', 'scipy', 'rich', 'click', 'safetensors'}; "
        "print(*sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith("PLAIT_")},
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
