"""The page that shows a draft."""

import json
import re

import pytest

from ckptmap.suggest import suggest
from ckptmap.suggest.drawing import to_page
from tests.report.test_html import MODES, browser, judged, run_in_browser
from tests.suggest.conftest import write_new, write_old

__all__ = ["browser"]

EXERCISE = """
const faults = [];
addEventListener("error", (event) => faults.push(event.message));
addEventListener("securitypolicyviolation", (event) => faults.push("policy " + event.violatedDirective));
addEventListener("load", () => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const seen = () => all(".layer:not([hidden])").filter((one) => one.offsetHeight).map((one) => one.title);
  const search = document.getElementById("search");
  const drawn = all("#lines path").filter((one) => one.getAttribute("d"));
  const facts = { lines: drawn.map((one) => one.className.baseVal) };
  facts.all = seen();
  search.value = "NET/right";
  search.dispatchEvent(new Event("input"));
  facts.found = seen();
  search.value = "";
  search.dispatchEvent(new Event("input"));
  document.querySelector("#counts .doubtful").click();
  facts.doubtful = seen();
  all(".layer:not([hidden])")[0].click();
  facts.evidence = document.getElementById("evidence").textContent;
  all("details.scope > summary").forEach((one) => one.click());
  dispatchEvent(new Event("resize"));
  facts.fits = document.documentElement.scrollWidth <= document.documentElement.clientWidth;
  facts.scripts = document.scripts.length;
  document.title = JSON.stringify({ ...facts, faults, ready: document.documentElement.dataset.ready });
});
"""


@pytest.fixture
def page(tmp_path):
    old = {"net/stem/weights": (4, 8), "net/left/weights": (8, 8), "net/right/weights": (8, 8), "other/weights": (5, 5)}
    names = {"s": (4, 8), "p": (8, 8), "q": (8, 8)}
    one = write_old(tmp_path / "old" / "m", old)
    other = write_new(tmp_path / "new" / "ckpt-1", {f"{n}/kernel": (f"{n}/kernel", s) for n, s in names.items()})
    return to_page(suggest(one, to=other))


def data_of(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_all_layers_and_pairs_are_there(page):
    data = data_of(page)
    assert [one["name"] for one in data["old"]] == ["net/left", "net/right", "net/stem", "other"]
    assert [one["name"] for one in data["new"]] == ["p", "q", "s"]
    assert data["old"][0]["shapes"] == "kernel [8, 8]"
    assert data["old"][3]["pair"] is None
    assert {(pair["old"], pair["new"]) for pair in data["pairs"]} >= {(2, 2)}
    assert "drop:" in data["table"]


def test_a_wide_window_shows_both_trees_and_the_lines(browser, page, tmp_path):
    seen = run_in_browser(browser, page, EXERCISE, tmp_path)
    assert seen["lines"] == ["doubtful", "doubtful", "doubtful"]
    assert seen["all"] == ["other", "net/left", "net/right", "net/stem", "p", "q", "s"]
    assert seen["found"][0] == "net/right"
    assert len(seen["found"]) == 2
    assert seen["doubtful"] == ["net/left", "net/right", "net/stem", "p", "q", "s"]
    assert seen["evidence"].startswith("net/left → ")
    assert (seen["fits"], seen["scripts"], seen["faults"], seen["ready"]) == (True, 3, [], "true")


def test_a_narrow_window_lists_the_old_layers_with_their_partners(browser, page, tmp_path):
    seen = run_in_browser(browser, page, EXERCISE, tmp_path, width=500)
    assert seen["lines"] == []
    assert seen["all"] == ["other", "net/left", "net/right", "net/stem"]
    assert (seen["fits"], seen["faults"]) == (True, [])


@MODES
def test_axe_finds_nothing(browser, page, tmp_path, width, dark):
    assert judged(browser, page, tmp_path, width, dark) == []


def test_hostile_names_stay_text(browser, tmp_path):
    name = "a</script><script>document.title=1</script>\x1b[31m" + "long_" * 60
    one = write_old(tmp_path / "old" / "m", {f"{name}/weights": (2, 3), "b/weights": (3, 3), "c/weights": (3, 3)})
    new = {name: (2, 3), "x": (3, 3), "y": (3, 3)}
    other = write_new(tmp_path / "new" / "ckpt-1", {f"{n}/kernel": (f"{n}/kernel", s) for n, s in new.items()})
    page = to_page(suggest(one, to=other))
    assert page.count("<script") == 2
    seen = run_in_browser(browser, page, EXERCISE, tmp_path, width=500)
    assert (seen["scripts"], seen["faults"], seen["fits"]) == (3, [], True)


def test_the_command_writes_table_and_page(run, tmp_path):
    one = write_old(tmp_path / "old" / "m", {"a/weights": (2, 2)})
    other = write_new(tmp_path / "new" / "ckpt-1", {"b/kernel": ("b/kernel", (2, 2))})
    table, page = tmp_path / "draft.yaml", tmp_path / "draft.html"
    found = run("suggest", one, "--to", other, "-o", table, "-o", page)
    assert (found.code, found.err) == (0, f"wrote {table}\nwrote {page}\n")
    assert data_of(page.read_text(encoding="utf-8"))["table"] == table.read_text(encoding="utf-8")
