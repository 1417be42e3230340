"""The TF2 model's variables, and where they come from: shipped specs, or any TF2 checkpoint as the template."""

from __future__ import annotations

from ckptmap.targets.load import list_targets, load_target
from ckptmap.targets.model import Layout, Target, TargetVariable

__all__ = ["Layout", "Target", "TargetVariable", "list_targets", "load_target"]
