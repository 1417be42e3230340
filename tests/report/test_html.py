import base64
import hashlib
import json
import re
import shutil
import subprocess
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


def run_in_browser(browser: str, page: str, script: str, folder: Path, width: int = 1200) -> dict[str, Any]:
    """What ``script`` leaves as the page's title: run under the page's own policy, this script allowed besides."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = page.replace("script-src '", f"script-src 'sha256-{digest}' '", 1)
    page = page.replace("</head>", f"<script>{script}</script></head>", 1)
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    command = [browser, *QUIET, f"--window-size={width},900", f"--user-data-dir={folder / 'profile'}", file.as_uri()]
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


def test_hostile_names_run_nothing(browser: str, hostile: dict[str, Any], tmp_path: Path) -> None:
    seen = exercised(browser, to_html(sheet_of(hostile)), tmp_path)
    assert (seen["scripts"], seen["faults"], seen["cells"], seen["ready"]) == (3, [], 7, "true")


def test_the_page_is_never_wider_than_a_narrow_window(browser: str, tmp_path: Path) -> None:
    name = "scope_" * 40 + "/" + "layer_" * 40 + "/kernel"
    targets = [target(name, "missing", [1], "because_" * 40), target(f"other/{name}", "restored", [3])]
    assert exercised(browser, to_html(sheet_of(report(targets, []))), tmp_path, width=500)["fits"]


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
    assert "evil.example" not in page.partition('id="data">')[0].replace("<title>", "").partition("</title>")[2]


def test_the_data_is_the_sheet(conversion: dict[str, Any]) -> None:
    text = to_html(sheet_of(conversion)).partition('id="data">')[2].partition("</script>")[0]
    data = json.loads(text)
    assert data["verdict"] == "2 findings: nothing was written; 2 of 4 target variables restored otherwise"
    assert data["groups"][0] == {"label": "block_{1..2}", "side": "target"}
    assert data["rows"][0]["cells"][:3] == ["target", "block_1/kernel", "restored"]
    assert [row["level"] for row in data["rows"]] == [3, 3, 1, 0, 3, 3, 2, 0]


def test_a_verdict_that_failed_says_so_in_the_title(conversion: dict[str, Any]) -> None:
    assert "<title>ckptmap convert: old/model.ckpt → ssd_mobilenet_v2</title>" in to_html(sheet_of(conversion))
