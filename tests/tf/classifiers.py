"""slim's classifiers and EfficientNet against keras.applications: a row each, and its proof.

    python -m tests.tf.classifiers [--only 'mobilenet*'] [--work FOLDER] TABLE.md

A row's TF1 graph has random weights and batch-norm statistics and is saved by the TF1 Saver; ckptmap converts it, Keras
restores the result with TensorFlow's assertions that every variable on both sides is met, and both run on one image.
TF1's graph is built in a graph of its own in the TF2 process, so that all rows share TensorFlow's import.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import ckptmap
from ckptmap.families.classification.models import CLASSIFIERS, Classifier
from ckptmap.families.verdict import Kind
from ckptmap.tf.classifiers import application, as_slim
from ckptmap.tf.environment import same_kernels, tf2
from ckptmap.tf.tf1.weights import CALIBRATION_PASSES, calibrate, randomize
from ckptmap.tf.tf2_model import restore
from ckptmap.tf.verify.general.slim_nets import SlimNet, slim_network
from tests.tf.efficientnet_graph import efficientnet
from tests.tf.proving import Proof, markdown, outputs_that_depend, prove_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Array = np.ndarray[Any, Any]

STOCK, SLIM = "keras.applications", "as_slim"
NOISE = 5e-6
"""Of the logits' spread."""
NOISE_BEHIND_GATES = 8e-6
"""Of the logits' spread of an EfficientNet: if every pixel is rounded once more, TF1's own logits move as much
(``pytest -m matrix tests/tf/test_classifiers.py -k rounding``). The largest difference measured is 5.3e-6 (B4)."""
NOISE_OF_MAPS = 2e-5
"""Of the spread of a map before the classifier, whose largest values are many spreads away. TF1's own move by 1.4e-5.
The largest difference measured is 1.8e-5 (EfficientNet B7)."""
DIFFERS = 3e-5
"""More than this is another computation."""


@dataclass(frozen=True)
class Row:
    """One network in one home: ``classes`` of the TF1 model, ``kept`` of them in Keras; ``top``: with a classifier."""

    network: str
    keras: int
    size: int
    home: str = STOCK
    width: float = 1.0
    classes: int = 1001
    kept: int = 0
    top: bool = True
    differs: bool = False

    @property
    def name(self) -> str:
        parts = [self.network, "" if self.width == 1.0 else f"{self.width:g}", f"keras{self.keras}"]
        parts += ["as_slim" if self.home == SLIM else "", str(self.kept or ""), "" if self.top else "no_top"]
        return "-".join(filter(None, [*parts, str(self.size)]))

    def __str__(self) -> str:
        return self.name

    @property
    def model(self) -> Classifier:
        return CLASSIFIERS[self.network]


def _rows() -> Iterator[Row]:
    sizes = {"vgg": 224, "inception": 147, "mobilenet": 96, "resnet": 64, "nasnet": 96, "efficientnet": 64}
    for network, model in CLASSIFIERS.items():
        size = next(size for family, size in sizes.items() if network.startswith(family))
        classes = 1001 if model.background else 1000
        for keras in (3, 2):
            yield Row(network, keras, size, classes=classes, differs=bool(model.differs))
            if model.differs:
                yield Row(network, keras, size, SLIM, classes=classes)
        for width in _widths(model):
            yield Row(network, 3, size, width=width, classes=5)
        if model.background:
            yield Row(network, 2, size, SLIM if model.differs else STOCK, classes=11, kept=10)
        for keras in (3, 2) if model.size else (3,):
            yield Row(network, keras, size, SLIM if model.differs else STOCK, classes=11, top=False)
    yield from (Row(network, 3, 97, home, classes=5, differs=home == STOCK) for network, home in _odd())
    yield from (Row(network, 3, 97, classes=5) for network in ("mobilenet_v2", "mobilenet_v3_small"))


def _widths(model: Classifier) -> tuple[float, ...]:
    """Depth multipliers beside 1; Keras has no MobileNet V3 with slim's first convolution at 0.5 or 1.4."""
    return ((0.75,) if model.rescales else (0.5, 1.4)) if model.widens else ()


