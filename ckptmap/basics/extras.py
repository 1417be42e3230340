"""The command that installs an extra of ckptmap, its optional packages: from the index, or from a source folder."""

from __future__ import annotations

import json
import shlex
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution

NAME = "ckptmap"


def install(extra: str) -> str:
    """The command that brings an extra: ``pip install 'ckptmap[keras]'``; of a source install, with its folder."""
    return f"pip install {_place(extra)}"


def installed_from() -> str:
    """Where this ckptmap is from, in words: ``the package index``, or a folder."""
    folder, editable = _source()
    if folder is None:
        return "the package index"
    return f"{folder} (editable)" if editable else str(folder)


def _place(extra: str) -> str:
    folder, editable = _source()
    if folder is None:
        return f"'{NAME}[{extra}]'"
    return f"{'-e ' if editable else ''}{shlex.quote(f'{folder}[{extra}]')}"


@cache
def _source() -> tuple[Path | None, bool]:
    """The source folder or the wheel that this ckptmap is from, and whether it runs there; None: from an index."""
    from importlib.metadata import PackageNotFoundError, distribution

    beside = Path(__file__).resolve().parents[2]
    runs_there = (beside / "pyproject.toml").is_file() and (beside / "mappings").is_dir()
    if runs_there:
        return beside, True
    try:
        return direct_folder(distribution(NAME))
    except PackageNotFoundError:
        return None, False


def direct_folder(found: Distribution) -> tuple[Path | None, bool]:
    """The folder or the wheel on this machine that a distribution was installed from (PEP 610), and whether it is
    editable; None of others."""
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    try:
        told = json.loads(found.read_text("direct_url.json") or "{}")
        url, folder = urlsplit(told["url"]), told["dir_info"] if "dir_info" in told else told["archive_info"]
        if url.scheme == "file":
            return Path(url2pathname(url.path)), bool(folder.get("editable"))
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    return None, False
