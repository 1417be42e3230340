"""The TF2 models of the families, as code that ``verify`` is told: ``tests.tf.verify.families.homes:NAME``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.tf import classifiers, estimators, language
from tests.tf.language_reference import Size
from tests.tf.test_recurrent import CELLS, layer

SIZE, FACTORED = Size(2, 24, 3), Size(2, 24, 3, 8)
Home = Callable[[], Any]


def _recurrent(cell: str, version: int) -> Home:
    _, _, name, options, _ = CELLS[cell]
    return lambda: layer(version, name, options)


def _stock(network: str, keras: int, size: int, classes: int) -> Home:
    """keras.applications as it is, with its own paddings and epsilon."""
    return lambda: classifiers._keras(classifiers.Row(network, keras, size, classes=classes))


HOMES: dict[str, Home] = {
    "bert": lambda: language.GARDEN.make(SIZE),
    "bert_first": lambda: language.FUNCTIONAL.make(SIZE),
    "bert_classes": lambda: language.CLASSIFIER.make(SIZE),
    "bert_exact_gelu": lambda: language.ELECTRA.make(SIZE),
    "albert": lambda: language.ALBERT.make(FACTORED),
    "electra": lambda: language.ELECTRA.make(FACTORED),
    "electra_tanh_gelu": lambda: language.GARDEN.make(FACTORED),
    "bert_hub": lambda: language.HUB.make(SIZE),
    "albert_hub": lambda: language.HUB_ALBERT.make(FACTORED),
    "electra_hub": lambda: language.HUB_EXACT.make(FACTORED),
    "electra_hub_tanh_gelu": lambda: language.HUB_ELECTRA.make(FACTORED),
    "gpt2": lambda: language.HUB_GPT2.make(SIZE),
    **{f"{cell}_{version}": _recurrent(cell, version) for cell in CELLS for version in (2, 3)},
    **{
        name.replace("-", "_"): lambda row=row: estimators.keras_model(row)  # type: ignore[misc]
        for name, row in estimators.ROWS.items()
    },
    "stock_resnet_v1_50_2": _stock("resnet_v1_50", 2, 64, 7),
    "stock_resnet_v2_50_3": _stock("resnet_v2_50", 3, 64, 8),
    "stock_mobilenet_v1_2": _stock("mobilenet_v1", 2, 97, 8),
}


def __getattr__(name: str) -> Home:
    if name not in HOMES:
        raise AttributeError(name)
    return HOMES[name]
