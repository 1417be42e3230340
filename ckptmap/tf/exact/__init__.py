"""Slim-exact feature extractors: TF1's arithmetic in the Object Detection API's Keras models.

Where the API's own Keras extractor computes something else than TF1's slim graph did with the same weights, the
extractor here has the same layers, the same names and the same object-graph keys, and slim's arithmetic: one
checkpoint serves both. Where the API has no Keras extractor at all, the one here runs slim's own code (``shim``).
``register()`` makes them known to the API's ``model_builder`` under ``<tf1 type>_exact_keras``; a ``pipeline.config``
names them as ``feature_extractor { type: … }``.

Importing this package imports no TensorFlow; ``register()`` does.
"""

from ckptmap.tf.exact.registry import EFFICIENTDET_TYPES, EXACT_TYPES, SLIM_ONLY_TYPES, exact_type, register

__all__ = ["EFFICIENTDET_TYPES", "EXACT_TYPES", "SLIM_ONLY_TYPES", "exact_type", "register"]
