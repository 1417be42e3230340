"""Attacks by mapping tables."""

from __future__ import annotations

from pathlib import Path

from tests.hostile.attacks.making import attack, frozen_source

TABLE = ("convert", "old.pb", "--to", "ssd_mobilenet_v2", "--table", "t.yaml", "--dry-run")


def write_table(folder: Path, text: str, name: str = "t") -> None:
    frozen_source(folder)
    (folder / f"{name}.yaml").write_text(text)


@attack(*TABLE, says="anchors and aliases are not allowed")
def yaml_bomb(folder: Path) -> None:
    """A billion laughs: anchors that double ten times over."""
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    write_table(folder, "\n".join(levels))


@attack(*TABLE, says="tags are not allowed")
def yaml_tag(folder: Path) -> None:
    """A tag that makes PyYAML's unsafe loader run a command."""
    write_table(folder, "description: !!python/object/apply:os.system ['touch owned']\n")


@attack(*TABLE, says="is nested too deeply")
def yaml_nested_without_end(folder: Path) -> None:
    """Hundreds of thousands of opening brackets."""
    write_table(folder, "[" * 400_000)


@attack(*TABLE, says="is nested too deeply")
def yaml_mapping_nested_without_end(folder: Path) -> None:
    """The same, of mappings."""
    write_table(folder, "{a: " * 200_000)


@attack(*TABLE, says='has the key "drop" twice')
def yaml_duplicate_key(folder: Path) -> None:
    """A second list of rules that would silently replace the first."""
    write_table(folder, "drop: [{match: a, reason: x}]\ndrop: [{match: b, reason: x}]\n")


@attack(*TABLE, says="is too long")
def yaml_of_a_hundred_megabytes(folder: Path) -> None:
    """A table far larger than any."""
    write_table(folder, "description: " + "x" * (100 << 20))


@attack(*TABLE, says="leaves the table directory")
def include_above_the_folder(folder: Path) -> None:
    """An include path with dots."""
    write_table(folder, "include: [{table: ../../../../etc/passwd}]\n")


@attack(*TABLE, says="leaves the table directory")
def include_by_an_absolute_path(folder: Path) -> None:
    """An include path from the root."""
    write_table(folder, "include: [{table: /etc/passwd}]\n")


@attack(*TABLE, says='there is no table "inside"')
def include_through_a_link(folder: Path) -> None:
    """An include whose name is plain, but is a link out of the folder."""
    (folder / "inside.yaml").symlink_to("/etc/passwd")
    write_table(folder, "include: [{table: inside}]\n")


@attack(*TABLE, says="tables include each other")
def include_of_itself(folder: Path) -> None:
    """A cycle of includes."""
    write_table(folder, "include: [{table: t}]\n")


@attack(*TABLE[:5], "t0.yaml", "--dry-run", says="the tables include too much")
def includes_that_double(folder: Path) -> None:
    """Thirty tables, each including the next one twice: a bomb without a YAML alias."""
    for level in range(30):
        twice = ", ".join(f"{{table: t{level + 1}, from: {side}, to: {side}}}" for side in "ab")
        write_table(folder, f"include: [{twice}]\n", f"t{level}")
    write_table(folder, "variables: [{from: v, to: v}]\n", "t30")


@attack(*TABLE, says="this is not a regular expression")
def catastrophic_pattern(folder: Path) -> None:
    """A regular expression that takes exponential time, where patterns are wanted."""
    write_table(folder, "variables: [{from: '(a+)+$', to: b}]\n")


@attack(*TABLE, says="{n0} and {n1} touch")
def pattern_with_many_ways_to_match(folder: Path) -> None:
    """The same in the language of patterns: neighboring placeholders that share their text."""
    where = ", ".join(f"n{number}: name" for number in range(20))
    names = "".join(f"{{n{number}}}" for number in range(20))
    write_table(folder, f"where: {{{where}}}\nvariables: [{{from: '{names}x', to: b}}]\n")


@attack(*TABLE, says="can be matched in too many ways")
def alternatives_with_many_ways_to_match(folder: Path) -> None:
    """Alternatives of which each begins with the one before it, ten times in a pattern."""
    choices = "|".join("a" * length for length in range(1, 30))
    where = ", ".join(f"c{number}: '{choices}'" for number in range(10))
    names = "_".join(f"{{c{number}}}" for number in range(10))
    write_table(folder, f"where: {{{where}}}\nvariables: [{{from: '{names}', to: b}}]\n")


@attack(*TABLE, says="t.yaml:2: {9999")
def arithmetic_with_huge_numbers(folder: Path) -> None:
    """A calculation in a target name with numbers of many digits."""
    number = "9" * 10_000
    write_table(folder, f"where: {{i: int}}\nvariables: [{{from: 'a/{{i}}', to: 'b/{{{number}*i}}'}}]\n")


@attack(*TABLE, says="split needs at least one part")
def operation_of_huge_size(folder: Path) -> None:
    """A split into a billion parts."""
    rule = "{from: a, to: [b], ops: [{split: {axis: 0, parts: 1000000000}}]}"
    write_table(folder, f"variables: [{rule}]\n")


@attack(*TABLE, says="gives up to 1000 names")
def scope_of_a_billion_layers(folder: Path) -> None:
    """An ordered list that is written in a few bytes and has a billion names."""
    scope = "{scope: 'b{n}', n: [1, 999999999], of: [a]}"
    write_table(folder, f"where: {{l: {{order: [{scope}]}}}}\nvariables: [{{from: '{{l}}', to: '{{l}}'}}]\n")


@attack(*TABLE, heavy=True, says="too many and too alike to be compared")
def thousands_of_rules_that_are_alike(folder: Path) -> None:
    """Rules of which each two must be compared."""
    rules = "\n".join(f"  - {{from: '{{n}}x{number}_{{i}}', to: 'y{number}'}}" for number in range(15_000))
    write_table(folder, f"where: {{n: name, i: int}}\nvariables:\n{rules}\n")


@attack(*TABLE, says="1000000 alternatives are too many")
def a_million_alternatives(folder: Path) -> None:
    """A thousand rules that share a placeholder with a thousand alternatives: as many to compile for each."""
    choices = "|".join(f"{number:04}" for number in range(1000))
    rules = "\n".join(f"  - {{from: '{{c}}/x{number}', to: '{{c}}/y{number}'}}" for number in range(1000))
    write_table(folder, f"where: {{c: '{choices}'}}\nvariables:\n{rules}\n")
