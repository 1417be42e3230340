"""The corpus, the findings and seeded mutations of both, through every parser; ``python -m tests.fuzz`` digs deeper."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import jsonschema
import pytest

from ckptmap.report.sheets import schema_file
from tests.fuzz.documents import report_seeds
from tests.fuzz.parsers import PARSERS, attempt
from tests.fuzz.seeds import seeds

HERE = Path(__file__).parent
INPUTS = sorted(path for place in ("corpus", "findings") for path in (HERE / place).glob("*/*"))
SECONDS = 10
"""What one input may cost, as in the long runs."""


def shown(path: Path) -> str:
    return path.relative_to(HERE).as_posix()


def mutated(data: bytes, rng: random.Random) -> bytes:
    """One to four bytes changed, cut out, repeated or put in."""
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(data) + 1)
        length = rng.choice((1, 1, 2, 4, 16))
        junk = rng.choice((rng.randbytes(length), b"\x00" * length, b"\xff" * length, data[place : place + length] * 2))
        data = data[:place] + junk + data[place + rng.choice((0, length)) :]
    return data


def test_the_corpus_is_what_its_generator_writes() -> None:
    files = sorted((HERE / "corpus").glob("*/*"))
    made = {(parser, name): data for parser, named in seeds().items() for name, data in named.items()}
    assert {(path.parent.name, path.name): path.read_bytes() for path in files} == made
    assert {path.parent.name for path in files} == PARSERS.keys()


@pytest.mark.parametrize("path", sorted((HERE / "corpus").glob("*/*")), ids=shown)
def test_seeds_are_taken(path: Path) -> None:
    assert attempt(path.parent.name, path.read_bytes())


@pytest.mark.parametrize("name", report_seeds())
def test_reports_follow_their_schemas(name: str) -> None:
    document = json.loads(report_seeds()[name])
    schema = json.loads(schema_file(document["schema"]).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)


@pytest.mark.parametrize("path", INPUTS, ids=shown)
def test_inputs_and_mutations_are_taken_or_refused(path: Path) -> None:
    try_all(path, 60)


@pytest.mark.slow
@pytest.mark.parametrize("path", INPUTS, ids=shown)
def test_many_mutations_are_taken_or_refused(path: Path) -> None:
    try_all(path, 4000)


def try_all(path: Path, mutations: int) -> None:
    data, rng = path.read_bytes(), random.Random(path.name)
    for each in (data, *(mutated(data, rng) for _ in range(mutations))):
        start = time.perf_counter()
        attempt(path.parent.name, each)
        assert time.perf_counter() - start < SECONDS, each


def test_a_parser_that_breaks_its_promise_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(data: bytes) -> None:
        raise IndexError

    monkeypatch.setitem(PARSERS, "state", broken)
    with pytest.raises(IndexError):
        attempt("state", b"")
