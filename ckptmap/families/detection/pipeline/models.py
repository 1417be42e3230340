"""The TF1 feature extractors of the Object Detection API, and what each has on the TF2 side.

Source: the two halves of the API's ``builders/model_builder.py``. That every type stands here once, and that the
Keras and exact types exist, is tested against the API.
"""

from __future__ import annotations

from dataclasses import dataclass

SSD = "ssd"
FASTER_RCNN = "faster_rcnn"
KERAS_SUFFIX = "_keras"
EXACT_SUFFIX = "_exact_keras"


@dataclass(frozen=True, slots=True)
class Extractor:
    """One TF1 feature extractor. ``keras`` and ``exact`` are TF2 types, empty where there is none.

    ``keras`` is the API's own. ``exact`` is ckptmap's: the same network with slim's arithmetic, or, where there is no
    ``keras``, slim's own code inside a Keras model.
    """

    type: str
    architecture: str
    keras: str = ""
    exact: str = ""


def _pair(name: str, architecture: str) -> Extractor:
    return Extractor(name, architecture, name + KERAS_SUFFIX, name + EXACT_SUFFIX)


MOBILENET_V1 = ("ssd_mobilenet_v1", "ssd_mobilenet_v1_fpn")
MOBILENET_V2 = ("ssd_mobilenet_v2", "ssd_mobilenet_v2_fpn")
MOBILENET_FPN = ("ssd_mobilenet_v1_fpn", "ssd_mobilenet_v2_fpn")
RESNET_FPN = ("ssd_resnet50_v1_fpn", "ssd_resnet101_v1_fpn", "ssd_resnet152_v1_fpn")
RCNN_RESNET = ("faster_rcnn_resnet50", "faster_rcnn_resnet101", "faster_rcnn_resnet152")
RCNN_INCEPTION_RESNET = ("faster_rcnn_inception_resnet_v2",)

MNASFPN, SPAGHETTINET = "ssd_mobilenet_v2_mnasfpn", "ssd_spaghettinet"
INCEPTION = ("ssd_inception_v2", "ssd_inception_v3")
MOBILENET_V3_LIKE = (
    "ssd_mobiledet_cpu",
    "ssd_mobiledet_dsp",
    "ssd_mobiledet_edgetpu",
    "ssd_mobiledet_gpu",
    "ssd_mobilenet_edgetpu",
    "ssd_mobilenet_v3_large",
    "ssd_mobilenet_v3_small",
)
RESNET_PPN = ("ssd_resnet101_v1_ppn", "ssd_resnet152_v1_ppn", "ssd_resnet50_v1_ppn")
SLIM_ONLY_SSD = (
    "embedded_ssd_mobilenet_v1",
    *INCEPTION,
    *MOBILENET_V3_LIKE,
    "ssd_mobilenet_v1_ppn",
    MNASFPN,
    "ssd_pnasnet",
    *RESNET_PPN,
    SPAGHETTINET,
)
SLIM_ONLY_RCNN = ("faster_rcnn_inception_v2", "faster_rcnn_nas", "faster_rcnn_pnas")

EXTRACTORS: dict[str, Extractor] = {
    extractor.type: extractor
    for extractor in (
        *(_pair(name, SSD) for name in dict.fromkeys((*MOBILENET_V1, *MOBILENET_V2, *RESNET_FPN))),
        *(_pair(name, FASTER_RCNN) for name in (*RCNN_RESNET, *RCNN_INCEPTION_RESNET)),
        *(Extractor(name, SSD, exact=name + EXACT_SUFFIX) for name in SLIM_ONLY_SSD),
        *(Extractor(name, FASTER_RCNN, exact=name + EXACT_SUFFIX) for name in SLIM_ONLY_RCNN),
    )
}
"""Every TF1 feature extractor by its type: 31, of which 11 have Keras counterparts and 20 are slim's alone."""


def tf1_type(extractor_type: str) -> str:
    """The TF1 type that a stock or exact Keras type came from; the type itself where it is a TF1 type."""
    for suffix in (EXACT_SUFFIX, KERAS_SUFFIX):
        if extractor_type.endswith(suffix):
            return extractor_type.removesuffix(suffix)
    return extractor_type
