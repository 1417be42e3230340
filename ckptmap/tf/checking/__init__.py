"""``suggest --check``: the doubtful choices of a draft, settled by runs of both models.

Both models are run as ``verify`` runs them. The new one is never restored: before a run its variables are
given the values that a candidate table makes of the old ones. Importing this package imports no TensorFlow.
"""

from ckptmap.tf.checking.engine import by_outputs, checked

__all__ = ["by_outputs", "checked"]
