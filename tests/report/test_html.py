import base64
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ckptmap.report.html import to_html
from ckptmap.report.sheets import sheet_of
from tests.report.conftest import report, target

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--virtual-time-budget=5000", "--dump-dom",
)  # fmt: skip
EXERCISE = """
const faults = [];
addEventListener("error", (event) => faults.push(event.message));
addEventListener("securitypolicyviolation", (event) => faults.push("policy " + event.violatedDirective));
addEventListener("load", () => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const facts = { cells: all("#treemap button").length, groups: all("#groups details").length };
  all("#groups summary").forEach((one) => one.click());
  all("#counts button:enabled").forEach((one) => { one.click(); one.click(); });
  const search = document.getElementById("search");
  search.value = "kernel";
  search.dispatchEvent(new Event("input"));
  facts.shown = document.getElementById("shown").textContent;
  document.querySelector("#treemap button").click();
  all("#path button")[0].click();
  dispatchEvent(new Event("resize"));
  search.value = "";
  search.dispatchEvent(new Event("input"));
  document.querySelector("#counts .level-0:enabled").click();
  facts.failures = document.getElementById("shown").textContent;
  all("#groups summary").forEach((one) => one.click());
  facts.fits = document.documentElement.scrollWidth <= document.documentElement.clientWidth;
  facts.scripts = document.scripts.length;
  setTimeout(() => {
    facts.rows = all("#groups details[open] tbody tr").length;
    document.title = JSON.stringify({ ...facts, faults, ready: document.documentElement.dataset.ready });
  }, 500);
});
"""
"""Clicks everything that can be clicked and writes what it saw into the title."""


@pytest.fixture(scope="session")
def browser() -> str:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser to run the page's script in: none of {', '.join(BROWSERS)} is installed")
    return found


def exercised(browser: str, page: str, folder: Path, width: int = 1200) -> dict[str, Any]:
    """The page run in a browser by EXERCISE."""
    return run_in_browser(browser, page, EXERCISE, folder, width)


