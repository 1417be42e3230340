"""slim's networks that no library has for TF2, run by their own code inside Keras: a row each, and its proof.

    python -m tests.tf.own_code [--only 'inception*'] [--work FOLDER] TABLE.md

A row's TF1 graph has random weights and statistics and is saved by the TF1 Saver; ``ckptmap convert --to own_code``
converts it, Keras restores the result with TensorFlow's assertions that every variable on both sides is met, and both
run on the same input.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import ckptmap
from ckptmap.families.own_code.slim import NETWORKS
from ckptmap.families.verdict import Kind
from ckptmap.tf.environment import as_written, import_quietly, same_kernels, slim_module, tf2
from ckptmap.tf.tf1.weights import calibrate, randomize
from ckptmap.tf.tf2_model import restore
from tests.tf.proving import Proof, markdown, outputs_that_depend, prove_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Row:
    """A network on an input of this shape; ``options`` go to slim's function, ``config`` into a NASNet's HParams."""

    network: str
    shape: tuple[int, ...]
    classes: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        told = (f"{name}_{value}" for name, value in {**self.options, **self.config}.items())
        parts = [self.network, *told, self.classes]
        return "-".join(str(part).replace(" ", "") for part in parts if part is not None)

    def __str__(self) -> str:
        return self.name


class _Block(NamedTuple):
    """Of slim's pix2pix."""

    num_filters: int
    decoder_keep_prob: float = 0.0


class _Blocks(tuple[_Block, ...]):
    """The usual ones; slim's own drop values at random in use, too, so that no two runs are the same."""

    __slots__ = ()

    def __str__(self) -> str:
        return "without dropout"


_BLOCKS = _Blocks(_Block(count) for count in (64, 128, 256, 512, 512, 512, 512))


def _rows() -> Iterator[Row]:
    for network, size, classes in (
        ("alexnet_v2", 224, (1000, 5)),
        ("vgg_a", 224, (1000, 5)),
        ("overfeat", 231, (1000, 5)),
        ("cifarnet", 32, (10, 100)),
        ("inception_v1", 224, (1001,)),
        ("inception_v2", 96, (1001,)),
        ("inception_v4", 147, (1001, 5)),
        ("mobilenet_edgetpu", 96, (1001,)),
    ):
        yield from (Row(network, (1, size, size, 3), count) for count in classes)
    yield from (Row("lenet", (1, 28, 28, 1), count) for count in (10, 62))
    for network in ("inception_v2", "mobilenet_edgetpu"):
        yield Row(network, (1, 96, 96, 3), 5, {"depth_multiplier": 0.5})
    yield Row("inception_v1", (1, 96, 96, 3), 5, {"global_pool": True})
    for network in ("i3d", "s3dg"):
        yield from (Row(network, (1, 16, 64, 64, 3), count) for count in (400, 5))
    yield from (Row("cyclegan_generator_resnet", (1, 32, 32, 3), None, {"num_filters": count}) for count in (64, 16))
    yield from (Row("dcgan_generator", (2, 64), None, {"depth": 64, "final_size": size}) for size in (32, 64))
    yield from (Row("dcgan_discriminator", (2, size, size, 3), None, {"depth": size}) for size in (32, 64))
    for method in ("nn_upsample_conv", "conv2d_transpose"):
        options = {"num_outputs": 3, "upsample_method": method, "blocks": _BLOCKS}
        yield Row("pix2pix_generator", (1, 256, 256, 3), None, options)
    for filters in ((64, 128, 256, 512), (16, 32)):
        yield Row("pix2pix_discriminator", (1, 64, 64, 3), None, {"num_filters": filters})
    yield from _large_rows()


def _large_rows() -> Iterator[Row]:
    for network, size, count in (
        ("resnet_v1_200", 64, 1000),
        ("resnet_v2_200", 64, 1001),
        ("nasnet_cifar", 32, 10),
        ("nasnet_mobile", 96, 1001),
        ("nasnet_large", 96, 5),
        ("pnasnet_mobile", 96, 5),
        ("pnasnet_large", 96, 5),
    ):
        yield Row(network, (1, size, size, 3), count)
    yield Row("resnet_v1_200", (1, 64, 64, 3), 5, {"depth_multiplier": 0.5})
    yield Row("resnet_v2_200", (1, 64, 64, 3), 5, {"output_stride": 8})
    for network, size, config in (
        ("nasnet_cifar", 32, {"num_cells": 9}),
        ("nasnet_mobile", 96, {"num_conv_filters": 22}),
        ("nasnet_large", 96, {"num_conv_filters": 84, "num_cells": 12}),
        ("pnasnet_mobile", 96, {"num_conv_filters": 27}),
        ("pnasnet_large", 96, {"num_conv_filters": 108, "num_cells": 9}),
    ):
        yield Row(network, (1, size, size, 3), 7, config=config)


