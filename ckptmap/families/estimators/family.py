"""Canned Estimators, v1 and v2, as the other rooms ask for them.

Source of the names: tensorflow_estimator/python/estimator/canned (dnn.py, linear.py, dnn_linear_combined.py) of
TensorFlow 2.15, the last with Estimators.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ckptmap.basics.text import plural
from ckptmap.families.family import Family
from ckptmap.families.known import Known
from ckptmap.families.verdict import Kind, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ckptmap.families.family import Shapes

NAME = "estimators"
_HIDDEN = re.compile(r"dnn/hiddenlayer_(\d+)/kernel")
_EMBEDDED = re.compile(r"dnn/input_from_feature_columns/input_layer/([^/]+)/embedding_weights")
_LINEAR = re.compile(r"linear/linear_model/([^/]+)/weights")
_LOGITS, _BIAS = "dnn/logits/kernel", "linear/linear_model/bias_weights"
_TABLES = {
    "dnn": ("estimators/dnn", "DNNClassifier, DNNRegressor"),
    "linear": ("estimators/linear", "LinearClassifier, LinearRegressor"),
    "dnn_linear_combined": (
        "estimators/dnn_linear_combined",
        "DNNLinearCombinedClassifier, DNNLinearCombinedRegressor",
    ),
}
TAKES = (
    "what the feature columns made of the examples: the columns of the deep part side by side in the order of their "
    "names, those of the linear part as numbers or as counts of their categories"
)
_TEMPLATE = (
    "my_model/ckpt-1 is what tf.train.Checkpoint(model=model).save('my_model/ckpt') writes of a Keras model with these "
    "layers by name: "
)


def recognize(shapes: Shapes) -> Known | None:
    """The canned Estimator with these variables of TF1; None where it is none."""
    deep, wide = _LOGITS in shapes and any(map(_HIDDEN.fullmatch, shapes)), _BIAS in shapes
    if not (deep or wide):
        return None
    name = "dnn_linear_combined" if deep and wide else "dnn" if deep else "linear"
    outputs = shapes[_LOGITS][-1] if deep else shapes[_BIAS][0]
    hidden = [shapes[one][-1] for one in _hidden(shapes)] if deep else []
    return Known(
        name,
        NAME,
        "; ".join(_traits(shapes, hidden, outputs)),
        {"outputs": outputs, "hidden_layers": len(hidden), "linear_columns": len(_columns(_LINEAR, shapes))},
        tables=(_TABLES[name][0],),
        remark=f"{_TEMPLATE}{', '.join(_layers(shapes, hidden, outputs))}\nit takes {TAKES}",
    )


def _hidden(shapes: Shapes) -> list[str]:
    found = {int(one[1]): one[0] for name in shapes if (one := _HIDDEN.fullmatch(name))}
    return [found[at] for at in sorted(found)]


def _columns(pattern: re.Pattern[str], shapes: Shapes) -> list[str]:
    return sorted(found[1] for name in shapes if (found := pattern.fullmatch(name)))


def _traits(shapes: Shapes, hidden: list[int], outputs: int) -> Iterator[str]:
    if hidden:
        norm = ", batch normalization" if "dnn/hiddenlayer_0/batchnorm_0/beta" in shapes else ""
        yield f"hidden layers of {', '.join(map(str, hidden))}{norm}"
    if embedded := _columns(_EMBEDDED, shapes):
        yield f"embedded: {', '.join(embedded)}"
    if wide := _columns(_LINEAR, shapes):
        yield f"linear: {', '.join(wide)}"
    yield plural(outputs, "output")


def _layers(shapes: Shapes, hidden: list[int], outputs: int) -> Iterator[str]:
    for column in _columns(_EMBEDDED, shapes):
        rows, width = shapes[f"dnn/input_from_feature_columns/input_layer/{column}/embedding_weights"]
        yield f"Embedding({rows}, {width}) {column}"
    for at, width in enumerate(hidden):
        yield f"Dense({width}) hiddenlayer_{at}"
        if f"dnn/hiddenlayer_{at}/batchnorm_{at}/beta" in shapes:
            yield f"BatchNormalization batchnorm_{at}"
    if hidden:
        yield f"Dense({outputs}) logits"
    for column in _columns(_LINEAR, shapes):
        yield f"Dense({outputs}, use_bias=False) linear_{column}"
    if _BIAS in shapes:
        yield f"linear_bias with the variable bias [{outputs}]"


def _recognize(shapes: Shapes, object_based: bool) -> Known | None:
    return None if object_based else recognize(shapes)


def _verdict(target: str, _settings: Mapping[str, object], _lengths: Mapping[str, int]) -> Verdict | None:
    known = next((called for table, called in _TABLES.values() if table == target), None)
    if known is None:
        return None
    home = "a Keras model with the layers of " + known
    return Verdict(Kind.EQUAL, extractor_type=home, advice=f"it takes {TAKES}", unconfigured=True)


def _preprocessing(target: str) -> str:
    return TAKES if any(table == target for table, _ in _TABLES.values()) else ""


ESTIMATORS = Family(NAME, _recognize, _verdict, preprocessing=_preprocessing)
