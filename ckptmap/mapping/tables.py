"""Load and check mapping tables: files, includes, and what only shows when all rules are together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from ckptmap.basics.errors import Problem, TableError
from ckptmap.basics.nearest import did_you_mean, nearest, nearest_file
from ckptmap.checkpoint.names import shortened
from ckptmap.mapping.locate import all_tables, mappings_root, shipped_tables
from ckptmap.mapping.parse_kinds import Kinds, parse_kinds
from ckptmap.mapping.parse_layers import below, parse_layer
from ckptmap.mapping.parse_scope import Scope
from ckptmap.mapping.parse_unmapped import parse_drop, parse_init
from ckptmap.mapping.parse_variables import parse_variable
from ckptmap.mapping.parse_where import check_used, parse_where
from ckptmap.mapping.patterns import (
    Parts,
    Pattern,
    PatternError,
    Placeholder,
    Template,
    Where,
    join_pattern,
    join_template,
)
from ckptmap.mapping.rule_conflicts import overlaps
from ckptmap.mapping.rule_ref import RuleRef
from ckptmap.mapping.table import (
    Case,
    DropRule,
    InitRule,
    Kind,
    Last,
    LayerRule,
    Rule,
    Table,
    VariableRule,
)
from ckptmap.mapping.yamlnodes import Node, YamlDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_TABLE = ("description", "include", "kinds", "where", "layers", "variables", "drop", "init")
_SUFFIXES = (".yaml", ".yml")
_MAX_RULES = 20_000
_MAX_FILES = 500
_MAX_ALTERNATIVES = 50_000
"""In the patterns of all rules together; the largest shipped table has 635. Each costs 20 microseconds to compile."""
_Parsed = TypeVar("_Parsed")


def load_table(name_or_path: str | Path) -> Table:
    """A shipped table by name (``ssd_mobilenet_v2``, ``detectors/ssd_mobilenet_v2``) or the user's own YAML file.

    Reads the file and what it includes. Raises TableError with all mistakes of the table and its includes.
    """
    path, roots = _find(str(name_or_path))
    problems: list[Problem] = []
    table = _load_checked(path, roots, problems)
    if problems:
        raise TableError(f"the table {name_or_path} has {_count(problems)}", problems)
    return table


@cache
def shipped_kinds() -> Mapping[str, Kind]:
    """The kinds of the shipped tables, as ``slim/conv``."""
    tables = (load_table(f"kinds/{name}") for name in shipped_tables("kinds"))
    return {_full_name(kind): kind for table in tables for kind in table.kinds.values()}


def list_tables() -> tuple[str, ...]:
    """The names of the shipped detector tables."""
    return tuple(shipped_tables())


def check_tables(path: str | Path) -> tuple[Problem, ...]:
    """All mistakes of a table file, or of every table below a directory. Raises TableError when there is no table."""
    return read_tables(path)[1]


def read_tables(path: str | Path) -> tuple[tuple[Table, ...], tuple[Problem, ...]]:
    """A table file, or every table below a directory, as far as they are right, and all mistakes.

    Raises:
        TableError: there is no table.
    """
    path = Path(path)
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES)
    if not files:
        raise TableError(_no_table("at", path), ())
    root = path if path.is_dir() else path.parent
    problems: list[Problem] = []
    tables = tuple(_load_checked(file, (root, mappings_root()), problems) for file in files)
    return tables, tuple(dict.fromkeys(problems))


def _find(text: str) -> tuple[Path, tuple[Path, ...]]:
    """The file that is meant, and the directories in which its includes are looked for."""
    shipped = mappings_root()
    path = Path(text)
    if path.suffix in _SUFFIXES:
        if not path.is_file():
            raise TableError(_no_table("file", path), ())
        inside = path.resolve().is_relative_to(shipped)
        return path, (shipped,) if inside else (path.parent, shipped)
    model = shipped_tables().get(text)
    if model is not None:
        return model, (shipped,)
    if _is_plain(text) and (shipped / f"{text}.yaml").is_file():
        return shipped / f"{text}.yaml", (shipped,)
    raise TableError(f'there is no table "{shortened(text)}" ({_nearest_table(text)})', ())


def _no_table(what: str, path: Path) -> str:
    hint = nearest_file(path, _SUFFIXES)
    return f"there is no table {what} {shortened(str(path))}" + (f" ({hint})" if hint else "")


def _nearest_table(text: str) -> str:
    """The nearest names of shipped tables, however far they are, and where all names are."""
    known = [*list_tables(), *all_tables()]
    near = nearest(text, known, 1) or nearest(text, known, 2, cutoff=0.5)
    found = f"nearest: {', '.join(near)}; " if near else ""
    return f"{found}ckptmap rules list names all; a table of your own is a path that ends in .yaml"


def _count(problems: list[Problem]) -> str:
    return "1 mistake:" if len(problems) == 1 else f"{len(problems)} mistakes:"


@dataclass(slots=True)
class _Loaded:
    """A table file with its includes, before the checks that need all rules."""

    description: str = ""
    kinds: Kinds = field(default_factory=Kinds)
    rules: list[Rule] = field(default_factory=list)
    inits: list[InitRule] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Loader:
    """Reads files below ``roots``; ``chain`` holds the files that are being included, to find cycles."""

    roots: tuple[Path, ...]
    problems: list[Problem]
    chain: tuple[Path, ...] = ()
    narrowed: Where = field(default_factory=dict)
    """Placeholders that an include declares anew for what it includes."""
    used: set[str] = field(default_factory=set)
    """Which of them a table has."""
    digests: dict[str, str] = field(default_factory=dict)
    """The SHA-256 of each file that was read."""
    files: list[Path] = field(default_factory=list)
    """Every file as often as it was included."""

    def load(self, path: Path) -> _Loaded:
        """One file and everything it includes."""
        doc = YamlDocument(self._label(path), self.problems, self.digests, path.parent)
        loaded = _Loaded()
        self.files.append(path)
        root = doc.read(path) if len(self.files) <= _MAX_FILES else None
        fields = doc.mapping(root, "a table", _TABLE) if root is not None else None
        if fields is None:
            return loaded
        if "description" in fields:
            loaded.description = doc.text(fields["description"], "description") or ""
        scope = Scope(doc, self._narrow(parse_where(doc, fields.get("where"))))
        inner = replace(self, chain=(*self.chain, path))
        for node in _items(doc, fields, "include"):
            inner._include(scope, node, loaded)
        self._parse_rules(scope, fields, loaded)
        check_used(doc, fields.get("where"), scope.declared, scope.used)
        return loaded

    def _narrow(self, declared: dict[str, Placeholder]) -> dict[str, Placeholder]:
        again = {name: self.narrowed[name] for name in declared if name in self.narrowed}
        self.used.update(again)
        return {**declared, **again}

    def _parse_rules(self, scope: Scope, fields: Mapping[str, Node], loaded: _Loaded) -> None:
        doc = scope.doc
        _add_kinds(doc, fields.get("kinds"), loaded.kinds, parse_kinds(doc, fields.get("kinds")))
        layers = _items(doc, fields, "layers")
        loaded.rules += [rule for node in layers for rule in parse_layer(scope, node, loaded.kinds)]
        loaded.rules += _parsed(_items(doc, fields, "variables"), lambda node: parse_variable(scope, node))
        loaded.rules += _parsed(_items(doc, fields, "drop"), lambda node: parse_drop(scope, node))
        loaded.inits += _parsed(_items(doc, fields, "init"), lambda node: parse_init(scope, node))

    def _include(self, scope: Scope, node: Node, loaded: _Loaded) -> None:
        doc = scope.doc
        fields = doc.mapping(node, "an include", ("table", "from", "to", "where", "optional"), ("table",))
        if fields is None or "table" not in fields:
            return
        path = self._resolve(doc, fields["table"])
        before = scope.pattern(fields["from"], "`from`") if "from" in fields else None
        bound = before.names if before else frozenset()
        after = scope.template(fields["to"], "`to`", bound) if "to" in fields else None
        optional = doc.flag(fields.get("optional"), "optional", False)
        if path is None:
            return
        included = self._load_narrowed(doc, fields.get("where"), path)
        if len(loaded.rules) + len(included.rules) > _MAX_RULES or len(self.files) > _MAX_FILES:
            if not self.problems:
                doc.error(node, "the tables include too much", f"up to {_MAX_RULES} rules from {_MAX_FILES} files")
            return
        _include_kinds(doc, node, loaded.kinds, included.kinds)
        try:
            loaded.rules += [_under(rule, before, after, optional) for rule in included.rules]
            loaded.inits += [_init_under(rule, after) for rule in included.inits]
        except PatternError as error:
            doc.error(node, str(error), error.hint)

    def _load_narrowed(self, doc: YamlDocument, node: Node | None, path: Path) -> _Loaded:
        """An included table, its placeholders narrowed by the include's ``where``."""
        where = parse_where(doc, node)
        used: set[str] = set()
        included = replace(self, narrowed={**self.narrowed, **where}, used=used).load(path)
        for name in sorted(where.keys() - used):
            doc.error(node, f"the included table has no placeholder {{{name}}}")
        self.used.update(used)
        return included

    def _resolve(self, doc: YamlDocument, node: Node) -> Path | None:
        name = doc.text(node, "table")
        if name is None:
            return None
        if not _is_plain(name):
            doc.error(node, f'"{name}" leaves the table directory', "write it like kinds/keras")
            return None
        path = next((file for root in self.roots if (file := _below(root, name)) is not None), None)
        if path is None:
            doc.error(node, f'there is no table "{name}"', did_you_mean(name, self._known()))
            return None
        resolved = [file.resolve() for file in self.chain]
        if path.resolve() in resolved:
            cycle = [*self.chain[resolved.index(path.resolve()) :], path]
            doc.error(node, "tables include each other: " + " -> ".join(map(self._label, cycle)))
            return None
        return path

    def _known(self) -> list[str]:
        """What could be included, for hints."""
        shipped = mappings_root()
        return [file.relative_to(shipped).with_suffix("").as_posix() for file in shipped.glob("*/*.yaml")]

    def _label(self, path: Path) -> str:
        """A shipped table is called by its place among the tables, another by its path."""
        shipped = mappings_root()
        resolved = path.resolve()
        return (resolved.relative_to(shipped) if resolved.is_relative_to(shipped) else path).as_posix()