ROWS = {row.name: row for row in _rows()}
QUICK = ("lenet-10", "dcgan_generator-depth_64-final_size_32")
"""What the default run of the tests proves."""


PASSES = 30
"""With eight, the input of the deep networks and of those with gates hardly reaches their output."""


def run_tf1(row: Row, prefix: str, inputs: Array) -> Array:
    """Save slim's network with random weights as ``prefix``; what it makes of ``inputs`` in a TF1 session."""
    v1 = tf2().compat.v1
    with v1.Graph().as_default(), v1.Session() as session:
        placeholder = v1.placeholder(v1.float32, inputs.shape)
        found = _network(row, placeholder)
        v1.train.get_or_create_global_step()
        randomize(v1, session, 1)
        calibrate(v1, session, {placeholder: inputs}, 1, passes=PASSES)
        v1.train.Saver().save(session, prefix)
        return outputs_that_depend(lambda fed: np.asarray(session.run(found, {placeholder: fed})), inputs)


def _network(row: Row, inputs: Any) -> Any:
    """As slim's scripts call it: ``slim_network`` is not asked."""
    network = NETWORKS[row.network]
    module = slim_module(f"nets.{network.module}")
    options = {**_options(row), **({} if row.classes is None else {"num_classes": row.classes})}
    scope = getattr(module, network.arg_scope)() if network.arg_scope else None
    held = import_quietly("tf_slim").arg_scope(scope) if scope is not None else contextlib.nullcontext()
    with held, contextlib.redirect_stdout(sys.stderr):
        return getattr(module, network.function)(inputs, is_training=False, **options)[0]


def _options(row: Row) -> dict[str, Any]:
    """Those of slim's function; the HParams of a NASNet are made anew, as slim changes them."""
    if not row.config:
        return dict(row.options)
    kind = row.network.rpartition("_")[2]
    module = slim_module(f"nets.{NETWORKS[row.network].module}")
    config = getattr(module, "cifar_config" if kind == "cifar" else f"{kind}_imagenet_config")()
    for name, value in row.config.items():
        config.set_hparam(name, value)
    return {**row.options, "config": config}


def inputs_of(row: Row) -> Array:
    return np.random.default_rng(2).uniform(-1, 1, row.shape).astype(np.float32)


def prove(row: Row, folder: Path) -> Proof:
    """Convert a row's checkpoint, restore and run it."""
    from ckptmap.tf.own_code import slim_network

    inputs = inputs_of(row)
    expected = run_tf1(row, str(folder / "model.ckpt"), inputs)
    report = ckptmap.convert(folder / "model.ckpt", to="own_code", output=folder / "new")
    assert report["output"] is not None, report["findings"]
    tensorflow = tf2()
    model = slim_network(row.network, row.classes, **_options(row))
    with contextlib.redirect_stdout(sys.stderr):
        model(tensorflow.zeros(row.shape))
    restore(model, folder / "new" / "ckpt-0")
    with as_written(tensorflow):
        found = np.asarray(model(tensorflow.constant(inputs)))
    summary = report["summary"]
    return Proof(
        report["verdict"]["kind"],
        len(report["target_variables"]),
        summary["restored"],
        summary["unused"],
        float(np.abs(found - expected).max() / expected.std()),
    )


def as_expected(proof: Proof) -> bool:
    """Whether every variable found its place, and the output is the same to the bit."""
    whole = (proof.restored, proof.unused) == (proof.variables, 0)
    return whole and proof.difference == 0 and proof.verdict == Kind.EQUAL.value


HEADER = "| network | input | options | classes | variables | verdict | difference |\n|---|---|---|---|---|---|---|\n"


def table(proofs: Iterable[tuple[Row, Proof]]) -> str:
    """The proofs in Markdown, a line a row."""
    return markdown(HEADER, proofs, _cells)


def _cells(row: Row, proof: Proof) -> Iterator[str]:
    yield row.network
    yield " x ".join(map(str, row.shape[1:]))
    yield ", ".join(f"{name} {value}" for name, value in {**row.options, **row.config}.items())
    yield "" if row.classes is None else str(row.classes)
    yield str(proof.variables)
    yield proof.verdict
    yield f"{proof.difference:.1e}" if proof.difference else "0"


def main(arguments: Sequence[str]) -> int:
    """Prove the rows and write their table; 1 where one is not as expected."""
    same_kernels()
    return prove_rows("tests.tf.own_code", ROWS, prove, lambda _, proof: as_expected(proof), table, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
