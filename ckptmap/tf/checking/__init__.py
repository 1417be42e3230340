"""``suggest --check``: the doubtful choices of a draft, settled by runs of both models.

Both models are run as ``verify`` runs them. The new one is never restored: in every run the values that a candidate
table gives are fed in place of its variables. Importing this package imports no TensorFlow.
"""

from ckptmap.tf.checking.engine import by_outputs, checked

__all__ = ["by_outputs", "checked"]
