"""Where two models part, and why: both graphs walked layer by layer, the causes that are known tested one by one.

Nothing here imports TensorFlow: graphs are the plain values of ``ckptmap.tf.verify.general.side``, and whatever has to
be computed is asked of the two processes that run them, or computed in NumPy.
"""

from ckptmap.tf.verify.layers.causes import Known
from ckptmap.tf.verify.layers.explaining import Explanation, Larger, explain
from ckptmap.tf.verify.layers.knowing import known_values
from ckptmap.tf.verify.layers.pairing import Pair
from ckptmap.tf.verify.layers.variable_matching import Matching, match_variables
from ckptmap.tf.verify.layers.walking import First, Step

__all__ = [
    "Explanation",
    "First",
    "Known",
    "Larger",
    "Matching",
    "Pair",
    "Step",
    "explain",
    "known_values",
    "match_variables",
]
