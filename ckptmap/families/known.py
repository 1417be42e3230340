"""A recognized model as plain values: enough for families whose models come without a config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Known:
    """A model that names and shapes show, as the protocol ``Model`` asks for it.

    ``told`` is what it is, in words; ``sizes`` are its numbers, such as layers, width and vocabulary; ``family`` is the
    name of the family that knows it.
    """

    name: str
    family: str
    told: str
    sizes: Mapping[str, int] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    remark: str = ""
    homeless: str = ""

    @property
    def folder(self) -> str:
        """The name of the model, which is TF2's then."""
        return f"{self.name}_tf2"

    def traits(self) -> str:
        """What it is, in words."""
        return self.told

    def document(self) -> dict[str, Any]:
        """What it is, as JSON values."""
        return {"name": self.name, "family": self.family, "traits": self.told, "sizes": dict(self.sizes)}
