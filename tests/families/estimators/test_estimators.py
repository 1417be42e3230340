"""Canned Estimators are known by their names, and find the table to the user's Keras model; no TensorFlow."""

from __future__ import annotations

from pathlib import Path

import pytest

import ckptmap
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory, Kind, Variable
from ckptmap.families.registry import preprocessing_of, recognize, verdict_on
from ckptmap.mapping.tables import load_table
from tests.convert.conftest import write_tf1
from tests.families.saved_models import saved_model
from tests.tf.estimators import Row, random_values, shapes_of


def known(row: Row) -> tuple[str, str, tuple[str, ...]]:
    shapes = shapes_of(row)
    variables = {name: Variable(name, DType.FLOAT32, shape, 0) for name, shape in shapes.items()}
    found = recognize(Inventory(Kind.V2, "old/model.ckpt", variables))
    assert found is not None
    return found.name, found.traits(), found.tables


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            Row(3, (8, 4), linear=False, outputs=3, norm=True),
            (
                "dnn",
                "hidden layers of 8, 4, batch normalization; embedded: color_embedding; 3 outputs",
                ("estimators/dnn",),
            ),
        ),
        (
            Row(3, (), linear=True, outputs=1),
            ("linear", "linear: age_bucketized, color, income; 1 output", ("estimators/linear",)),
        ),
        (
            Row(3, (16,), linear=True, outputs=1),
            (
                "dnn_linear_combined",
                "hidden layers of 16; embedded: color_embedding; linear: age_bucketized, color, income; 1 output",
                ("estimators/dnn_linear_combined",),
            ),
        ),
    ],
)
def test_what_is_recognized(row: Row, expected: tuple[str, str, tuple[str, ...]]) -> None:
    assert known(row) == expected


def test_the_layers_of_the_keras_model_are_listed() -> None:
    shapes = shapes_of(Row(3, (8,), linear=True, outputs=2, norm=True))
    variables = {name: Variable(name, DType.FLOAT32, shape, 0) for name, shape in shapes.items()}
    found = recognize(Inventory(Kind.V2, "old/model.ckpt", variables))
    assert found is not None
    assert (
        "Embedding(5, 3) color_embedding, Dense(8) hiddenlayer_0, BatchNormalization batchnorm_0, Dense(2) logits, "
        "Dense(2, use_bias=False) linear_age_bucketized, Dense(2, use_bias=False) linear_color, "
        "Dense(2, use_bias=False) linear_income, linear_bias with the variable bias [2]"
    ) in found.remark


def test_wide_and_deep_goes_to_layers_of_the_same_names(tmp_path: Path) -> None:
    values = random_values(shapes_of(Row(3, (8,), linear=True, outputs=2)))
    old = write_tf1(tmp_path / "old" / "model.ckpt", values)
    shapes = {
        "color_embedding/embeddings": (5, 3),
        "hiddenlayer_0/kernel": (5, 8),
        "hiddenlayer_0/bias": (8,),
        "logits/kernel": (8, 2),
        "logits/bias": (2,),
        "linear_age_bucketized/kernel": (4, 2),
        "linear_color/embeddings": (5, 2),
        "income/kernel": (2, 2),
        "linear_bias/bias": (2,),
    }
    report = ckptmap.convert(old, to=saved_model(tmp_path / "mine" / "ckpt-1", shapes), output=tmp_path / "new")
    assert (report["findings"], report["summary"]["restored"], report["summary"]["unused"]) == ([], 9, 0)
    assert (report["verdict"]["kind"], report["verdict"]["presumed"]) == ("equal", False)


@pytest.mark.parametrize("name", ["dnn", "linear", "dnn_linear_combined"])
def test_every_table_is_whole_and_judged(name: str) -> None:
    judged = verdict_on(f"estimators/{name}")
    assert load_table(f"estimators/{name}").rules
    assert judged is not None
    assert judged.equal
    assert preprocessing_of(f"estimators/{name}").startswith("what the feature columns made")
