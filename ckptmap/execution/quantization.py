"""The ranges that quantization-aware training learned: no TF2 model takes them, a person may still want them."""

from __future__ import annotations

from ckptmap.checkpoint.reader import Checkpoint
from ckptmap.mapping.slots import classify


def quantization_ranges(checkpoint: Checkpoint) -> dict[str, float]:
    """The ``min`` and ``max`` of each quantized tensor, by variable name; the counters of their averages are left out.

    Raises:
        CheckpointError: a missing or damaged data file.
    """
    variables = checkpoint.inventory.variables
    ranges = [name for name, slot in classify(variables).items() if slot.kind == "quantization"]
    return {
        name: float(checkpoint.read(name))
        for name in ranges
        if name.endswith(("/min", "/max")) and not variables[name].shape
    }
