"""Drafting a mapping table from two models: what belongs together, and how sure that is."""

from typing import TYPE_CHECKING

from ckptmap.basics.lazy import lazy

if TYPE_CHECKING:
    from ckptmap.suggest.suggestion import Suggestion as Suggestion
    from ckptmap.suggest.suggestion import suggest as suggest

__getattr__ = lazy(__name__, {"ckptmap.suggest.suggestion": ("Suggestion", "suggest")})
