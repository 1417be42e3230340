"""Coverage-guided fuzzing of one parser: ``python -m tests.fuzz table -max_total_time=1800``; README.md says more.

Options of libFuzzer follow the parser's name; ``pip install 'ckptmap[fuzz]'`` brings what it needs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

HERE = Path(__file__).parent
LIMITS = ("-timeout=10", "-rss_limit_mb=1024", "-max_len=4096", "-print_final_stats=1")


def main(name: str, *options: str) -> None:
    """Fuzz the parser ``name`` until an option of libFuzzer ends it."""
    with atheris.instrument_imports(include=["ckptmap"]):
        from tests.fuzz.parsers import attempt

    kept = Path(".fuzz") / name
    kept.mkdir(parents=True, exist_ok=True)
    folders = [kept, *(HERE / place / name for place in ("corpus", "findings") if (HERE / place / name).is_dir())]
    prefix = f"-artifact_prefix={kept}-"
    atheris.Setup([sys.argv[0], *LIMITS, prefix, *options, *map(str, folders)], lambda data: attempt(name, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
