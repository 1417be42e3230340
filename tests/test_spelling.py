"""One spelling, that of the field: American, in the code and in the pages."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
BRITISH = re.compile(
    r"ecognis|olour|eighbour|ehaviour|ormalis|nitialis|ptimis|uantis|erialis|rganis|ummaris", re.IGNORECASE
)
PLACES = ("ckptmap/**/*.py", "ckptmap/**/*.js", "mappings/**/*.yaml", "docs/*.md", "*.md")


def test_one_spelling() -> None:
    files = [path for place in PLACES for path in ROOT.glob(place)]
    assert len(files) > 300
    texts = {path: path.read_text(encoding="utf-8") for path in files}
    found = [f"{path.relative_to(ROOT)}: {hit[0]}" for path, text in texts.items() for hit in BRITISH.finditer(text)]
    assert found == []
