"""The known causes of a difference: a list that grows by one entry. Each is a function of the case.

A cause looks at both sides and yields what it found. ``proven`` means that with this one thing as the other side has it
the layer gives what it gave there: computed anew in NumPy, or run again with the other value fed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ckptmap.tf.verify.layers.causes.between import activation, crossed, data_format, embedding_scale
from ckptmap.tf.verify.layers.causes.case import Case, Cause, Known
from ckptmap.tf.verify.layers.causes.convolutions import geometry
from ckptmap.tf.verify.layers.causes.held import forget_bias, held
from ckptmap.tf.verify.layers.causes.inputs import preprocessing
from ckptmap.tf.verify.layers.causes.norms import epsilon, training_mode
from ckptmap.tf.verify.layers.causes.poolings import pooling
from ckptmap.tf.verify.layers.causes.randomness import randomness

__all__ = ["CAUSES", "Case", "Cause", "Known", "find_causes"]

CAUSES: tuple[Callable[[Case], Iterator[Cause]], ...] = (
    randomness,
    preprocessing,
    held,
    forget_bias,
    crossed,
    geometry,
    epsilon,
    training_mode,
    pooling,
    activation,
    embedding_scale,
    data_format,
)


def find_causes(case: Case) -> tuple[Cause, ...]:
    """The causes that were found, the proven ones first; of those that are not proven none beside a proven one."""
    found = [cause for look in CAUSES for cause in look(case)]
    proven = [cause for cause in found if cause.proven]
    return tuple(proven or found)
