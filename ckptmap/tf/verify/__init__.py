"""``ckptmap verify``: the old and the new model, run on the same values, their outputs compared.

``verify`` knows detectors: it runs them on images, matches detections, explains differences. ``verify_models`` runs any
two models. Importing this package imports no TensorFlow.
"""

from ckptmap.tf.verify.engine import verify
from ckptmap.tf.verify.general.engine import verify_models
from ckptmap.tf.verify.general.model_verification import ModelVerification
from ckptmap.tf.verify.verification import Verification

__all__ = ["ModelVerification", "Verification", "verify", "verify_models"]
