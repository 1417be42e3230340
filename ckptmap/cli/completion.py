"""What a shell offers behind an option. With nothing to offer it completes the names of files."""

from __future__ import annotations

import typer


def complete_targets(incomplete: str) -> list[str]:
    """Targets by name; none where a path is being typed."""
    from ckptmap.targets import list_targets

    return _beginning(list_targets(), incomplete)


def complete_tables(incomplete: str) -> list[str]:
    """Shipped tables by name; none where a path is being typed."""
    from ckptmap.mapping.locate import shipped_tables

    return _beginning(shipped_tables(), incomplete)


def complete_all_tables(incomplete: str) -> list[str]:
    """Shipped tables with their folders too."""
    from ckptmap.mapping.locate import all_tables

    return [*complete_tables(incomplete), *_beginning(all_tables(), incomplete)]


def complete_settings(context: typer.Context, incomplete: str) -> list[str]:
    """The settings of the target that ``--to`` names before, as ``NAME=VALUE``."""
    from ckptmap.basics.errors import CkptmapError
    from ckptmap.targets import load_target

    try:
        target = load_target(context.params.get("to") or "")
    except CkptmapError:
        return []
    pairs = [f"{one.name}={str(value).lower()}" for one in target.settings for value in one.values]
    return _beginning(pairs, incomplete)


def complete_stages(incomplete: str) -> list[str]:
    """The stages of ``ckptmap freeze``, behind what is there already."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in ("heads", "top", "all") if name.startswith(last)]


def complete_formats(incomplete: str) -> list[str]:
    """The formats of reports."""
    from ckptmap.report.formats import Format

    return _beginning(list(map(str, Format)), incomplete)


def complete_commands(context: typer.Context, incomplete: str) -> list[str]:
    """The commands, for ``ckptmap help``."""
    return _beginning(context.find_root().command.commands, incomplete)  # type: ignore[attr-defined]


def _beginning(names: object, incomplete: str) -> list[str]:
    return [str(name) for name in names if str(name).startswith(incomplete)]  # type: ignore[attr-defined]
