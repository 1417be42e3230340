"""The inference graph of a training graph: what lies between the inputs and the outputs, and nothing else.

A ``.meta`` of a training run holds gradients, optimizers, summaries, queues and readers. Much of it does not import
into today's TensorFlow, and none of it is needed to run the model. ``cut`` takes it away before TensorFlow sees the
graph.
"""

from ckptmap.tf.inference.cutting import Cut, Input, Removed, cut
from ckptmap.tf.inference.outputs import guess_outputs

__all__ = ["Cut", "Input", "Removed", "cut", "guess_outputs"]