def _load_checked(path: Path, roots: tuple[Path, ...], problems: list[Problem]) -> Table:
    loader = _Loader(roots, problems)
    loaded = loader.load(path)
    rules = _checked(loaded, path, problems)
    return Table(
        path.stem, str(path), loaded.description, tuple(rules), tuple(loaded.inits), loaded.kinds.known, loader.digests
    )


def _checked(loaded: _Loaded, path: Path, problems: list[Problem]) -> list[Rule]:
    """The rules, each once; none where there are too many to go on with."""
    patterns = [*(pattern for rule in loaded.rules for pattern in _patterns(rule)), *(i.pattern for i in loaded.inits)]
    alternatives = sum(pattern.alternatives for pattern in patterns)
    if alternatives > _MAX_ALTERNATIVES:
        hint = f"the patterns of a table can have {_MAX_ALTERNATIVES} together"
        problems.append(Problem(f"{alternatives} alternatives are too many", str(path), hint))
        return []
    rules = _without_doubles(loaded.rules)
    if len(rules) > _MAX_RULES:
        problems.append(Problem(f"{len(rules)} rules are too many", str(path), f"a table can have {_MAX_RULES}"))
        return []
    shared = {rule.ref for rule in rules if not isinstance(rule, DropRule) and rule.shared}
    problems += overlaps([(rule.ref, parts) for rule in rules for parts in _matched(rule)], shared)
    problems += overlaps([(rule.ref, rule.pattern.parts) for rule in loaded.inits])
    return rules


