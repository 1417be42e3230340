"""Every family, both ways: what its TF1 model is, how it is converted and run, and the faults that must be found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import ckptmap
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.tf.environment import tf2
from tests.convert.conftest import write_tf1
from tests.tf import estimators
from tests.tf.classifiers import Row, image_of, run_slim
from tests.tf.language_reference import albert_shapes, bert_shapes, gpt2_shapes, head_shapes, random_values
from tests.tf.test_recurrent import CELLS, INPUT, NAMES, STEPS, run_tf1
from tests.tf.verify.families import graphs
from tests.tf.verify.families.homes import FACTORED, HOMES, SIZE

Array = np.ndarray[Any, Any]
Change = Callable[[dict[str, Array]], None]
CODE = "tests.tf.verify.families.homes"


@dataclass(frozen=True, slots=True)
class Plant:
    """A fault: the old values ``changed`` before they are converted, another ``table``, or other ``code``."""

    layer: str
    cause: str
    changed: Change | None = None
    code: str = ""
    table: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """``save`` writes the TF1 model as ``model.ckpt``; ``convert`` takes it, a new folder and a table's text.

    ``code`` builds the new model where ckptmap cannot. ``hub``: it needs keras-hub. ``ones`` are inputs of the new
    model alone; ``image`` is one of the kind that the model takes, of which all its layers make something.
    """

    name: str
    save: Callable[[Path], object]
    convert: Callable[[Path, Path, str], object]
    code: str = ""
    plants: Mapping[str, Plant] = field(default_factory=dict)
    table: str = ""
    hub: bool = False
    ones: tuple[str, ...] = ()
    image: Array | None = None

    def __str__(self) -> str:
        return self.name


def zeroed(*names: str) -> Change:
    def change(values: dict[str, Array]) -> None:
        for name in names:
            assert values[name].any()
            values[name] = np.zeros_like(values[name])

    return change


def swapped(one: str, other: str) -> Change:
    def change(values: dict[str, Array]) -> None:
        assert values[one].shape == values[other].shape
        values[one], values[other] = values[other], values[one]

    return change


def transposed(name: str) -> Change:
    def change(values: dict[str, Array]) -> None:
        values[name] = np.swapaxes(values[name], -1, -2).copy()

    return change


def other_gates(name: str) -> Change:
    """The first two gates of a cell with each other's values."""

    def change(values: dict[str, Array]) -> None:
        for leaf in ("kernel", "bias"):
            first, second, *rest = np.split(values[f"{name}/{leaf}"], 4, axis=-1)
            values[f"{name}/{leaf}"] = np.concatenate([second, first, *rest], axis=-1)

    return change


def of_changed(prefix: Path, change: Change | None) -> Path:
    """The TF1 checkpoint, or one beside it with other values."""
    if change is None:
        return prefix
    with open_checkpoint(prefix) as checkpoint:
        values = {name: checkpoint.read(name) for name in checkpoint.inventory.variables}
    change(values)
    return write_tf1(prefix.parent / "changed" / "model.ckpt", values)


def _into_template(code: str, prefix: Path, output: Path, table: str) -> None:
    """Convert to a checkpoint that the new model itself saved."""
    template = tf2().train.Checkpoint(model=HOMES[code]()).save(str(output.parent / f"{output.name}_template" / "ckpt"))
    options: dict[str, Any] = {}
    if table:
        options["table"] = output.parent / f"{output.name}.yaml"
        options["table"].write_text(table, encoding="utf-8")
    report = ckptmap.convert(prefix, to=template, output=output, **options)
    assert report["output"] is not None, report["findings"]


def _into_application(row: Row, prefix: Path, output: Path, _: str) -> None:
    settings: dict[str, Any] = {"keras": row.keras}
    if row.model.rescales:
        settings["include_preprocessing"] = False
    report = ckptmap.convert(prefix, to=row.model.target, output=output, settings=settings)
    assert report["output"] is not None, report["findings"]


# --- slim's classifiers and EfficientNet


def _classifier(row: Row, plants: Mapping[str, Plant]) -> Family:
    def save(folder: Path) -> None:
        run_slim(row, str(folder / "model.ckpt"), image_of(row), meta=True)

    return Family(row.name, save, partial(_into_application, row), plants=plants, image=image_of(row))


def _zeroed_beta(layer: str) -> Plant:
    return Plant(layer, "zeroed bias", zeroed(f"{layer}/beta"))


