"""Hand-made files that attack ckptmap: each function makes one, its docstring says what it attacks.

``python -m tests.hostile.attacks FOLDER`` writes them all there, to try another program on them.
"""

from __future__ import annotations

from tests.hostile.attacks import configs, documents, graphs, objects, outputs, tables, v1, v2
from tests.hostile.attacks.making import ATTACKS, HOSTILE_NAME, Attack

__all__ = [
    "ATTACKS", "HOSTILE_NAME", "Attack", "configs", "documents", "graphs", "objects", "outputs", "tables", "v1", "v2",
]  # fmt: skip
