"""Networks of TF1 whose own code goes on in TF2, and what tells each.

Sources: slim's ``nets`` as the Object Detection API ships them; research/deeplab, delf, attention_ocr, im2txt and
audioset/vggish of github.com/tensorflow/models; davidsandberg/facenet, mozilla/DeepSpeech (0.5 to 0.9),
mystic123/tensorflow-yolo-v3, wizyoung/YOLOv3_TensorFlow.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["NETWORKS", "Network"]

_SCALED = "RGB from -1 to 1: x / 127.5 - 1"
_MEAN = "RGB from 0 to 255, minus the mean (123.68, 116.78, 103.94)"
_CLASSES = "num_classes={classes}"
_CONTRIB = "it needs tf.contrib, which TensorFlow no longer has: use tf_slim or tf.compat.v1 instead"


@dataclass(frozen=True, slots=True)
class Network:
    """A network: ``name`` is what people call it, ``title`` also says whose it is, ``takes`` what it is fed with.

    ``scopes`` are regular expressions, one for each scope at the root that it must have; ``alone``: it has no others.
    ``shows`` are the starts of names that must be there, ``lacks`` that of those that must not. ``last`` is the layer
    whose outputs are the classes. ``code`` makes its Keras model: for slim's own nets a call of ``slim_network``, with
    what it was made with to be filled in; for others their own function. ``minds`` says what that needs on today's
    TensorFlow.
    """

    name: str
    title: str
    scopes: tuple[str, ...]
    takes: str
    code: str
    shows: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    last: str = ""
    minds: str = ""
    alone: bool = False
    wide: tuple[str, int] = ("", 0)
    """A kernel, and its outputs at ``depth_multiplier`` 1."""
    film: bool = False
    """It has kernels that move over time, too: of five lengths."""


def _slim_call(name: str, options: str = "") -> str:
    return f"slim_network({', '.join(filter(None, (json.dumps(name), options)))})"


_WIDTHS = {
    "inception_v2": ("InceptionV2/Mixed_5c/Branch_0/Conv2d_0a_1x1/weights", 352),
    "mobilenet_edgetpu": ("MobilenetEdgeTPU/expanded_conv_9/project/weights", 96),
}


def _plain() -> Iterator[Network]:
    """Those with one scope, which nothing else has."""
    for name, scope, last, takes in (
        ("alexnet_v2", "alexnet_v2", "fc8", _MEAN),
        ("vgg_a", "vgg_a", "fc8", _MEAN),
        ("overfeat", "overfeat", "fc8", _MEAN),
        ("cifarnet", "CifarNet", "logits", "RGB of 32 x 32, standardized image by image"),
        ("lenet", "LeNet", "fc4", "gray of 28 x 28 from -1 to 1: (x - 128) / 128"),
        ("inception_v2", "InceptionV2", "Logits/Conv2d_1c_1x1", _SCALED),
        ("inception_v4", "InceptionV4", "Logits/Logits", _SCALED),
        ("mobilenet_edgetpu", "MobilenetEdgeTPU", "Logits/Conv2d_1c_1x1", _SCALED),
        ("resnet_v1_200", "resnet_v1_200", "logits", _MEAN),
        ("resnet_v2_200", "resnet_v2_200", "logits", _SCALED),
        ("inception_v1", "InceptionV1", "Logits/Conv2d_0c_1x1", _SCALED),
    ):
        call, wide = _slim_call(name, _CLASSES), _WIDTHS.get(name, ("", 0))
        yield Network(name, f"slim's {name}", (scope,), takes, call, last=f"{scope}/{last}", alone=True, wide=wide)


def _films() -> Iterator[Network]:
    takes = "films [batch, frames, height, width, 3], RGB from -1 to 1"
    last = "InceptionV1/Logits/Conv2d_0c_1x1"
    for name, shows in (("s3dg", ("InceptionV1/Conv2d_2c_3x3/temporal/",)), ("i3d", ())):
        yield Network(
            name,
            f"slim's {name}",
            ("InceptionV1",),
            takes,
            _slim_call(name, _CLASSES),
            shows,
            last=last,
            alone=True,
            film=True,
        )


def _cells() -> Iterator[Network]:
    """PNASNet, told by how many cells it has, and the NASNet of small images; only NASNet has reduction cells."""
    for name, shows, lacks in (
        ("nasnet_cifar", ("reduction_cell_0/", "l1_stem"), ()),
        ("pnasnet_large", ("cell_11/",), ("reduction_cell_0/",)),
        ("pnasnet_mobile", ("cell_8/",), ("reduction_cell_0/", "cell_9/")),
    ):
        takes = _SCALED if name != "nasnet_cifar" else "RGB of 32 x 32, standardized image by image"
        call = _slim_call(name, _CLASSES)
        yield Network(name, f"slim's {name}", ("cell_0",), takes, call, shows, lacks, last="final_layer/FC")


def _images() -> Iterator[Network]:
    """Those that make images."""
    generator, critic = (
        _slim_call("dcgan_generator", "depth=…, final_size=…"),
        _slim_call("dcgan_discriminator", "depth=…"),
    )
    noise, image = "noise [batch, numbers]", "RGB from -1 to 1"
    yield Network("dcgan", "slim's DCGAN, the generator", ("Generator",), noise, generator, ("Generator/deconv1/",))
    yield Network(
        "dcgan", "slim's DCGAN, the discriminator", ("Discriminator",), image, critic, ("Discriminator/conv1/",)
    )
    yield Network(
        "cyclegan",
        "slim's CycleGAN, a generator",
        ("input", "encoder", "residual_blocks", "decoder", "output"),
        f"{image}, height and width multiples of 4",
        _slim_call("cyclegan_generator_resnet", "num_filters=…, num_resnet_blocks=…"),
        alone=True,
    )
    yield Network(
        "pix2pix",
        "slim's pix2pix, the generator",
        ("encoder", "decoder", "output"),
        f"square {image}",
        _slim_call("pix2pix_generator", "num_outputs=3, upsample_method=…"),
        ("encoder/Conv/", "output/Conv/"),
        alone=True,
    )


def _research() -> Iterator[Network]:
    """Of github.com/tensorflow/models/research."""
    yield Network(
        "deeplab_v3",
        "DeepLab v3 or v3+ (research/deeplab)",
        (r"MobilenetV[23]|xception_\d+|resnet_v1_\w+|nas_\w+", "logits"),
        "RGB from 0 to 255: the code scales it as its backbone asks",
        "own_code(lambda images: deeplab.model.multi_scale_logits(images, options, [1.0], is_training=False))",
        ("logits/semantic/",),
        last="logits/semantic",
        minds=_CONTRIB,
    )
    yield Network(
        "vggish",
        "VGGish (research/audioset/vggish)",
        ("vggish",),
        "log mel spectrograms [batch, 96, 64], as vggish_input.py makes them",
        "own_code(lambda spectrograms: define_vggish_slim(spectrograms, training=False))",
        ("vggish/fc1/fc1_1/",),
        minds="define_vggish_slim makes a placeholder of its own: let it take the spectrograms",
    )
    yield Network(
        "delf",
        "DELF (research/delf)",
        (r"resnet_v1_50", "attention_block"),
        "RGB from 0 to 255: the code scales it",
        "own_code(lambda images: delf_v1.DelfV1().GetAttentionPrelogit(images))",
    )
    yield Network(
        "attention_ocr",
        "attention OCR (research/attention_ocr)",
        ("AttentionOcr_v1",),
        "RGB from -1 to 1, the views side by side",
        "own_code(lambda images: model.Model(…).create_base(images, labels_one_hot=None))",
        minds=f"{_CONTRIB}; its decoder is that of tf.contrib.legacy_seq2seq",
    )
    yield Network(
        "im2txt",
        "im2txt (research/im2txt)",
        ("InceptionV3", "image_embedding", "seq_embedding", "lstm", "logits"),
        "RGB of 299 x 299 from -1 to 1, and the ids of words",
        "own_code(…), with what ShowAndTellModel.build does after its inputs",
        last="logits",
        minds=_CONTRIB,
    )


def _others() -> Iterator[Network]:
    yield Network(
        "facenet",
        "facenet's Inception-ResNet v1 (davidsandberg/facenet)",
        ("InceptionResnetV1",),
        "RGB of 160 x 160: (x - 127.5) / 128, or standardized image by image in models of before 2018",
        "own_code(lambda images: inception_resnet_v1.inference(images, 1.0, phase_train=False, "
        "bottleneck_layer_size=512)[0])",
        minds=_CONTRIB,
    )
    yield Network(
        "deepspeech",
        "Mozilla DeepSpeech",
        ("layer_1", "layer_2", "layer_3", "cudnn_lstm", "layer_5", "layer_6"),
        "windows of 26 MFCCs, as its util/feeding.py makes them",
        "own_code(…), with create_model and rnn_impl_static_rnn",
        last="layer_6",
        minds=_CONTRIB,
    )
    for scope, title, code in (
        ("detector", "YOLO v3 (mystic123/tensorflow-yolo-v3)", "yolo_v3.yolo_v3(images, num_classes)"),
        ("yolov3", "YOLO v3 (wizyoung/YOLOv3_TensorFlow)", "yolov3(num_classes, anchors).forward(images)"),
    ):
        shows = ("detector/darknet-53/",) if scope == "detector" else ("yolov3/darknet53_body/",)
        call = f"own_code(lambda images: {code})"
        yield Network("yolo_v3", title, (scope,), "RGB from 0 to 1", call, shows, minds=_CONTRIB)


NETWORKS: tuple[Network, ...] = (*_research(), *_others(), *_films(), *_plain(), *_cells(), *_images())
"""Those first that another one is a part of."""
