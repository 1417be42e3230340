"""Steps that go on in TF2 held against the same steps in TF1."""

from __future__ import annotations

from typing import Any

import numpy as np


class BesideTF1:
    """What is the same of every kind of model: ``tf1`` are TF1's steps, ``nudged`` what they are one rounding away."""

    tf1: Any
    nudged: tuple[Any, ...]

    def way(self, steps: Any) -> float:
        """How far the weights behind steps are from TF1's, in the way that TF1's went."""
        raise NotImplementedError

    @property
    def noise(self) -> tuple[float, float]:
        """The farthest that TF1 is from itself, as ``differ`` measures it."""
        losses, weights = zip(*map(self.differ, self.nudged), strict=True)
        return max(losses), max(weights)

    def differ(self, steps: Any) -> tuple[float, float]:
        """How far steps are from TF1's: their losses, in a loss; the weights behind them, in the way that they went."""
        losses = float(np.max(np.abs(steps.losses - self.tf1.losses) / np.abs(self.tf1.losses)))
        return losses, self.way(steps)
