from __future__ import annotations

from pathlib import Path

import pytest

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real checkpoints, which are not part of the repository."""
    if not CORPUS.is_dir():
        pytest.skip("the corpus of real checkpoints (../shared/corpus) is not here")
    return CORPUS