def _exchanged(one: str, other: str, leaf: str = "weights") -> Plant:
    return Plant(one, "swapped layers", swapped(f"{one}/{leaf}", f"{other}/{leaf}"))


def _classifiers() -> Iterator[Family]:
    v1, v2, v3 = "MobilenetV1/Conv2d", "MobilenetV2/expanded_conv", "MobilenetV3/expanded_conv"
    for keras in (2, 3):
        yield _classifier(
            Row("mobilenet_v1", keras, 97, classes=8),
            {
                "zeroed bias": _zeroed_beta(f"{v1}_2_pointwise/BatchNorm"),
                "swapped layers": _exchanged(f"{v1}_8_pointwise", f"{v1}_9_pointwise"),
                **(
                    {"padding": Plant(f"{v1}_2_depthwise", "padding", code="stock_mobilenet_v1_2")}
                    if keras == 2
                    else {}
                ),
            },
        )
        yield _classifier(
            Row("mobilenet_v2", keras, 96, classes=8),
            {
                "zeroed bias": _zeroed_beta(f"{v2}_1/expand/BatchNorm"),
                "swapped layers": _exchanged(f"{v2}_4/expand", f"{v2}_5/expand"),
            },
        )
        yield _classifier(
            Row("mobilenet_v3_small", keras, 96, classes=8),
            {
                # before it, slim's gates have 0.16667 for Keras' 1/6, which the projections behind them make up for
                "zeroed bias": _zeroed_beta("MobilenetV3/Conv_1/BatchNorm"),
                "swapped layers": _exchanged(f"{v3}_4/expand", f"{v3}_5/expand"),
            },
        )
        unit = "resnet_v1_50/block1/unit_{}/bottleneck_v1/conv2"
        stock = (
            {"pooling": Plant("resnet_v1_50/conv1/BatchNorm", "padding", code="stock_resnet_v1_50_2")}
            if keras == 2
            else {}
        )
        yield _classifier(
            Row("resnet_v1_50", keras, 64, classes=7),
            {"swapped layers": _exchanged(unit.format(2), unit.format(3)), **stock},
        )
        stock = {"pooling": Plant("resnet_v2_50/conv1", "padding", code="stock_resnet_v2_50_3")} if keras == 3 else {}
        yield _classifier(
            Row("resnet_v2_50", keras, 64, classes=8),
            {"zeroed bias": _zeroed_beta("resnet_v2_50/block1/unit_2/bottleneck_v2/preact"), **stock},
        )
        yield _classifier(
            Row("inception_v3", keras, 147, classes=8),
            {"zeroed bias": _zeroed_beta("InceptionV3/Conv2d_2a_3x3/BatchNorm")},
        )
        yield _classifier(
            Row("efficientnet_b0", keras, 64, classes=8),
            {"zeroed bias": _zeroed_beta("efficientnet-b0/blocks_1/tpu_batch_normalization_1")},
        )
    yield _classifier(
        Row("inception_resnet_v2", 3, 147, classes=8),
        {"zeroed bias": _zeroed_beta("InceptionResnetV2/Conv2d_2a_3x3/BatchNorm")},
    )


# --- language models


