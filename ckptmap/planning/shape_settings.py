"""Settings that no name shows and shapes do: boxes shared across classes make a shorter head of the same name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ckptmap.targets.choose import holds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ckptmap.targets.choose import Settings
    from ckptmap.targets.layout import Layout
    from ckptmap.targets.target import Target
    from ckptmap.targets.variables import Value

    Offers = Mapping[str, Sequence[int]]


def settings_from_shapes(target: Target, layout: Layout, offers: Offers, given: Mapping[str, object]) -> Layout:
    """The layout that fits the shapes best, among those with the variables of ``layout``, which names have chosen.

    ``offers`` are as ``Layout.solve`` takes them, ``given`` as ``Target.layout`` does. Values that ``layout`` assumes
    are exchanged as long as that leaves fewer contradictions; what the shapes show is not assumed any more.
    """
    if not layout.assumed:
        return layout
    chosen, wrong = dict(given), _contradictions(layout, offers)
    while wrong:
        changed = [{**chosen, name: value} for name, value in _other_values(target, layout)]
        found = [(target.layout(offers, settings), settings) for settings in changed]
        counted = [(_contradictions(other, offers), other, settings) for other, settings in found]
        left, other, settings = min(counted, key=lambda one: one[0], default=(wrong, layout, chosen))
        if left >= wrong:
            break
        layout, chosen, wrong = other, settings, left
    others = [(name, target.layout(offers, {**chosen, name: value})) for name, value in _other_values(target, layout)]
    shown = {name for name, other in others if _contradictions(other, offers) > wrong}
    return replace(layout, assumed=tuple(one for one in layout.assumed if one.setting not in shown))


def _contradictions(layout: Layout, offers: Offers) -> int:
    return len(layout.solve(offers).problems)


def _other_values(target: Target, layout: Layout) -> Iterator[tuple[str, Value]]:
    """The other values of what the layout assumes under which there are the same variables, of other shapes."""
    for assumption in layout.assumed:
        for value in target.covers(assumption.setting):
            other = {**layout.settings, assumption.setting: value}
            if value != assumption.value and _names(target, assumption.setting, layout.settings) == _names(
                target, assumption.setting, other
            ):
                yield assumption.setting, value


def _names(target: Target, setting: str, settings: Settings) -> set[tuple[str, str]]:
    """Keys and names of the variables that depend on a setting and exist under these."""
    concerned = (variable for variable in target.variables if setting in variable.when)
    return {(one.key, one.name) for one in concerned if holds(one.when, settings)}