def _items(doc: YamlDocument, fields: Mapping[str, Node], name: str) -> list[Node]:
    return doc.items(fields[name], f"`{name}`") if name in fields else []


def _parsed(nodes: Iterable[Node], parse: Callable[[Node], _Parsed | None]) -> list[_Parsed]:
    return [rule for node in nodes if (rule := parse(node)) is not None]


def _is_plain(name: str) -> bool:
    """True for a relative path of plain components."""
    parts = PurePosixPath(name).parts
    return bool(parts) and ".." not in parts and not name.startswith("/") and "\\" not in name and ":" not in name


def _below(root: Path, name: str) -> Path | None:
    """The table file of this name below ``root``; None when there is none, or a link leads out of it."""
    for suffix in _SUFFIXES:
        file = root / f"{name}{suffix}"
        if file.is_file() and file.resolve().is_relative_to(root.resolve()):
            return file
    return None


def _add_kinds(doc: YamlDocument, node: Node | None, kinds: Kinds, added: Mapping[str, Kind]) -> None:
    """Kinds that may have no other of their name beside them."""
    for name, kind in added.items():
        other = kinds.known.setdefault(kinds.twice.get(name, [name])[0], kind)
        if other.ref != kind.ref:
            doc.error(node, f'the kind "{name}" is defined twice: {other.ref} and {kind.ref}')


