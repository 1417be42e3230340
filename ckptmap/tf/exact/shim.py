"""Feature extractors that exist in TF1 only, run by TensorFlow's migration shim inside Keras models.

``tf.compat.v1.keras.utils.track_tf1_style_variables`` lets slim's own code make and find its variables in a Keras
layer: the arithmetic is TF1's because the code is, and every variable keeps its TF1 name, also in its object-graph key
(``_feature_extractor/_tf1_style_var_store/_vars/FeatureExtractor.SInceptionV2.S…``). The heads around it are Keras'.

One class serves every SSD, one every Faster R-CNN; which slim classes they stand for is the table below.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import tf_slim as slim

from ckptmap.families.detection.roots import classification_name
from ckptmap.tf.environment import slim_module
from ckptmap.tf.exact.api import faster_rcnn_meta_arch, hyperparams_builder, ssd_meta_arch, tf
from ckptmap.tf.own_code import TracedCode

if TYPE_CHECKING:
    from collections.abc import Callable

v1 = tf.compat.v1
_SCOPE = "FeatureExtractor"  # SSDMetaArch's for slim extractors

SSD = {
    "embedded_ssd_mobilenet_v1": "embedded_ssd_mobilenet_v1: EmbeddedSSDMobileNetV1",
    "ssd_inception_v2": "ssd_inception_v2: SSDInceptionV2",
    "ssd_inception_v3": "ssd_inception_v3: SSDInceptionV3",
    "ssd_mobiledet_cpu": "ssd_mobiledet: SSDMobileDetCPU",
    "ssd_mobiledet_dsp": "ssd_mobiledet: SSDMobileDetDSP",
    "ssd_mobiledet_edgetpu": "ssd_mobiledet: SSDMobileDetEdgeTPU",
    "ssd_mobiledet_gpu": "ssd_mobiledet: SSDMobileDetGPU",
    "ssd_mobilenet_edgetpu": "ssd_mobilenet_edgetpu: SSDMobileNetEdgeTPU",
    "ssd_mobilenet_v1_ppn": "ssd_mobilenet_v1_ppn: SSDMobileNetV1Ppn",
    "ssd_mobilenet_v2_mnasfpn": "ssd_mobilenet_v2_mnasfpn: SSDMobileNetV2MnasFPN",
    "ssd_mobilenet_v3_large": "ssd_mobilenet_v3: SSDMobileNetV3Large",
    "ssd_mobilenet_v3_small": "ssd_mobilenet_v3: SSDMobileNetV3Small",
    "ssd_pnasnet": "ssd_pnasnet: SSDPNASNet",
    "ssd_resnet50_v1_ppn": "ssd_resnet_v1_ppn: SSDResnet50V1Ppn",
    "ssd_resnet101_v1_ppn": "ssd_resnet_v1_ppn: SSDResnet101V1Ppn",
    "ssd_resnet152_v1_ppn": "ssd_resnet_v1_ppn: SSDResnet152V1Ppn",
    "ssd_spaghettinet": "ssd_spaghettinet: SSDSpaghettinet",
}
FASTER_RCNN = {
    "faster_rcnn_inception_v2": "faster_rcnn_inception_v2: FasterRCNNInceptionV2",
    "faster_rcnn_nas": "faster_rcnn_nas: FasterRCNNNAS",
    "faster_rcnn_pnas": "faster_rcnn_pnas: FasterRCNNPNAS",
}
"""TF1 types, each with the module (``models/<module>_feature_extractor.py``) and the class of its extractor."""


def _slim_class(entry: str) -> Any:
    module, name = entry.split(": ")
    return getattr(slim_module(f"models.{module}_feature_extractor"), f"{name}FeatureExtractor")


class HyperparamsWithProto(hyperparams_builder.KerasLayerHyperparams):
    """The hyperparameters of Keras layers that remember the message they were made of: slim's are made of it, too."""

    def __init__(self, proto: Any) -> None:
        super().__init__(proto)
        self.proto = proto


