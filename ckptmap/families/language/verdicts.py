"""Whether a library's model computes what the TF1 model did, and what both are fed with."""

from __future__ import annotations

from ckptmap.families.language.models import LANGUAGES, Home, Language
from ckptmap.families.verdict import Difference, Effect, Kind, Verdict


def verdict(table: str) -> Verdict | None:
    """The verdict on the home that a mapping table leads to; None for tables of other families."""
    found = _home(table)
    return verdict_on_home(*found) if found is not None else None


def preprocessing(table: str) -> str:
    """What the model behind a table takes; empty for tables of other families."""
    found = _home(table)
    return found[1].takes if found is not None else ""


def verdict_on_home(home: Home, language: Language | None = None) -> Verdict:
    """The verdict on one home, with what to mind; of a ``language`` also what it takes."""
    takes = f"it takes {language.takes}" if language is not None else ""
    advice = "; ".join(filter(None, (home.needs, takes)))
    if not home.differs:
        return Verdict(Kind.EQUAL, extractor_type=home.title, advice=advice, unconfigured=True)
    difference = Difference(home.differs_in, Effect.VALUES, "all", home.differs, remains=True)
    return Verdict(Kind.WEIGHTS_ONLY, (difference,), extractor_type=home.title, advice=advice, unconfigured=True)


def _home(table: str) -> tuple[Home, Language] | None:
    known = ((home, one) for one in LANGUAGES.values() for home in one.homes if home.table == table)
    return next(known, None)
