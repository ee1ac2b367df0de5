"""The inspector in a headless Chromium: clicks, keys, stages, search, and no console errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plait.inspect.inspector import Inspection
from tests.chromium import EXECUTABLE, Chromium
from tests.plait.inspected import HOSTILE, cell, chain, hostile_graph, loop, loss

CELL = ("f32[8,16]", "f32[32,64]", "f32[8,16]", "f32[8,16]")
pytestmark = [
    pytest.mark.skipif(EXECUTABLE is None, reason="no Chromium: apt install chromium"),
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium() as found:
        yield found


class Page:
    """A page in the browser, closed without complaints."""

    def __init__(self, browser: Chromium, shown: Inspection, folder: Path) -> None:
        self.browser = browser
        self.document = shown.document
        path = folder / "page.html"
        shown.save(path)
        browser.problems.clear()
        browser.emulate("light")
        browser.open(path)
        browser.settle()

    def count(self, selector: str) -> int:
        found: int = self.run(f"document.querySelectorAll({json.dumps(selector)}).length")
        return found

    def text(self, selector: str) -> str:
        found: str = self.run(f"document.querySelector({json.dumps(selector)}).textContent")
        return found

    def run(self, script: str) -> Any:
        return self.browser.run(script)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.browser.press(key)
        self.browser.settle()

    def click(self, selector: str, count: int = 1) -> None:
        self.browser.click(*self.browser.middle(selector), count)
        self.browser.settle()

    def head(self, key: str) -> tuple[float, float]:
        """A point on the first line of a box."""
        script = (
            f'(() => {{ const r = document.querySelector(\'[data-group="{key}"] text, '
            f'[data-node="{key}"] text\').getBoundingClientRect(); return [r.x + 6, r.y + 4]; }})()'
        )
        x, y = self.run(script)
        return x, y

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = self.run("plaitInspector.counts()")
        return found

    def stage(self) -> str:
        return self.text("#stage-name")


@pytest.fixture
def show(browser: Chromium, tmp_path: Path) -> Iterator[Any]:
    yield lambda shown: Page(browser, shown, tmp_path)
    assert browser.problems == []


def test_every_op_is_a_box_at_every_stage(show: Any) -> None:
    for shown in (
        cell.inspect(*CELL),
        loss.inspect(*CELL, grad=True),
        loop.inspect("f32[8]", "i32[]"),
    ):
        page = show(shown)
        for stage in page.document["stages"]:
            count = stage["count"]
            assert page.counts() == {"nodes": count, "boxes": count, "inSight": count}
            page.press("]")


def test_the_slider_and_the_stops_choose_stages(show: Any) -> None:
    page = show(cell.inspect(*CELL))
    assert page.stage() == "traced"
    page.press("]", "]", "]")
    assert page.stage() == "simplify"
    assert page.count("#canvas .box.changed") > 0
    assert page.count("#canvas .box.removed") == 0
    page.press("[")
    assert page.stage() == "inline"
    assert page.count("#canvas .box.removed") > 0
    page.run(
        "(() => { const s = document.getElementById('slider'); s.value = 5;"
        "s.dispatchEvent(new Event('input')); })()"
    )
    assert page.stage() == "plan"
    page.click("#stops button:first-child")
    assert page.stage() == "traced"


def test_boxes_and_lines_are_linked_both_ways(show: Any) -> None:
    page = show(cell.inspect(*CELL))
    page.browser.move(*page.browser.middle('[data-node="0:0"]'))
    page.browser.settle()
    assert "pl.concat" in page.text("#source .row.hot")
    assert "concat" in page.text("#tip")
    row = page.run(
        "[...document.querySelectorAll('#source .row.used')]"
        ".find(r => r.textContent.includes('pl.split')).dataset.place"
    )
    page.browser.move(*page.browser.middle(f'[data-place="{row}"] .text'))
    page.browser.settle()
    assert page.count("#canvas .box.hot") == 1
    page.click(f'[data-place="{row}"] .text')
    assert "split" in page.text("#canvas .box.picked")
    page.click('[data-node="0:1"]')
    assert "matmul" in page.text("#page")
    assert "pl.concat" in page.text("#source .row.picked")
    page.press("Escape")
    assert page.count("#canvas .box.picked") == 0


def test_a_chosen_node_is_followed_through_the_stages(show: Any) -> None:
    page = show(cell.inspect(*CELL))
    page.click('[data-node="0:1"]')
    for _ in page.document["stages"]:
        assert "matmul" in page.text("#canvas .box.picked")
        page.press("]")


def test_changes_name_rules_and_lines(show: Any) -> None:
    page = show(cell.inspect(*CELL))
    page.press("2", "]", "]", "]")
    text = page.text("#page")
    for part in ("merge ×5", "order-operands", "y + x = x + y", "5 gone", "inspected.py:"):
        assert part in text
    page.click("#page .line.removed")
    assert page.stage() == "inline"
    assert page.count("#canvas .box.picked") == 1


def test_search_finds_and_goes_on(show: Any) -> None:
    page = show(chain(500).inspect())
    assert page.count("#canvas [data-node]") == 0, "closed at first"
    page.press("/", *"sigmoid")
    assert page.text("#search-count") == "1/100"
    assert "sigmoid" in page.text("#canvas .box.picked")
    first = page.run("plaitInspector.chosen.node.index")
    page.press("Enter")
    assert page.text("#search-count") == "2/100"
    assert page.run("plaitInspector.chosen.node.index") > first


def test_groups_open_and_close(show: Any) -> None:
    page = show(chain(500).inspect())
    closed = page.counts()
    assert closed["boxes"] == 0
    key = page.run("document.querySelector('[data-group]').dataset.group")
    page.browser.click(*page.head(key))
    page.browser.settle()
    assert page.count(f'[data-group="{key}"].open') == 1
    assert page.count("#canvas [data-group]") + page.count("#canvas [data-node]") > 10
    page.browser.click(*page.head(key))
    page.browser.settle()
    assert page.counts() == closed
    page.press("e")
    assert page.counts()["boxes"] == 500
    page.press("c")
    assert page.counts() == closed


def test_regions_open_and_close(show: Any) -> None:
    page = show(loop.inspect("f32[8,16]", "i32[]"))
    total = page.counts()["boxes"]
    page.press("c")
    assert page.counts()["boxes"] < total
    key = page.run(
        "[...document.querySelectorAll('[data-node]')]"
        ".find(b => b.textContent.includes('while')).dataset.node"
    )
    page.browser.click(*page.head(key), 2)
    page.browser.settle()
    assert page.count(f'[data-node="{key}"].open') == 1
    page.press("e")
    assert page.counts()["boxes"] == total


def test_memory_shows_what_is_alive(show: Any) -> None:
    page = show(cell.inspect(*CELL))
    page.press("3")
    plan = page.document["graphs"][page.document["stages"][-1]["graph"]]["plan"]
    assert page.count("#page rect.life") == len(plan["lives"])
    assert page.count("#page rect.life.in-place") == sum(life[4] for life in plan["lives"]) > 0
    page.click("#page rect.life.in-place")
    assert page.stage() == "plan"
    assert page.count("#canvas .box.picked") == 1
    step = int(re.match(r"Step (\d+)", page.text("#page h3"))[1])  # type: ignore[index]
    alive = [life for life in plan["lives"] if life[2] <= step <= life[3]]
    assert page.count("#page table tr") == len(alive) == page.count("#page rect.life.alive")


def test_overlays_color_by_cost(show: Any) -> None:
    page = show(cell.inspect(*CELL))
    page.press("o")
    shades = page.run(
        "Object.fromEntries([...document.querySelectorAll('[data-node]')].map(b => "
        "[b.textContent, getComputedStyle(b.querySelector('rect')).fill]))"
    )
    assert len(set(shades.values())) > 2
    assert "FLOPs" in page.text("#legend")
    page.press("o")
    assert page.run("document.getElementById('overlay').value") == "bytes"


def test_gradients_are_marked(show: Any) -> None:
    page = show(loss.inspect(*CELL, grad=True))
    page.press("]", "]", "]")
    forward, backward = (page.count(f"#canvas .box.phase-{p}") for p in "fb")
    assert forward > 0
    assert backward > 0
    assert forward + backward == page.counts()["nodes"]
    assert page.count("#canvas .edge.crossing") > 0
    assert "backward" in page.text("#legend")


def test_text_and_keys(show: Any) -> None:
    page = show(cell.inspect(*CELL))
    page.press("4", "j", "j")
    assert page.count("#page .line[data-line]") == page.counts()["nodes"]
    assert "matmul" in page.text("#page .line.picked")
    page.press("k")
    assert "concat" in page.text("#page .line.picked")
    page.press("?")
    assert page.run("document.getElementById('help').open")
    page.press("Escape")
    assert not page.run("document.getElementById('help').open")


def test_light_and_dark(show: Any) -> None:
    page = show(cell.inspect(*CELL))
    color = "getComputedStyle(document.body).backgroundColor"
    light = page.run(color)
    page.browser.emulate("dark")
    dark = page.run(color)
    assert light == "rgb(255, 255, 255)"
    assert dark != light
    page.click("#theme")
    assert page.run(color) == light


def test_names_do_not_run(show: Any) -> None:
    page = show(hostile_graph().inspect())
    assert HOSTILE in page.text("#title")
    assert page.count("img") == 0
    page.press("2", "4", "j")
    assert HOSTILE in page.text("#page .line")
    assert page.count("img") == 0


def test_a_large_graph_is_smooth(show: Any) -> None:
    page = show(chain(5000).inspect())
    start = "performance.now()"
    page.run(f"window.began = {start}")
    page.press("e")
    assert page.run(f"{start} - window.began") < 8000
    counts = page.counts()
    assert counts["boxes"] == counts["nodes"] == 5000
    assert counts["inSight"] < 500, "only what is in sight is in the document"
    frames = page.run("""
(async () => {
  const times = [];
  for (let i = 0; i < 30; i += 1) {
    const at = performance.now();
    plaitInspector.drawing.pan(0, -200);
    plaitInspector.drawing.apply();
    times.push(performance.now() - at);
    await new Promise(requestAnimationFrame);
  }
  return times.sort((a, b) => a - b)[15];
})()""")
    assert frames < 50, "milliseconds of a step, on a busy machine"


def test_it_shows_itself_in_a_notebook(browser: Chromium, tmp_path: Path) -> None:
    path = tmp_path / "frame.html"
    frame = cell.inspect(*CELL)._repr_html_()
    path.write_text(f"<!doctype html><meta charset=utf-8><body>{frame}", encoding="utf-8")
    browser.problems.clear()
    browser.open(path)
    browser.settle()
    browser.screenshot(tmp_path / "frame.png")
    assert browser.problems == []
    assert (tmp_path / "frame.png").stat().st_size > 30_000, "a blank page is smaller"
