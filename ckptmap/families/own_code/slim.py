"""tf-slim's networks by name: the module, the function and the arg scope that make each.

Source: ``nets`` of tf-slim's models, as the Object Detection API ships them; ``nets_factory.py`` there has most.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

__all__ = ["NETWORKS", "SlimNetwork"]


@dataclass(frozen=True, slots=True)
class SlimNetwork:
    """A network: ``nets.<module>.<function>`` under ``arg_scope`` of the same module, empty where it needs none.

    ``counts``: it takes ``num_classes``.
    """

    name: str
    module: str
    function: str
    arg_scope: str = ""
    counts: bool = True


def _families() -> Iterator[SlimNetwork]:
    for name, module, scope in (
        ("alexnet_v2", "alexnet", "alexnet_v2_arg_scope"),
        ("vgg_a", "vgg", "vgg_arg_scope"),
        ("vgg_16", "vgg", "vgg_arg_scope"),
        ("vgg_19", "vgg", "vgg_arg_scope"),
        ("overfeat", "overfeat", "overfeat_arg_scope"),
        ("cifarnet", "cifarnet", "cifarnet_arg_scope"),
        ("lenet", "lenet", "lenet_arg_scope"),
        ("inception_v1", "inception", "inception_v1_arg_scope"),
        ("inception_v2", "inception", "inception_v2_arg_scope"),
        ("inception_v3", "inception", "inception_v3_arg_scope"),
        ("inception_v4", "inception", "inception_v4_arg_scope"),
        ("inception_resnet_v2", "inception", "inception_resnet_v2_arg_scope"),
        ("i3d", "i3d", "i3d_arg_scope"),
        ("s3dg", "s3dg", "s3dg_arg_scope"),
        ("mobilenet_v1", "mobilenet_v1", "mobilenet_v1_arg_scope"),
    ):
        yield SlimNetwork(name, module, name, scope)
    for version in (1, 2):
        for depth in (50, 101, 152, 200):
            yield SlimNetwork(
                f"resnet_v{version}_{depth}", f"resnet_v{version}", f"resnet_v{version}_{depth}", "resnet_arg_scope"
            )
    yield SlimNetwork("mobilenet_v2", "mobilenet.mobilenet_v2", "mobilenet", "training_scope")
    for name, function in (
        ("mobilenet_v3_small", "small"),
        ("mobilenet_v3_large", "large"),
        ("mobilenet_v3_small_minimalistic", "small_minimalistic"),
        ("mobilenet_v3_large_minimalistic", "large_minimalistic"),
        ("mobilenet_edgetpu", "edge_tpu"),
    ):
        yield SlimNetwork(name, "mobilenet.mobilenet_v3", function, "training_scope")
    for name, module in (
        ("nasnet_cifar", "nasnet"),
        ("nasnet_mobile", "nasnet"),
        ("nasnet_large", "nasnet"),
        ("pnasnet_mobile", "pnasnet"),
        ("pnasnet_large", "pnasnet"),
    ):
        yield SlimNetwork(name, f"nasnet.{module}", f"build_{name}", f"{name}_arg_scope")
    yield SlimNetwork("cyclegan_generator_resnet", "cyclegan", "cyclegan_generator_resnet", counts=False)
    yield SlimNetwork("dcgan_generator", "dcgan", "generator", counts=False)
    yield SlimNetwork("dcgan_discriminator", "dcgan", "discriminator", counts=False)
    yield SlimNetwork("pix2pix_generator", "pix2pix", "pix2pix_generator", "pix2pix_arg_scope", counts=False)
    yield SlimNetwork("pix2pix_discriminator", "pix2pix", "pix2pix_discriminator", "pix2pix_arg_scope", counts=False)


NETWORKS: Mapping[str, SlimNetwork] = {one.name: one for one in _families()}
"""By name."""
