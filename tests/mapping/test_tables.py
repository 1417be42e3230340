from __future__ import annotations

import re

import pytest

from ckptmap.basics.errors import TableError
from ckptmap.mapping import apply_table, check_tables, list_tables, load_table
from ckptmap.mapping.tables import Table


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write tables below the current directory, so that messages hold short paths."""
    monkeypatch.chdir(tmp_path)

    def write_table(text: str, name: str = "t.yaml") -> str:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    return write_table


def mistakes(path: str) -> list[str]:
    with pytest.raises(TableError) as caught:
        load_table(path)
    return [str(problem) for problem in caught.value.problems]


KINDS = "kinds: {conv: {weights: kernel, 'biases?': bias}}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["t.yaml: is empty"]),
        ("- a\n", ["t.yaml:1: a table must be a mapping (key: value), not a list"]),
        ("layer: []\n", ['t.yaml:1: a table has no field "layer" (nearest: "layers")']),
        ("layers: []\nlayers: []\n", ['t.yaml:2: a table has the key "layers" twice (first in line 1)']),
        ("layers: 3\n", ['t.yaml:1: `layers` must be a list, not "3"']),
        ("layers: [conv]\n", ['t.yaml:1: a layer must be a mapping (key: value), not "conv"']),
        (
            "x: &a [1]\ny: *a\n",
            [
                "t.yaml:1: anchors and aliases are not allowed (a) (write it out, or include a table)",
                "t.yaml:2: anchors and aliases are not allowed (a) (write it out, or include a table)",
            ],
        ),
        (
            "description: !!python/name:os.system x\n",
            ["t.yaml:1: tags are not allowed (tag:yaml.org,2002:python/name:os.system)"],
        ),
        (
            KINDS + "layers:\n  - {from: a, to: b, as: cnov}\n",
            ['t.yaml:3: there is no kind "cnov" (nearest: "conv")'],
        ),
        (KINDS + "layers:\n  - {from: a, to: b}\n", ['t.yaml:3: a layer lacks the field "as"']),
        (
            KINDS + "layers:\n  - {from: 'a_{x}', to: b, as: conv}\n",
            ["t.yaml:3: the placeholder {x} is not declared (declare it under `where`)"],
        ),
        (
            KINDS + "where: {i: int}\nlayers:\n  - {from: a, to: 'b_{i}', as: conv}\n",
            ["t.yaml:4: {i} is in `to`, but not in `from` (only what is matched can be used)"],
        ),
        (
            KINDS + "where: {i: int, j: int}\nlayers:\n  - {from: 'a_{i}', to: 'b_{i}', as: conv}\n",
            ["t.yaml:2: the placeholder {j} is declared, but no rule uses it"],
        ),
        (
            KINDS + "where: {i: itn}\nlayers:\n  - {from: 'a_{i}', to: b, as: conv}\n",
            [
                't.yaml:2: {i}: there is no type "itn" (nearest: "int")',
                "t.yaml:4: the placeholder {i} is not declared (declare it under `where`)",
            ],
        ),
        ("where: {i: a|b|a}\n", ['t.yaml:1: "a" is listed twice']),
        (
            "where: {1: int}\n",
            ['t.yaml:1: "1" cannot be the name of a placeholder (letters, digits and _, a letter first)'],
        ),
        (
            KINDS
            + "where: {n: name}\nlayers:\n  - {from: a/b, to: x, as: conv}\n  - {from: 'a/{n}', to: y, as: conv}\n",
            [
                (
                    "t.yaml:5: two rules can match the same variable: a/b/biases and a/{n}/biases (t.yaml:4)"
                    " (declare the placeholders so that only one of them does, or say `shared: true` in both)"
                )
            ],
        ),
        (
            KINDS + "layers:\n  - {from: a, to: x, as: conv}\ndrop:\n  - {match: a/biases, reason: not needed}\n",
            [
                (
                    "t.yaml:5: two rules can match the same variable: a/biases and a/biases (t.yaml:3)"
                    " (declare the placeholders so that only one of them does, or say `shared: true` in both)"
                )
            ],
        ),
        ("drop:\n  - {match: a, reason: }\n", ["t.yaml:2: reason must be a string, not nothing"]),
        (
            "init:\n  - {match: a, value: 1e99, reason: r}\n",
            ["t.yaml:2: value must be zeros, ones, initializer or a number"],
        ),
        ("drop:\n  - {match: a}\n", ['t.yaml:2: a drop rule lacks the field "reason"']),
        ("drop:\n  - {match: a, reason: ' '}\n", ["t.yaml:2: the reason is empty (say why, the report repeats it)"]),
        ("init:\n  - {match: a, value: zeros}\n", ['t.yaml:2: an init rule lacks the field "reason"']),
        (
            "init:\n  - {match: a, value: zeroes, reason: r}\n",
            ['t.yaml:2: value must be zeros, ones, initializer or a number (nearest: "zeros")'],
        ),
        (
            "variables:\n  - {from: a, to: b, ops: [{transpos: [1, 0]}]}\n",
            ['t.yaml:2: there is no operation "transpos" (nearest: "transpose")'],
        ),
        (
            "variables:\n  - {from: a, to: b, ops: [{transpose: [1, 1]}]}\n",
            ["t.yaml:2: transpose [1, 1] is not a permutation (name each of 0 to 1 once)"],
        ),
        (
            "variables:\n  - {from: [a, b], to: c}\n",
            [
                "t.yaml:2: several source variables need an operation that joins them (concat, stack or add: sources)",
            ],
        ),
        (
            "variables:\n  - {from: a, to: c, ops: [{concat: 0}]}\n",
            ["t.yaml:2: concat needs several source variables (a `from` list, or `group`)"],
        ),
        (
            "variables:\n  - {from: a, to: [b, c], ops: [{split: {axis: 0, parts: 3}}]}\n",
            ["t.yaml:2: split makes 3 parts, `to` lists 2 names"],
        ),
        (
            "variables:\n  - {from: a, to: b, ops: [{cast: flot32}]}\n",
            ['t.yaml:2: there is no dtype "flot32" (nearest: "float32")'],
        ),
        (
            "where: {i: int}\nvariables:\n  - {from: ['a_{i}', b], to: c, ops: [{concat: 0}]}\n",
            [
                (
                    "t.yaml:3: all patterns of a `from` list use the same placeholders "
                    "(otherwise nothing shows which variables belong together)"
                )
            ],
        ),
        (
            "where: {n: name}\nvariables:\n  - {from: 'a_{n}', to: c, group: n, ops: [{concat: 0}]}\n",
            ["t.yaml:3: {n} does not stand for a number (declare it `int` or map it to numbers)"],
        ),
        (
            "kinds: {a: {x: k}, b: {x: k, y: z}}\nlayers:\n  - {from: l, to: m, as: [a, b]}\n",
            ["t.yaml:3: a and b cannot be told apart (each must demand a leaf that the other does not)"],
        ),
        ("kinds: {a: {x: k, y: k}}\n", ['t.yaml:1: kind "a" maps two leaves to "k"']),
        ("kinds: {a: {x: k, 'x?': l}}\n", ['t.yaml:1: kind "a" names a leaf twice, with and without "?"']),
        (
            KINDS + "layers:\n  - {from: a, to: b, as: conv, per_class: {axes: -1}}\n",
            ['t.yaml:3: per_class has no field "axes" (nearest: "axis")', 't.yaml:3: per_class lacks the field "axis"'],
        ),
        (
            KINDS + "layers:\n  - {from: a, to: b, as: conv, optional: maybe}\n",
            ['t.yaml:3: optional must be true or false, not "maybe"'],
        ),
        (
            "include:\n  - {table: ../secret}\n",
            ['t.yaml:2: "../secret" leaves the table directory (write it like kinds/keras)'],
        ),
        (
            "include:\n  - {table: /etc/x}\n",
            ['t.yaml:2: "/etc/x" leaves the table directory (write it like kinds/keras)'],
        ),
        (
            "include:\n  - {table: backbones/mobilenet_v3}\n",
            ['t.yaml:2: there is no table "backbones/mobilenet_v3" (nearest: "backbones/mobilenet_v2")'],
        ),
    ],
)
def test_each_mistake_is_shown_with_file_and_line(write, text, expected):
    assert mistakes(write(text)) == expected


@pytest.mark.parametrize("text", ["layers: [\n", "a: 1\n---\nb: 2\n"])
def test_a_syntax_error_is_shown_with_its_line(write, text):
    [message] = mistakes(write(text))
    assert message.startswith("t.yaml:2: YAML syntax: ")


def test_all_mistakes_are_shown_at_once(write):
    text = (
        KINDS + "layers:\n  - {from: a, to: b, as: cnov}\n  - {from: '{x}', to: b, as: conv}\ndrop:\n  - {match: c}\n"
    )
    path = write(text)
    with pytest.raises(TableError) as caught:
        load_table(path)
    assert str(caught.value) == (
        "the table t.yaml has 3 mistakes:\n"
        '  t.yaml:3: there is no kind "cnov" (nearest: "conv")\n'
        "  t.yaml:4: the placeholder {x} is not declared (declare it under `where`)\n"
        '  t.yaml:6: a drop rule lacks the field "reason"'
    )
    assert check_tables(path) == caught.value.problems


def test_tables_that_include_each_other(write):
    write("include:\n  - {table: b}\n", "a.yaml")
    write("include:\n  - {table: a}\n", "b.yaml")
    assert mistakes("a.yaml") == ["b.yaml:2: tables include each other: a.yaml -> b.yaml -> a.yaml"]


def test_what_an_include_narrows_must_be_somewhere_below(write):
    write("where: {b: int}\ndrop:\n  - {match: 'x{b}', reason: dead}\n", "inner.yaml")
    write("include:\n  - {table: inner}\n", "between.yaml")
    outer = "include:\n  - {table: between, where: {b: 1|2}}\n"
    assert apply_table(load_table(write(outer)), ["x2", "x3"]).unmatched == ("x3",)
    assert mistakes(write(outer.replace("b: 1", "c: 1"))) == ["t.yaml:2: the included table has no placeholder {c}"]


def test_a_mistake_in_an_included_table_names_that_file(write):
    write("layers:\n\n  - {from: a, to: b, as: conv}\n", "parts/x.yaml")
    assert mistakes(write("include:\n  - {table: parts/x}\n")) == [
        'parts/x.yaml:3: there is no kind "conv" (include kinds/slim)'
    ]


def test_an_include_that_is_a_link_out_of_the_directory_is_not_found(write, tmp_path):
    write("layers: []\n", "outside.yaml")
    (tmp_path / "tables").mkdir()
    try:
        (tmp_path / "tables" / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    except OSError:
        pytest.skip("links cannot be made here")
    assert mistakes(write("include:\n  - {table: link}\n", "tables/t.yaml")) == [
        'tables/t.yaml:2: there is no table "link"'
    ]


def test_one_kind_defined_twice(write):
    write(KINDS, "k.yaml")
    assert mistakes(write("include:\n  - {table: k}\n" + KINDS)) == [
        't.yaml:3: the kind "conv" is defined twice: k.yaml:1 and t.yaml:3'
    ]


BOTH = "include:\n  - {table: kinds/slim}\n  - {table: kinds/keras}\n"


def test_kinds_of_two_included_tables_beside_each_other(write):
    table = load_table(
        write(
            BOTH + "layers:\n  - {from: a, to: x, as: slim/conv}\n  - {from: b, to: y, as: keras/conv}\n"
            "  - {from: c, to: z, as: embedding}\n"
        )
    )
    result = apply_table(table, ["a/weights", "b/kernel", "c/embeddings"])
    assert {item.sources: (item.target, item.others) for item in result.assignments} == {
        ("a/weights",): ("x/kernel", ()),
        ("b/kernel",): ("y/kernel", ("y/_kernel",)),
        ("c/embeddings",): ("z/embeddings", ("z/_embeddings",)),
    }


def test_a_kind_that_two_included_tables_have_is_called_in_full(write):
    several = 'several tables have a kind "conv" (write slim/conv or keras/conv)'
    assert mistakes(write(BOTH + "layers:\n  - {from: a, to: x, as: conv}\n")) == [f"t.yaml:5: {several}"]
    write(BOTH, "both.yaml")
    included = "include:\n  - {table: both}\n  - {table: kinds/keras}\nlayers:\n  - {from: a, to: x, as: conv}\n"
    assert mistakes(write(included)) == [f"t.yaml:5: {several}"]
    (mistake,) = mistakes(write(BOTH + "kinds: {conv: {w: kernel}}\n"))
    assert re.fullmatch(r't.yaml:4: the kind "conv" is defined twice: kinds/slim.yaml:\d+ and t.yaml:4', mistake)


def test_hostile_yaml_is_refused_quickly(write):
    assert mistakes(write("[" * 100_000)) == ["t.yaml:1: is nested too deeply (a table has up to 50 levels)"]
    assert mistakes(write("a: " + "x" * 1_000_001)) == ["t.yaml: is too long (a table can have 1000000 bytes)"]
    assert mistakes(write("where:\n  x:\n    order: [{scope: 'b{n}', n: [0, 999999999], of: [a]}]\n")) == [
        "t.yaml:3: n is [first, last], with 0 <= first <= last (and gives up to 1000 names)",
        "t.yaml:3: {x} has 0 alternatives (1 to 1000 are possible)",
    ]


def test_a_table_with_a_byte_that_is_no_text(write, tmp_path):
    (tmp_path / "t.yaml").write_bytes(b"description: \xff\n")
    assert mistakes("t.yaml") == ["t.yaml: is not UTF-8 text (byte 13)"]


def test_included_rules_get_the_prefixes_and_may_be_optional(write):
    write(KINDS + "layers:\n  - {from: c, to: d, as: conv}\n", "part.yaml")
    table = load_table(write("include:\n  - {table: part, from: tf1/scope, to: tf2/scope, optional: true}\n"))
    result = apply_table(table, ["tf1/scope/c/weights"])
    assert [(item.sources, item.target, str(item.rule)) for item in result.assignments] == [
        (("tf1/scope/c/weights",), "tf2/scope/d/kernel", "part.yaml:3")
    ]
    assert apply_table(table, []).problems == ()


def test_a_table_included_twice_in_one_place_counts_once(write):
    write(KINDS + "layers:\n  - {from: c, to: d, as: conv}\n", "part.yaml")
    write("include:\n  - {table: part}\n", "one.yaml")
    table = load_table(write("include:\n  - {table: part}\n  - {table: one}\n"))
    assert len(table.rules) == 1


def test_a_users_table_can_include_a_shipped_one(write):
    table = load_table(write("include:\n  - {table: kinds/slim}\nlayers:\n  - {from: a, to: b, as: conv}\n"))
    assert isinstance(table, Table)
    assert str(table.kinds["conv"].ref).startswith("kinds/slim.yaml:")


def test_an_unknown_table_names_the_nearest(write):
    with pytest.raises(TableError, match='there is no table "ssd_mobilnet_v2" \\(nearest: ssd_mobilenet_v2; '):
        load_table("ssd_mobilnet_v2")
    with pytest.raises(TableError) as unlike:
        load_table("zzz")
    assert str(unlike.value) == (
        'there is no table "zzz" (ckptmap rules list names all; a table of your own is a path that ends in .yaml)'
    )
    with pytest.raises(TableError, match=r"there is no table file mine\.yaml"):
        load_table("mine.yaml")


def test_shipped_tables_by_name_and_by_path():
    assert "ssd_mobilenet_v2" in list_tables()
    assert load_table("ssd_mobilenet_v2") == load_table("detectors/ssd_mobilenet_v2")