def _language() -> Iterator[Family]:
    plain = random_values(bert_shapes(SIZE))
    classes = random_values({**bert_shapes(SIZE), **head_shapes(SIZE, "classes")})
    albert, electra = random_values(albert_shapes(FACTORED)), random_values(bert_shapes(FACTORED, "electra"))
    layer = "bert/encoder/layer_1"
    faults = {
        "swapped layers": Plant(
            f"{layer}/attention/self/query",
            "swapped layers",
            swapped(f"{layer}/attention/self/query/kernel", f"{layer}/attention/self/key/kernel"),
        ),
        "zeroed bias": Plant(f"{layer}/output/dense", "zeroed bias", zeroed(f"{layer}/output/dense/bias")),
    }
    gelu = Plant("bert/encoder/layer_0/intermediate/dense", "activation", code="bert_exact_gelu")
    yield _text("bert", lambda: graphs.bert(plain, SIZE), "bert", {**faults, "exact gelu": gelu})
    yield _text("bert_first", lambda: graphs.bert(plain, SIZE), "bert_first", faults)
    yield _text(
        "bert_classes",
        lambda: graphs.bert(classes, SIZE),
        "bert_classes",
        {"zeroed bias": Plant("bert/pooler/dense", "zeroed bias", zeroed("bert/pooler/dense/bias"))},
    )
    inner = "bert/encoder/transformer/group_0/inner_group_0"
    shared = {
        "transposed kernel": Plant(
            f"{inner}/attention_1/self/query", "transposed kernel", transposed(f"{inner}/attention_1/self/query/kernel")
        )
    }
    yield _text("albert", lambda: graphs.albert(albert, FACTORED), "albert", shared)
    tanh = "electra/encoder/layer_0/intermediate/dense"
    yield _text(
        "electra",
        lambda: graphs.electra(electra, FACTORED),
        "electra",
        {
            "tanh gelu": Plant(tanh, "activation", code="electra_tanh_gelu"),
            "zeroed bias": Plant(tanh, "zeroed bias", zeroed(f"{tanh}/bias")),
        },
    )
    yield _text("bert_hub", lambda: graphs.bert(plain, SIZE), "bert_hub", faults, hub=True)
    yield _text("albert_hub", lambda: graphs.albert(albert, FACTORED), "albert_hub", shared, hub=True)
    hub_tanh = {"tanh gelu": Plant(tanh, "activation", code="electra_hub_tanh_gelu")}
    yield _text("electra_hub", lambda: graphs.electra(electra, FACTORED), "electra_hub", hub_tanh, hub=True)
    generated = random_values(gpt2_shapes(SIZE))
    yield Family(
        "gpt2",
        partial(graphs.save, lambda: graphs.gpt2(generated, SIZE)),
        partial(_into_template, "gpt2"),
        "gpt2",
        {
            "zeroed bias": Plant("model/h1/mlp/c_fc", "zeroed bias", zeroed("model/h1/mlp/c_fc/b")),
            "zeroed bias of three layers": Plant(
                "model/h1/attn/c_attn", "zeroed bias", zeroed("model/h1/attn/c_attn/b")
            ),
        },
        hub=True,
        ones=("padding_mask",),
    )


def _text(name: str, build: Callable[[], Any], code: str, plants: Mapping[str, Plant], *, hub: bool = False) -> Family:
    return Family(name, partial(graphs.save, build), partial(_into_template, code), code, plants, hub=hub)


# --- recurrent cells


def _recurrent() -> Iterator[Family]:
    for cell, (scope, options, name, _, kind) in CELLS.items():
        for keras in (2, 3):
            table = partial(_cells, scope, NAMES[name])
            old = f"rnn/{scope}"
            plants = {"zeroed bias": Plant(old, "zeroed bias", zeroed(f"{old}/bias"))}
            if cell == "GRUCell":
                plants = {"zeroed bias": Plant(old, "other values", zeroed(f"{old}/gates/bias"))}
            if name == "LSTM":
                plants = {"gate order": Plant(old, "gate order", other_gates(old))}
            if cell == "BasicLSTMCell":
                without = table("lstm_cell_without_forget_bias")
                plants["forget bias"] = Plant(old, "forget bias", table=without)
            yield Family(
                f"{cell}_keras{keras}",
                partial(_save_cell, cell, options),
                partial(_into_template, f"{cell}_{keras}"),
                f"{cell}_{keras}",
                plants,
                table(kind),
            )


def _cells(scope: str, new: str, kind: str) -> str:
    return f"include: [{{table: kinds/rnn}}]\nlayers: [{{from: rnn/{scope}, to: {new}, as: {kind}}}]\n"


def _save_cell(cell: str, options: dict[str, Any], folder: Path) -> None:
    inputs = np.random.default_rng(1).normal(size=(2, STEPS, INPUT)).astype(np.float32)
    run_tf1(cell, options, str(folder / "model.ckpt"), inputs)


# --- canned Estimators


def _estimators() -> Iterator[Family]:
    for name, row in estimators.ROWS.items():
        values = estimators.random_values(estimators.shapes_of(row))
        plants = {}
        if row.hidden:
            first = "dnn/hiddenlayer_0"
            plants["zeroed bias"] = Plant(first, "zeroed bias", zeroed(f"{first}/bias"))
        if row.linear:
            income = "linear/linear_model/income"
            plants["zeroed values"] = Plant(income, "zeroed values", zeroed(f"{income}/weights"))
        code = name.replace("-", "_")
        build = partial(graphs.estimator, values)
        yield Family(name, partial(graphs.save, build), partial(_into_template, code), code, plants)


FAMILIES = {one.name: one for one in (*_classifiers(), *_language(), *_recurrent(), *_estimators())}