class SlimSsd(TracedCode, ssd_meta_arch.SSDKerasFeatureExtractor):
    """Any slim feature extractor of SSD, with the interface of the Keras ones.

    ``entry`` is one of ``SSD``; ``settings`` are those with which ``model_builder`` calls an extractor in TF2.
    """

    def __init__(
        self, entry: str, *, conv_hyperparams: Any, freeze_batchnorm: bool, is_training: bool, **settings: Any
    ) -> None:
        tf.keras.Model.__init__(self, name=_SCOPE)
        settings.pop("inplace_batchnorm_update")  # UPDATE_OPS run by themselves in a tf.function
        hyperparameters = hyperparams_builder.build(conv_hyperparams.proto, is_training)
        self._slim = _slim_class(entry)(is_training=is_training, conv_hyperparams_fn=hyperparameters, **settings)
        self._train_batch_norm = is_training and not freeze_batchnorm

    def preprocess(self, resized_inputs: Any) -> Any:
        """Slim's scaling of pixel values."""
        return self._slim.preprocess(resized_inputs)

    def _tf1_call(self, inputs: Any, *_: Any) -> Any:
        norm = slim.arg_scope([slim.batch_norm], is_training=self._train_batch_norm)
        with norm, v1.variable_scope(_SCOPE, reuse=v1.AUTO_REUSE):
            return self._slim.extract_features(inputs)

    @property
    def classification_backbone(self) -> Any:
        """What ``fine_tune_checkpoint_type`` classification restores."""
        return _backbone(self)


def _backbone(*networks: TracedCode) -> Any:
    """The variables that slim's classification network has, too, under its names, as one object to restore."""
    found = {classification_name(name): variable for one in networks for name, variable in one.tf1_variables().items()}
    return tf.train.Checkpoint(**{name: variable for name, variable in found.items() if name})


class SlimStage(TracedCode, tf.keras.Model):
    """One stage of a slim feature extractor of Faster R-CNN."""

    def __init__(self, run: Callable[[Any], Any], name: str) -> None:
        super().__init__(name=name)
        self._run_stage = run

    def _tf1_call(self, inputs: Any, *_: Any) -> Any:
        return self._run_stage(inputs)


class SlimFasterRcnn(faster_rcnn_meta_arch.FasterRCNNKerasFeatureExtractor):
    """Any slim feature extractor of Faster R-CNN, with the interface of the Keras ones.

    ``entry`` is one of ``FASTER_RCNN``; the rest is what ``model_builder`` calls an extractor with in TF2.
    """

    def __init__(
        self, entry: str, is_training: bool, first_stage_features_stride: int, batch_norm_trainable: bool = False
    ) -> None:
        super().__init__(is_training, first_stage_features_stride, batch_norm_trainable)
        self._entry = entry
        self._stages: list[SlimStage] = []
        self._slim = _slim_class(entry)(
            is_training, first_stage_features_stride, batch_norm_trainable, reuse_weights=True
        )

    def preprocess(self, resized_inputs: Any) -> Any:
        """Slim's scaling of pixel values."""
        return self._slim.preprocess(resized_inputs)

    def get_proposal_feature_extractor_model(self, name: str) -> Any:
        """The first stage: [batch, height, width, 3] to the map that proposals are made of and cropped from."""
        return self._stage(lambda inputs: self._slim.extract_proposal_features(inputs, scope=name)[0], name)

    def get_box_classifier_feature_extractor_model(self, name: str) -> Any:
        """The second stage: crops [proposals, height, width, depth] to their features."""
        return self._stage(lambda crops: self._slim.extract_box_classifier_features(crops, scope=name), name)

    def _stage(self, run: Callable[[Any], Any], name: str) -> SlimStage:
        self._stages.append(SlimStage(run, name))
        return self._stages[-1]

    @property
    def classification_backbone(self) -> Any:
        """What ``fine_tune_checkpoint_type`` classification restores: both stages, as one network."""
        return _backbone(*self._stages)


EXTRACTORS_SSD: dict[str, Callable[..., Any]] = {
    tf1_type: functools.partial(SlimSsd, entry) for tf1_type, entry in SSD.items()
}
EXTRACTORS_FASTER_RCNN: dict[str, Callable[..., Any]] = {
    tf1_type: functools.partial(SlimFasterRcnn, entry) for tf1_type, entry in FASTER_RCNN.items()
}
