"""The notebooks, executed; and cells that are run again, redefined, or raise."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat", reason="pip install '.[notebook]'")
nbclient = pytest.importorskip("nbclient", reason="pip install '.[notebook]'")

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
#: How many pictures each one shows.
PICTURES = {"01_quickstart.ipynb": 3, "03_gradients.ipynb": 1}
LIBRARY_WARNINGS = ("ignore::DeprecationWarning", "ignore::ResourceWarning")
pytestmark = [pytest.mark.filterwarnings(w) for w in LIBRARY_WARNINGS]


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Jupyter folder whose only kernel is this interpreter."""
    folder = tmp_path_factory.mktemp("jupyter")
    kernel = folder / "kernels" / "here"
    kernel.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "here", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    return folder


def execute(notebook: Any, kernels: Path) -> Any:
    """Run all cells in a fresh kernel."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(kernels))
        patch.setenv("JUPYTER_PLATFORM_DIRS", "1")
        patch.setenv("IPYTHONDIR", str(kernels / "ipython"))
        options = {"kernel_name": "here", "timeout": 120, "coalesce_streams": True}
        nbclient.NotebookClient(notebook, **options).execute(cwd=str(kernels))
    return notebook


def texts(cell: Any) -> list[str]:
    """What a cell shows, as text; the notebook's stored forms are compared by it."""
    shown = []
    for output in cell.get("outputs", ()):
        if output["output_type"] == "stream":
            shown.append(output["text"])
        else:
            shown.append(output["data"].get("text/plain", ""))
    return [_without_times(text) if "times in milliseconds" in text else text for text in shown]


def _without_times(text: str) -> str:
    """An explanation without its times, and the widths of columns that follow from them."""
    return re.sub(r" +", " ", re.sub(r" \d+\.\d\b", " time", text))


def stripped(notebook: Any) -> Any:
    """The notebook with what a reader needs: text and pictures, no times, no folded tables."""
    for cell in notebook.cells:
        cell.metadata = {}
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop("text/html", None)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return notebook


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_it_holds(path: Path, kernels: Path) -> None:
    stored = nbformat.read(path, as_version=4)
    nbformat.validate(stored)
    executed = execute(nbformat.from_dict(json.loads(json.dumps(stored))), kernels)
    if os.environ.get("PLAIT_BLESS") == "1":
        nbformat.write(stripped(executed), path)
        return
    for number, (old, new) in enumerate(zip(stored.cells, executed.cells, strict=True)):
        assert texts(old) == texts(new), f"cell {number} shows another text; `make bless`"
    pictures = [
        output["data"]["image/svg+xml"]
        for cell in executed.cells
        for output in cell.get("outputs", ())
        if "image/svg+xml" in output.get("data", {})
    ]
    assert len(pictures) == PICTURES.get(path.name, 0)
    assert all(picture.lstrip().startswith("<svg") for picture in pictures)


SHELL = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell = InteractiveShell.instance(colors="nocolor", xmode="Minimal")
for cell in json.load(sys.stdin):
    with capture_output() as shown:
        shell.run_cell(cell, store_history=True)
    print(json.dumps(shown.stdout + "".join(o.data["text/plain"] for o in shown.outputs)))
"""


def run_cells(folder: Path, sources: Sequence[str]) -> list[str]:
    """The texts that cells show, run in order in a fresh IPython."""
    done = subprocess.run(
        [sys.executable, "-c", SHELL],
        input=json.dumps(sources),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "IPYTHONDIR": str(folder)},
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_inspector_shows_itself_with_the_source_of_cells(kernels: Path) -> None:
    path = next(path for path in NOTEBOOKS if path.stem == "04_inspect")
    executed = execute(nbformat.read(path, as_version=4), kernels)
    pages = [
        output["data"]["text/html"]
        for cell in executed.cells
        for output in cell.get("outputs", ())
        if "text/html" in output.get("data", {})
    ]
    assert len(pages) == 2
    for page in pages:
        assert page.startswith("<iframe srcdoc=")
        assert "pl.graph_function(backend=" in page


DEFINE = "@pl.graph_function(backend='reference')\ndef f(x):\n    return x + scale"


def test_cells_run_again_and_are_redefined(tmp_path: Path) -> None:
    shown = run_cells(
        tmp_path,
        [
            "import plait as pl\nscale = 3\nx = pl.asarray([1, 2])",
            DEFINE,
            "f",
            "print(f(x)); print(f.graph(x))",
            DEFINE,  # The same cell again.
            "print(f.graph(x))",
            DEFINE.replace("+", "*") + "\nprint(f(x))",
            "def g(x):\n    y = x\n    return pl.matmul(y, y)\n",
            "g(pl.zeros((2, 3)))",
            "pl.graph_function(g)(pl.zeros((2, 3)))",
            "f",
        ],
    )
    assert "def f(x)" in shown[2]
    assert "In [2]:" in shown[2]
    assert "[4, 5]" in shown[3]
    assert '@ "In [2]":3' in shown[3]
    assert '@ "In [5]":3' in shown[5]
    assert "[3, 6]" in shown[6]
    for error in shown[8:10]:
        assert re.search(r"ShapeError: matmul: .*\n *at In \[8\]:3, in g", error), error
    assert "multiply" in shown[10]
