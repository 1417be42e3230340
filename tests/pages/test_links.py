"""Links of README.md and docs/ lead to files and headings that are there, and the site has every page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import ckptmap
from tests.pages.documents import DOCUMENTS, ROOT

FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
TOP = ("SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md")


def text(path: Path) -> str:
    return FENCE.sub("", path.read_text("utf-8"))


def anchors(path: Path) -> set[str]:
    """The anchors of the headings, as both GitHub and the site make them."""
    headings = re.findall(r"^#+ (.+)$", text(path), re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", heading.replace("`", "")).strip().lower() for heading in headings)
    return {re.sub(r"\s", "-", one) for one in plain}


def broken(document: str) -> list[str]:
    page = ROOT / document
    found = []
    for link in LINK.findall(text(page)):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("document", [*DOCUMENTS, *TOP])
def test_every_link_leads_somewhere(document: str) -> None:
    assert broken(document) == []


def test_pages_link_to_nothing_outside_of_docs() -> None:
    """The site has docs/ alone."""
    outside = [
        (document, link)
        for document in DOCUMENTS
        if document.startswith("docs/")
        for link in LINK.findall(text(ROOT / document))
        if link.startswith("..")
    ]
    assert outside == []


def pages(entry: object) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    members = entry.values() if isinstance(entry, dict) else entry
    return [page for one in members for page in pages(one)]


def test_the_site_lists_every_page() -> None:
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]
    assert sorted(pages(nav)) == sorted(path.name for path in (ROOT / "docs").glob("*.md"))


def test_the_reference_has_every_verb() -> None:
    names = re.findall(r"^::: ckptmap\.[\w.]+\.(\w+)$", (ROOT / "docs/reference.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(names) == sorted(ckptmap.__all__)
