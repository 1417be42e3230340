"""The same models with small variances: a batch norm's epsilon then shows, which usual variances hide.

Every moving variance is taken times ``SMALLER`` and the gamma beside it times its square root. But for epsilon a batch
norm computes the same as before, so that no activation dies or explodes at any depth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ckptmap.basics.errors import CkptmapError

if TYPE_CHECKING:
    from ckptmap.tf.verify.general.side import Running, Side, Variable

    Array = np.ndarray[Any, Any]

SMALLER = 1e-4
"""Measured on one batch norm: 1.001e-5 for 1e-5 is then 4.5e-5 of its output, at usual variances 5e-9."""
_VARIANCES = ("moving_variance", "running_variance", "variance", "moving_var", "running_var")
_GAMMAS = ("gamma", "scale")


def small_variances(running: Running, other: Running) -> dict[str, Array]:
    """What to feed to ``running``.

    Raises CkptmapError where no batch norms are told by their names, or ``other`` has more or fewer.
    """
    found = _norms(running.side)
    if not found or len(found) != len(_norms(other.side)):
        counts = ", ".join(f"{side.path}: {len(_norms(side))}" for side in (running.side, other.side))
        message = f"the batch norms of both models are not recognized by their names ({counts})"
        raise CkptmapError(message, hint="verify without small variances")
    feeds: dict[str, Array] = {}
    for variance, gamma in found:
        for variable, factor in ((variance, SMALLER), (gamma, SMALLER**0.5)):
            value = running.run({}, variable.reads[:1])[variable.reads[0]]
            feeds |= dict.fromkeys(variable.reads, (value * factor).astype(value.dtype))
    return feeds


def _norms(side: Side) -> list[tuple[Variable, Variable]]:
    """The moving variance and the gamma of each batch norm that has both."""
    by_name = {variable.name: variable for variable in side.variables}
    found = []
    for name, variable in by_name.items():
        scope, _, leaf = name.rpartition("/")
        gamma = next((by_name[f"{scope}/{one}"] for one in _GAMMAS if f"{scope}/{one}" in by_name), None)
        if leaf in _VARIANCES and gamma is not None:
            found.append((variable, gamma))
    return found
