"""``ckptmap verify``: both models run on the same images, their outputs compared, differences explained.

Importing this package imports no TensorFlow; ``verify`` does.
"""

from ckptmap.tf.verify.engine import verify
from ckptmap.tf.verify.model import Verification

__all__ = ["Verification", "verify"]
