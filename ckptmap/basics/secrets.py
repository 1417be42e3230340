"""URLs may hold passwords and tokens: what is printed or kept holds none."""

from __future__ import annotations

import re

_USER = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^/\s@]*@")
_QUERY = re.compile(r"(?P<head>[A-Za-z][A-Za-z0-9+.-]*://[^\s?#]*\?)[^\s'\"<>)]+")


def without_secrets(text: str) -> str:
    """``text`` with ``***`` for who a URL says to be (``user:password@``), and for all behind its question mark."""
    if "://" not in text:
        return text
    return _QUERY.sub(r"\g<head>***", _USER.sub(r"\g<scheme>***@", text))
