from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest

from ckptmap.basics.errors import TableError
from ckptmap.mapping.patterns import Parts, Placeholder, Type
from ckptmap.mapping.rule_conflicts import overlaps
from ckptmap.mapping.rule_ref import RuleRef
from ckptmap.mapping.tables import check_tables, load_table

CASES = Path(__file__).resolve().parents[2].parent / "shared" / "cases" / "attacks" / "15-slow-tables-and-configs"
INT, NAME = Placeholder("i", Type.INT), Placeholder("n", Type.NAME)


def rivals(*claims: Parts) -> list[tuple[str, str]]:
    """The lines of the rules that can match the same name, the earlier one first."""
    problems = overlaps([(RuleRef("t", line), parts) for line, parts in enumerate(claims, 1)])
    return [(problem.message.rpartition("(")[2].rstrip(")"), problem.where) for problem in problems]


def test_plain_names_are_rivals_where_they_are_the_same() -> None:
    assert rivals(("a/w",), ("b/w",), ("a", "/w")) == [("t:1", "t:3")]


def test_a_pattern_is_the_rival_of_the_names_that_it_matches() -> None:
    assert rivals(("a", INT, "/w"), ("a1/w",), ("ab/w",), ("a1/b",)) == [("t:1", "t:2")]
    assert rivals(("x",), (NAME,)) == [("t:1", "t:2")]


def test_patterns_without_a_literal_end_are_compared_with_all() -> None:
    assert rivals(("a/", NAME), ("a/", INT), ("a", INT, "/w"), ("b/", NAME)) == [("t:1", "t:2")]
    assert rivals((NAME, "/", NAME), (NAME, "/w")) == [("t:1", "t:2")]


def test_twenty_thousand_plain_names_take_no_time() -> None:
    start = time.perf_counter()
    assert rivals(*((f"a{number}/w",) for number in range(20_000))) == []
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize("first", [("a", INT), (NAME, "b", INT)])
def test_rules_that_are_too_alike_are_refused_in_bounded_time(first: Parts) -> None:
    start = time.perf_counter()
    problems = overlaps([(RuleRef("t", line), (*first, f"c{line}", NAME)) for line in range(5000)])
    assert time.perf_counter() - start < 30
    assert problems[-1].message == "the rules are too many and too alike to be compared"


def test_includes_that_multiply_are_refused(tmp_path: Path) -> None:
    """Twenty small tables, each including the next one twice: a million copies of the last one."""
    for level in range(20):
        twice = ", ".join(f"{{table: t{level + 1}, from: {side}, to: {side}}}" for side in "ab")
        (tmp_path / f"t{level}.yaml").write_text(f"include: [{twice}]\n")
    (tmp_path / "t20.yaml").write_text("variables: [{from: v, to: v}]\n")
    start = time.perf_counter()
    with pytest.raises(TableError, match="the tables include too much"):
        load_table(tmp_path / "t0.yaml")
    assert time.perf_counter() - start < 20


@pytest.mark.parametrize("name", ["all_ints", "many_name_rules"])
@pytest.mark.skipif(not CASES.is_dir(), reason="the cases that people met (../shared/cases) are not here")
def test_nine_thousand_patterns_are_told_apart_with_little_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    table = tmp_path / "t.yaml"
    table.write_bytes(gzip.decompress((CASES / f"{name}.yaml.gz").read_bytes()))
    monkeypatch.setattr("ckptmap.mapping.rule_conflicts._MAX_WORK", 20 * 9000)
    assert check_tables(table) == ()
