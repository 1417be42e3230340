"""Names put together to few patterns that match none of the others: for ``drop`` and ``init``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ckptmap.suggest.drafted import Drafted, Named
from ckptmap.suggest.rules import compress

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def grouped(
    names: Sequence[str], others: Iterable[str], *, narrow: bool = False, literal: bool = False
) -> list[Drafted]:
    """Patterns for ``names`` that match none of ``others``, each as a rule that leads nowhere.

    Below the outermost scope that holds nothing else all goes together, as ``scope/{rest}``; such scopes that differ in
    numbers or in one word share a pattern.
    """
    foreign = {scope for name in others for scope in (*_scopes(name), name)}
    found: dict[tuple[str, bool], list[int]] = {}
    for at, name in enumerate(names):
        scope = next((scope for scope in _scopes(name) if scope not in foreign), "")
        found.setdefault((scope or name, bool(scope)), []).append(at)
    rules = []
    for below in (False, True):
        scopes = [Named(scope, scope, at) for at, (scope, inner) in enumerate(found) if inner is below]
        found_rules = compress(scopes, narrow=narrow, taken=foreign)
        if literal:
            found_rules = [Drafted(one.old, one.new, {}, (one.number,)) for one in scopes]
        for rule in found_rules:
            old = f"{rule.old}/{{rest}}" if below else rule.old
            where = {**rule.where, "rest": "path"} if below else rule.where
            rules.append(Drafted(old, old, where, rule.members))
    return rules


def _scopes(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]
