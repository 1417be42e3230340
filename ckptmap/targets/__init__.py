"""The TF2 model's variables, and where they come from: shipped specs, or any TF2 checkpoint as the template."""

from typing import TYPE_CHECKING

from ckptmap.basics.lazy import lazy

if TYPE_CHECKING:
    from ckptmap.targets.load import list_targets as list_targets
    from ckptmap.targets.load import load_target as load_target
    from ckptmap.targets.load import recognize_target as recognize_target
    from ckptmap.targets.target import Layout as Layout
    from ckptmap.targets.target import Target as Target
    from ckptmap.targets.target import TargetVariable as TargetVariable

__getattr__ = lazy(
    __name__,
    {
        "ckptmap.targets.load": ("list_targets", "load_target", "recognize_target"),
        "ckptmap.targets.target": ("Layout", "Target", "TargetVariable"),
    },
)