def _include_kinds(doc: YamlDocument, node: Node, kinds: Kinds, included: Kinds) -> None:
    """Kinds of another table: called as it calls them as far as no two included tables have one name."""
    plain = {name: kind for name, kind in included.known.items() if "/" not in name}
    full = {name: kind for name, kind in included.known.items() if "/" in name}
    _add_kinds(doc, node, kinds, {**full, **{_full_name(kind): kind for kind in plain.values()}})
    for name, kind in plain.items():
        other = kinds.known.setdefault(name, kind) if name not in kinds.twice else kind
        if other.ref != kind.ref:
            kinds.twice[name] = [_full_name(kinds.known.pop(name))]
        if name in kinds.twice and _full_name(kind) not in kinds.twice[name]:
            kinds.twice[name].append(_full_name(kind))
    for name, places in included.twice.items():
        kinds.known.pop(name, None)
        kinds.twice[name] = list(dict.fromkeys([*kinds.twice.get(name, ()), *places]))


def _full_name(kind: Kind) -> str:
    """``slim/conv``: the table and the kind."""
    return f"{PurePosixPath(kind.ref.file).stem}/{kind.name}"


def _under(rule: Rule, before: Pattern | None, after: Template | None, optional: bool) -> Rule:
    """A rule of an included table, with the prefixes of the include."""
    optional = optional or rule.optional
    if isinstance(rule, VariableRule):
        return replace(below(rule, before, after), optional=optional)
    pattern = join_pattern(before, rule.pattern)
    if isinstance(rule, LayerRule):
        cases = tuple(_case_under(case, after) for case in rule.cases)
        return replace(rule, pattern=pattern, cases=cases, last=_last_under(rule.last, after), optional=optional)
    return replace(rule, pattern=pattern, optional=optional)


def _case_under(case: Case, after: Template | None) -> Case:
    others = tuple(join_template(after, other) for other in case.others)
    return Case(case.kind, join_template(after, case.target), others)


def _last_under(last: Last | None, after: Template | None) -> Last | None:
    return last and replace(last, targets=tuple(join_template(after, target) for target in last.targets))


def _init_under(rule: InitRule, after: Template | None) -> InitRule:
    """An init rule of an included table: its pattern is one of target names, so the target prefix goes before it."""
    if after is None:
        return rule
    if after.names:
        raise PatternError(f"init rules cannot be included below {after.text}", "leave placeholders out of `to`")
    return replace(rule, pattern=join_pattern(Pattern.literal(after.text), rule.pattern))


def _without_doubles(rules: Iterable[Rule]) -> list[Rule]:
    """A table included twice in the same place counts once."""
    unique: dict[tuple[RuleRef, tuple[str, ...]], Rule] = {}
    for rule in rules:
        unique.setdefault((rule.ref, tuple(pattern.expression for pattern in _patterns(rule))), rule)
    return list(unique.values())


def _patterns(rule: Rule) -> tuple[Pattern, ...]:
    return rule.patterns if isinstance(rule, VariableRule) else (rule.pattern,)


def _matched(rule: Rule) -> list[Parts]:
    """The variable names that a rule takes."""
    if isinstance(rule, LayerRule):
        return [(*rule.pattern.parts, "/" + leaf) for leaf in sorted(rule.leaves)]
    if isinstance(rule, DropRule):
        return [rule.pattern.parts]
    return [pattern.parts for pattern in rule.patterns]
