"""File permissions do not bind the superuser: tests of them step down while a block runs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65534


@contextmanager
def unprivileged(folder: Path) -> Iterator[None]:
    """Run the block as an ordinary user who may read pytest's ``folder``."""
    if os.name != "posix":
        pytest.skip("directory permissions are a matter of POSIX")
    user = os.geteuid()
    for place in (folder, *folder.parents):
        if place.stat().st_uid == user and place.name.startswith(("pytest-", folder.name)):
            place.chmod(0o755)
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