def _odd() -> Iterator[tuple[str, str]]:
    for network, model in CLASSIFIERS.items():
        if model.at_odd_sizes:
            yield from ((network, STOCK), (network, SLIM))


ROWS = {row.name: row for row in _rows()}
ZEROS = {
    "resnet_v1_50": 53,
    "resnet_v1_101": 104,
    "resnet_v1_152": 155,
    **{name: 3 for name in CLASSIFIERS if name.startswith("efficientnet")},
}
"""Biases that slim does not have, by network; of an EfficientNet what normalizes the image."""
QUICK = ("mobilenet_v1-0.5-keras3-96", "mobilenet_v3_small-keras2-10-96")
"""What the default run of the tests proves."""


def run_slim(row: Row, prefix: str, image: Array, *, meta: bool = False) -> Array:
    """Save slim's network with random weights as ``prefix``; its logits, or without top what it pools."""
    with _slim(row, image) as (session, run):
        tf2().compat.v1.train.Saver().save(session, prefix, write_meta_graph=meta)
        return outputs_that_depend(run, image)


def own_noise(row: Row) -> float:
    """How far slim's outputs move, in their spread, if every pixel of the image is rounded up or down: most of four."""
    image = image_of(row)
    generator = np.random.default_rng(3)
    with _slim(row, image) as (_, run):
        found = run(image)
        ways = [generator.choice(np.array([-np.inf, np.inf], np.float32), image.shape) for _ in range(4)]
        return max(float(np.abs(run(np.nextafter(image, way)) - found).max() / found.std()) for way in ways)


@contextmanager
def _slim(row: Row, image: Array) -> Iterator[tuple[Any, Callable[[Array], Array]]]:
    """A session of slim's network with random weights, and what runs it there."""
    v1 = tf2().compat.v1
    with v1.Graph().as_default(), v1.Session() as session:
        placeholder = v1.placeholder(v1.float32, image.shape)
        logits, points = _network(row, placeholder)
        found = logits if row.top else _last_features(row, points)
        v1.train.get_or_create_global_step()
        randomize(v1, session, 1)
        calibrate(v1, session, {placeholder: image}, 1, passes=_passes(row))
        yield session, lambda fed: np.asarray(session.run(found, {placeholder: fed}))


def _passes(row: Row) -> int:
    """One for each batch norm of a network with gates: with fewer they close, and the logits depend on no image."""
    return 170 if row.network.startswith(("efficientnet", "mobilenet_v3")) else CALIBRATION_PASSES


def _network(row: Row, image: Any) -> tuple[Any, Mapping[str, Any]]:
    if row.network.startswith("efficientnet"):
        logits, features = efficientnet(int(row.network[-1]), image, row.classes)
        return logits, {"features": features}
    wide_end = row.width < 1  # Keras never narrows the last convolution
    logits, points = slim_network(SlimNet(row.network, row.classes, row.width, wide_end), image)
    return tf2().reshape(logits, [1, row.classes]), points


def _last_features(row: Row, points: Mapping[str, Any]) -> Any:
    """The map before the classifier, which is what the Keras model gives without top."""
    ends = {
        "vgg": f"{row.network}/pool5",
        "resnet_v1": f"{row.network}/block4",
        "inception_v3": "Mixed_7c",
        "inception_resnet_v2": "Conv2d_7b_1x1",
        "mobilenet_v1": "Conv2d_13_pointwise",
        "efficientnet": "features",
    }
    for start, end in ends.items():
        if row.network.startswith(start):
            return points[end]
    graph = tf2().compat.v1.get_default_graph()
    if row.network.startswith("resnet_v2"):
        return graph.get_tensor_by_name(f"{row.network}/postnorm/Relu:0")
    if row.network.startswith("nasnet"):
        return graph.get_tensor_by_name("final_layer/Relu:0")
    last = max(int(name[6:]) for name in points if name[:6] == "layer_" and name[6:].isdigit())
    pooled = 2 if row.network.startswith("mobilenet_v3") else 0  # the pooling and the convolution behind it
    return points[f"layer_{last - pooled}"]


