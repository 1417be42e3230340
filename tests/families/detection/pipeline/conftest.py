from __future__ import annotations

from pathlib import Path

import pytest

CONFIGS = Path(__file__).resolve().parents[4].parent / "shared" / "corpus" / "configs"


@pytest.fixture(scope="session")
def configs() -> Path:
    if not CONFIGS.is_dir():
        pytest.skip("the corpus of public configs (../shared/corpus/configs) is not on this machine")
    return CONFIGS
