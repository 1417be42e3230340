"""Every mistake in a rule or an operation is told with its line; none is passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from ckptmap.basics.errors import TableError
from ckptmap.mapping import load_table


def mistakes(folder: Path, text: str) -> list[str]:
    path = folder / "t.yaml"
    path.write_text(text + "\n")
    with pytest.raises(TableError) as caught:
        load_table(path)
    return [str(problem).replace(path.as_posix(), "t.yaml") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("transpose: x", 'transpose must be a list, not "x"'),
        ("transpose: [0, 2]", "transpose [0, 2] is not a permutation (name each of 0 to 1 once)"),
        ("transpose: [1, a]", 'an item of transpose must be a whole number, not "a"'),
        ("reshape: 3", 'reshape must be a list, not "3"'),
        ("reshape: [-1, -1]", "reshape [-1, -1] is not a shape (one length can be -1, the others are 0 or more)"),
        ("reshape: [-2]", "reshape [-2] is not a shape (one length can be -1, the others are 0 or more)"),
        ("squeeze: {}", "squeeze must be a list, not a mapping"),
        ("concat: x", 'concat must be a whole number, not "x"'),
        ("stack: 1.5", 'stack must be a whole number, not "1.5"'),
        ("slice: 3", 'slice must be a mapping (key: value), not "3"'),
        ("slice: {axis: a}", 'axis must be a whole number, not "a"'),
        ("slice: {axis: 0, start: 5, stop: 2}", "slice needs 0 <= start < stop"),
        ("slice: {start: 1}", 'slice lacks the field "axis"'),
        ("split: []", "split must be a mapping (key: value), not a list"),
        ("split: {axis: 0}", "split needs a `to` list with a name for each part (for a single part, use slice)"),
        ("split: {axis: 0, parts: 2, sizes: [1, 1]}", "split needs either `parts` (how many equal ones) or `sizes`"),
        ("split: {axis: 0, sizes: [-1, 2]}", "split needs at least one part, and no size below 0"),
        ("split: {axis: x, parts: 2}", 'axis must be a whole number, not "x"'),
        ("reorder: 1", 'reorder must be a mapping (key: value), not "1"'),
        ("reorder: {axis: 0, order: [0, 2]}", "order [0, 2] is not a permutation (name each of 0 to 1 once)"),
        ("reorder: {axis: 0, order: x}", 'order must be a list, not "x"'),
        ("add: x", 'add must be a number, not "x"'),
        ("scale: {values: [1, 2]}", 'scale lacks the field "axis"'),
        ("scale: {values: [a], axis: 0}", 'an item of values must be a number, not "a"'),
        ("scale: {values: [], axis: 0}", "scale has no values (one number for each index of the axis)"),
        ("scale: 1e99", 'scale must be a number, not "1e99"'),
        ("cast: []", "cast must be a string, not a list"),
        ("cast: float33", 'there is no dtype "float33" (nearest: "float32")'),
        ("transpose: []", "transpose is empty"),
    ],
)
def test_an_operation(tmp_path: Path, operation: str, expected: str) -> None:
    text = f"variables: [{{from: a, to: b, ops: [{{{operation}}}]}}]"
    assert mistakes(tmp_path, text) == [f"t.yaml:1: {expected}"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "variables: [{from: [a, b], to: c}]",
            ["t.yaml:1: several source variables need an operation that joins them (concat, stack or add: sources)"],
        ),
        (
            "variables: [{from: a, to: c, ops: [{concat: 0}]}]",
            ["t.yaml:1: concat needs several source variables (a `from` list, or `group`)"],
        ),
        (
            "variables: [{from: [a, b], to: c, ops: [{concat: 0}, {stack: 0}]}]",
            ["t.yaml:1: one join and one split are all that a list of operations can do (nest lists in `from`)"],
        ),
        (
            "variables: [{from: a, to: c, ops: [{split: {axis: 0, parts: 2}}]}]",
            ["t.yaml:1: split needs a `to` list with a name for each part (for a single part, use slice)"],
        ),
        (
            "variables: [{from: a, to: [c], ops: [{split: {axis: 0, parts: 2}}]}]",
            ["t.yaml:1: split makes 2 parts, `to` lists 1 names"],
        ),
        (
            "variables: [{from: a, to: c, ops: [{a: 1, b: 2}]}]",
            ["t.yaml:1: an operation is one name with its argument (for example `- transpose: [1, 0]`)"],
        ),
        (
            "variables: [{from: a, to: c, ops: [transpose]}]",
            ['t.yaml:1: an operation must be a mapping (key: value), not "transpose"'],
        ),
        ("variables: [{from: [a, b]}]", ["t.yaml:1: a rule with several sources needs `to`"]),
        ("variables: [{from: [], to: c}]", ["t.yaml:1: `from` is empty (name the source variables)"]),
        ("variables: [{to: c}]", ['t.yaml:1: a variable rule lacks the field "from"']),
        ("variables: [{from: {a: b}, to: c}]", ["t.yaml:1: `from` must be a string, not a mapping"]),
        (
            "variables: [{from: a, to: c, per_class: 3}]",
            ['t.yaml:1: per_class must be a mapping (key: value), not "3"'],
        ),
        ("variables: [{from: a, to: c, per_class: {axis: x}}]", ['t.yaml:1: axis must be a whole number, not "x"']),
        ("variables: [{from: a, to: c, optional: maybe}]", ['t.yaml:1: optional must be true or false, not "maybe"']),
        (
            "variables: [{from: 'a/{i}', to: c, group: i}]",
            ["t.yaml:1: the placeholder {i} is not declared (declare it under `where`)"],
        ),
        (
            "where: {i: int}\nvariables: [{from: 'a/{i}', to: c, group: j}]",
            [
                "t.yaml:2: `from` must be one pattern with {j} (name the placeholder that counts)",
                "t.yaml:2: several source variables need an operation that joins them (concat, stack or add: sources)",
            ],
        ),
        (
            "where: {i: int}\nvariables: [{from: 'a/{i}', to: 'c/{i}', group: i, ops: [{concat: 0}]}]",
            ["t.yaml:2: {i} is in `to`, but not in `from` (only what is matched can be used)"],
        ),
        ("kinds: {k: {}}", ['t.yaml:1: kind "k" has no leaves']),
        ("kinds: {k: {a: b, 'a?': b}}", ['t.yaml:1: kind "k" names a leaf twice, with and without "?"']),
        ("kinds: {k: {a: [c, []]}}", ['t.yaml:1: leaf "a" must be a string, not a list']),
        ("kinds: {k: {a: c, b: [d, c]}}", ['t.yaml:1: kind "k" maps two leaves to "c"']),
        ("kinds: {k: {a: c, b: c}}", ['t.yaml:1: kind "k" maps two leaves to "c"']),
        ("kinds: {k: {a: {ops: []}}}", ['t.yaml:1: leaf "a" lacks the field "to"']),
        (
            "kinds: {k: {'a{i}': b}}",
            ["t.yaml:1: the placeholder {i} is not declared (leaves are plain names, without placeholders)"],
        ),
        ("kinds: {k: {a: []}}", ['t.yaml:1: leaf "a" has no name in the target']),
        (
            "kinds: {k: {a: b}}\nlayers: [{from: x, to: y, as: {k: z}}]",
            ["t.yaml:2: `as` names a target for each kind already (leave `to` out)"],
        ),
        ("kinds: {k: {a: b}}\nlayers: [{from: x, as: j}]", ['t.yaml:2: there is no kind "j" (known: k)']),
        ("layers: [{from: x, as: j}]", ['t.yaml:1: there is no kind "j" (include kinds/slim)']),
        ("kinds: {k: {a: b}}\nlayers: [{from: x}]", ['t.yaml:2: a layer lacks the field "as"']),
        (
            "kinds: {k: {a: b}}\nwhere: {i: int}\nlayers: [{from: 'x{i}', to: 'y{i}', as: k, last: {of: j, to: z}}]",
            ["t.yaml:3: `from` must be one pattern with {j} (name the placeholder that counts)"],
        ),
        (
            "kinds: {k: {a: b}}\nlayers: [{from: x, as: k, last: 3}]",
            ['t.yaml:2: last must be a mapping (key: value), not "3"'],
        ),
        ("drop: [{match: a}]", ['t.yaml:1: a drop rule lacks the field "reason"']),
        ("drop: [{match: a, reason: ' '}]", ["t.yaml:1: the reason is empty (say why, the report repeats it)"]),
        (
            "init: [{match: a, value: one, reason: x}]",
            ['t.yaml:1: value must be zeros, ones, initializer or a number (nearest: "ones")'],
        ),
        (
            "init: [{match: a, value: [], reason: x}]",
            ["t.yaml:1: value is empty (one number, or one for each of as many equal blocks of the last axis)"],
        ),
        ("init: [{match: a, value: [b], reason: x}]", ['t.yaml:1: an item of value must be a number, not "b"']),
        ("init: [{match: a, value: {}, reason: x}]", ["t.yaml:1: value must be zeros, ones, initializer or a number"]),
        (
            "variables: [{from: a, to: b, ops: [{reshape: target}, {pad: {axis: 0}}]}]",
            ["t.yaml:1: pad axis 0 to the target and reshape target: one operation of a rule can ask the target"],
        ),
        (
            "variables: [{from: a, to: b, ops: [{pad: {axis: 0}}, {cast: float64}]}]",
            ["t.yaml:1: pad axis 0 to the target comes last (the target fills what it leaves open)"],
        ),
        (
            "variables: [{from: [a, {from: b, ops: [{reshape: target}]}], to: c, ops: [{concat: 0}]}]",
            ["t.yaml:1: reshape target is for the `ops` of the rule (what is nested is only a part of the target)"],
        ),
        (
            "variables: [{from: [a, {from: [b, c], ops: []}], to: d, ops: [{concat: 0}]}]",
            ["t.yaml:1: several source variables need an operation that joins them (concat, stack or add: sources)"],
        ),
        (
            "variables: [{from: [a, {ops: []}], to: d, ops: [{concat: 0}]}]",
            ['t.yaml:1: an item of `from` lacks the field "from"'],
        ),
        (
            "variables: [{from: a, to: b, ops: [{split: {axis: 0}}]}]",
            ["t.yaml:1: split needs a `to` list with a name for each part (for a single part, use slice)"],
        ),
        (
            "variables: [{from: a, to: b, shared: true}, {from: a, to: c}]",
            [
                (
                    "t.yaml:1: two rules can match the same variable: a and a (t.yaml:1) (declare the placeholders so "
                    "that only one of them does, or say `shared: true` in both)"
                )
            ],
        ),
        (
            "init: [{match: 'a$', value: 1, reason: x}]",
            ["t.yaml:1: \"a$\" holds '$' (this is not a regular expression: use a placeholder in braces)"],
        ),
        (
            "where: {i: integer}\ndrop: [{match: 'a{i}', reason: x}]",
            [
                't.yaml:1: {i}: there is no type "integer" (nearest: "int")',
                "t.yaml:2: the placeholder {i} is not declared (declare it under `where`)",
            ],
        ),
        (
            "where: {i: {}}\ndrop: [{match: 'a{i}', reason: x}]",
            [
                "t.yaml:1: {i} has 0 alternatives (1 to 1000 are possible)",
                "t.yaml:2: the placeholder {i} is not declared (declare it under `where`)",
            ],
        ),
        (
            "where: {i: {order: [a, a]}}\ndrop: [{match: 'b{i}', reason: x}]",
            [
                't.yaml:1: "a" is listed twice',
                "t.yaml:2: the placeholder {i} is not declared (declare it under `where`)",
            ],
        ),
        (
            "where: {i: {order: a}}\ndrop: [{match: 'b{i}', reason: x}]",
            [
                't.yaml:1: `order` must be a list, not "a"',
                "t.yaml:1: {i} has 0 alternatives (1 to 1000 are possible)",
                "t.yaml:2: the placeholder {i} is not declared (declare it under `where`)",
            ],
        ),
        (
            "where: {i: {order: [a], start: -1}}\ndrop: [{match: 'b{i}', reason: x}]",
            ["t.yaml:2: the placeholder {i} is not declared (declare it under `where`)"],
        ),
        (
            "where: {i: {order: [{scope: b, n: [1, 2], of: [a]}]}}\ndrop: [{match: 'b{i}', reason: x}]",
            [
                "t.yaml:1: a scope with {n} needs `n`, the first and the last number (for example n: [1, 10])",
                "t.yaml:1: {i} has 0 alternatives (1 to 1000 are possible)",
                "t.yaml:2: the placeholder {i} is not declared (declare it under `where`)",
            ],
        ),
        (
            "where: {i: {order: [{scope: 'b{n}', n: [2, 1], of: [a]}]}}\ndrop: [{match: 'b{i}', reason: x}]",
            [
                "t.yaml:1: n is [first, last], with 0 <= first <= last (and gives up to 1000 names)",
                "t.yaml:1: {i} has 0 alternatives (1 to 1000 are possible)",
                "t.yaml:2: the placeholder {i} is not declared (declare it under `where`)",
            ],
        ),
        (
            "where: {i: {order: [{of: [a]}]}}\ndrop: [{match: 'b{i}', reason: x}]",
            [
                't.yaml:1: a scope of `order` lacks the field "scope"',
                "t.yaml:1: {i} has 0 alternatives (1 to 1000 are possible)",
                "t.yaml:2: the placeholder {i} is not declared (declare it under `where`)",
            ],
        ),
        (
            "where: {i: []}\ndrop: [{match: 'b{i}', reason: x}]",
            [
                "t.yaml:1: {i} must be a string, not a list",
                "t.yaml:2: the placeholder {i} is not declared (declare it under `where`)",
            ],
        ),
        (
            "include: [{tabel: x}]",
            [
                't.yaml:1: an include has no field "tabel" (nearest: "table")',
                't.yaml:1: an include lacks the field "table"',
            ],
        ),
        ("include: [{table: []}]", ["t.yaml:1: table must be a string, not a list"]),
        ("? [a]\n: 1", ["t.yaml:1: a key of a table must be a string, not a list"]),
        ("variables: [{from: a, to: []}]", ["t.yaml:1: `to` is empty (name the target variables)"]),
    ],
)
def test_a_rule(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert mistakes(tmp_path, text) == expected
