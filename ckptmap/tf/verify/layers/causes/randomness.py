"""A model that does not give the same twice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ckptmap.tf.verify.layers.causes.case import Case, Cause


def randomness(case: Case) -> Iterator[Cause]:
    """Run twice on the same input, a side gives two results: dropout is on, or noise is added."""
    for side, who in enumerate(("old", "new")):
        tensor = case.first.boundary[side]
        once, again = (case.values(side, tensor)[0] for _ in range(2))
        if not np.array_equal(once, again, equal_nan=True):
            fix = "call the new model with training=False" if side else "choose an inference graph"
            yield Cause("randomness", f"the {who} model gives another result each time", fix, "run twice")