def run_in_browser(
    browser: str,
    page: str,
    script: str,
    folder: Path,
    width: int = 1200,
    options: Sequence[str] = (),
    address: str = "",
) -> dict[str, Any]:
    """What ``script`` leaves as the page's title: run under the page's own policy, this script allowed besides."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = page.replace("script-src '", f"script-src 'sha256-{digest}' '", 1)
    page = page.replace("</head>", f"<script>{script}</script></head>", 1)
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [browser, *QUIET, *options, f"--window-size={width},900", profile, file.as_uri() + address]
    dom = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=True).stdout
    title = re.search(r"<title>(.*?)</title>", dom, re.DOTALL)
    assert title, dom[:500]
    return json.loads(title[1].replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"))


def test_the_script_runs_without_errors(browser: str, conversion: dict[str, Any], tmp_path: Path) -> None:
    assert exercised(browser, to_html(sheet_of(conversion)), tmp_path) == {
        "cells": 4,
        "groups": 6,
        "shown": "6 of 8 variables, 4 groups",
        "failures": "1 of 8 variables, 1 group",
        "rows": 1,
        "fits": True,
        "scripts": 3,
        "faults": [],
        "ready": "true",
    }


AXE = """
%s
addEventListener("load", () => {
  document.querySelectorAll("summary").forEach((one) => one.click());
  setTimeout(() => axe.run(document, { resultTypes: ["violations"] }).then((found) => {
    const told = found.violations.map((one) => [one.id, one.impact, one.nodes.slice(0, 3).map((node) => node.html)]);
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    document.title = JSON.stringify({ told, checked: found.passes.length, dark });
  }), 500);
});
"""


MODES = pytest.mark.parametrize(("width", "dark"), [(500, True), (1280, False)])


def judged(browser: str, page: str, folder: Path, width: int, dark: bool) -> list[Any]:
    """What axe-core finds in a page, all of it opened: contrast, names of what can be chosen, headings, labels."""
    package = pytest.importorskip("axe_core_python", reason="needs the [core-test] extra")
    axe = Path(package.__file__).with_name("axe.min.js").read_text("utf-8").replace("</script", "<\\/script")
    mode = [f"--blink-settings=preferredColorScheme={0 if dark else 1}"]
    seen = run_in_browser(browser, page, AXE % axe, folder, width, mode)
    assert seen["dark"] is dark
    assert seen["checked"] > 15
    return seen["told"]


@MODES
def test_axe_finds_nothing(browser: str, conversion: dict[str, Any], tmp_path: Path, width: int, dark: bool) -> None:
    assert judged(browser, to_html(sheet_of(conversion)), tmp_path, width, dark) == []


WALK = """
addEventListener("load", () => setTimeout(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const focused = () => document.activeElement.textContent;
  const search = document.getElementById("search");
  const facts = { path: all("#path button").map((one) => one.textContent), find: search.value };
  search.value = "";
  search.dispatchEvent(new Event("input"));
  all("#path button")[0].click();
  facts.back = [focused(), location.hash];
  const inside = all("#modules button").find((one) => one.textContent.startsWith("block_1"));
  inside.focus();
  inside.click();
  facts.inside = [focused(), decodeURIComponent(location.hash)];
  const order = document.getElementById("order");
  order.value = "name";
  order.dispatchEvent(new Event("change"));
  const labels = all("#groups .name").map((one) => one.textContent);
  facts.sorted = labels.every((one, at) => !at || labels[at - 1].localeCompare(one, "en", { numeric: true }) <= 0);
  const group = all("#groups details").find((one) => one.textContent.includes("block_{1..2}"));
  group.querySelector("summary").click();
  setTimeout(() => {
    const head = group.querySelector("th button");
    const names = () => [...group.querySelectorAll("td.name:first-child")].map((one) => one.textContent);
    head.click();
    facts.up = names();
    head.click();
    facts.down = names();
    facts.state = group.querySelector("th").getAttribute("aria-sort");
    document.title = JSON.stringify(facts);
  }, 300);
}, 300));
"""


def test_links_lead_to_a_module_focus_stays_and_tables_sort(browser: str, tmp_path: Path) -> None:
    names = ("block_1/kernel", "block_2/kernel", "block_1/bias", "head/kernel")
    page = to_html(sheet_of(report([target(name, "restored", [3, 8]) for name in names], [])))
    assert run_in_browser(browser, page, WALK, tmp_path, address="#module=block_1&find=kernel") == {
        "path": ["all", "block_1"],
        "find": "kernel",
        "back": ["all", ""],
        "inside": ["block_1", "#module=block_1"],
        "sorted": True,
        "up": ["block_1/bias", "block_1/kernel", "block_2/kernel"],
        "down": ["block_2/kernel", "block_1/kernel", "block_1/bias"],
        "state": "descending",
    }


def test_hostile_names_run_nothing(browser: str, hostile: dict[str, Any], tmp_path: Path) -> None:
    seen = exercised(browser, to_html(sheet_of(hostile)), tmp_path)
    assert (seen["scripts"], seen["faults"], seen["cells"], seen["ready"]) == (3, [], 7, "true")


def test_the_page_is_never_wider_than_a_narrow_window(browser: str, tmp_path: Path) -> None:
    name = "scope_" * 40 + "/" + "layer_" * 40 + "/kernel"
    targets = [target(name, "missing", [1], "because_" * 40), target(f"other/{name}", "restored", [3])]
    assert exercised(browser, to_html(sheet_of(report(targets, []))), tmp_path, width=500)["fits"]


HEAD = {"html", "head", "meta", "title", "link", "style", "script", "noscript", "body"}
TEXT = {"header", "main", "section", "nav", "div", "span", "p", "h1", "h2", "ul", "li", "dl", "dt", "dd"}
OWN = HEAD | TEXT | {"table", "thead", "tr", "th", "tbody", "details", "summary", "input", "label", "select", "option"}


class Elements(HTMLParser):
    """The names of all elements of a page, and the values of all their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.values: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.values += [value for _, value in attrs if value]


def test_the_verdict_is_there_without_a_script(conversion: dict[str, Any]) -> None:
    page = to_html(sheet_of(conversion)).partition('<script type="application/json"')[0]
    assert '<h1 id="verdict" class="failed">2 findings: nothing was written; 2 of 4 target variables' in page
    assert "<li>1 target missing</li>" in page


def test_nothing_is_loaded_and_only_the_own_script_may_run(hostile: dict[str, Any]) -> None:
    page = to_html(sheet_of(hostile))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert policy
    script = page.rsplit("<script>", 1)[1].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy[1].startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{digest}'" in policy[1]
    assert not re.search(r"(src|href)=\"(?!data:,)", page)
    assert page.count("<script") == 2
    elements = Elements()
    elements.feed(page)
    assert elements.names <= OWN
    assert not [value for value in elements.values if "evil.example" in value]


def test_the_data_is_the_sheet(conversion: dict[str, Any]) -> None:
    whole = to_html(sheet_of(conversion))
    text = whole.partition('id="data">')[2].partition("</script>")[0]
    data = json.loads(text)
    assert (
        "2 findings: nothing was written; 2 of 4 target variables restored otherwise"
        in whole.partition("<noscript>")[0]
    )
    assert data["groups"][0] == {"label": "block_{1..2}", "side": "target"}
    assert data["rows"][0]["cells"][:3] == ["target", "block_1/kernel", "restored"]
    assert [row["level"] for row in data["rows"]] == [3, 3, 1, 0, 3, 3, 2, 0]


def test_a_verdict_that_failed_says_so_in_the_title(conversion: dict[str, Any]) -> None:
    assert "<title>ckptmap convert: old/model.ckpt → ssd_mobilenet_v2</title>" in to_html(sheet_of(conversion))