def prove(row: Row, folder: Path) -> Proof:
    """Convert a row's checkpoint, restore and run it."""
    image = image_of(row)
    expected = run_slim(row, str(folder / "model.ckpt"), image)
    settings: dict[str, Any] = {"keras": row.keras, "include_top": row.top}
    if row.model.rescales:
        settings["include_preprocessing"] = False
    report = ckptmap.convert(
        folder / "model.ckpt",
        to=row.model.target,
        output=folder / "new",
        settings=settings,
        num_classes=row.kept or None,
    )
    assert report["output"] is not None, report["findings"]
    model = _keras(row)
    restore(model, folder / "new" / "ckpt-0")
    for layer in model.layers:
        if hasattr(layer, "adapt_mean"):
            layer.finalize_state()  # it computes with a copy of what was restored
    found = np.asarray(tf2().function(lambda batch: model(batch, training=False))(tf2().constant(image)))
    if row.kept:
        expected = expected[:, 1:]
    summary = report["summary"]
    return Proof(
        report["verdict"]["kind"],
        len(report["target_variables"]),
        summary["restored"],
        summary["unused"],
        float(np.abs(found.reshape(expected.shape) - expected).max() / expected.std()),
    )


def image_of(row: Row) -> Array:
    values = np.random.default_rng(2).uniform(-1, 1, (1, row.size, row.size, 3)).astype(np.float32)
    if row.network.startswith("efficientnet"):
        return (values + 1) * 127.5
    return values * 100 if row.model.expects.startswith("RGB from 0") else values


def _keras(row: Row) -> Any:
    options: dict[str, Any] = {**row.model.options, "include_top": row.top, "input_shape": (row.size, row.size, 3)}
    if row.top:
        options["classes"] = row.kept or row.classes
    if row.model.widens:
        options["alpha"] = row.width
    if row.model.rescales:
        options["include_preprocessing"] = False
    model = application(row.model.keras, row.keras, **options)
    return as_slim(model) if row.home == SLIM else model


def as_expected(row: Row, proof: Proof) -> bool:
    """Whether every variable found its place, and the outputs are what the row says."""
    verdict = Kind.WEIGHTS_ONLY if row.model.differs else Kind.EQUAL
    whole = (proof.variables - proof.restored, proof.unused) == (ZEROS.get(row.network, 0), 0)
    same = proof.difference > DIFFERS if row.differs else proof.difference <= noise_of(row)
    return whole and same and proof.verdict == verdict.value


def noise_of(row: Row) -> float:
    """By how much an equal model may differ."""
    if not row.top:
        return NOISE_OF_MAPS
    return NOISE_BEHIND_GATES if row.network.startswith("efficientnet") else NOISE


HEADER = """\
| network | width | image | classes | home | Keras | variables | zero by rule | verdict of the target | difference |
|---|---|---|---|---|---|---|---|---|---|
"""


def table(proofs: Iterable[tuple[Row, Proof]]) -> str:
    """The proofs in Markdown, a line a row."""
    return markdown(HEADER, proofs, _cells)


def _cells(row: Row, proof: Proof) -> Iterator[str]:
    yield row.network
    yield f"{row.width:g}" if row.model.widens else ""
    yield str(row.size)
    kept = f"{row.classes} → {row.kept}" if row.kept else str(row.classes)
    yield kept if row.top else "no top"
    yield row.home
    yield str(row.keras)
    yield str(proof.variables)
    yield str(proof.variables - proof.restored)
    yield proof.verdict
    yield f"{proof.difference:.1e}" if proof.difference else "0"


def main(arguments: Sequence[str]) -> int:
    """Prove the rows and write their table; 1 where one is not as expected."""
    same_kernels()
    return prove_rows("tests.tf.classifiers", ROWS, prove, as_expected, table, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
