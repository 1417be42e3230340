from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckptmap.families.detection.pipeline import textproto
from ckptmap.families.detection.pipeline.check import REFUSED_BY_THE_API, Mistake, check


def findings(text: str) -> list[tuple[Mistake, str, str]]:
    return [(f.mistake, f.path, str(f.problem)) for f in check(textproto.parse(text, "f.config"))]


@pytest.mark.parametrize(
    ("text", "mistake", "path", "problem"),
    [
        (
            "train_config {\n  freeze_vars: 'a' }",
            Mistake.UNKNOWN_FIELD,
            "train_config.freeze_vars",
            "f.config:2: TrainConfig has no field freeze_vars (did you mean freeze_variables)",
        ),
        (
            "train_config { num_step: 1 }",
            Mistake.UNKNOWN_FIELD,
            "train_config.num_step",
            "f.config:1: TrainConfig has no field num_step (did you mean num_steps)",
        ),
        (
            "model { ssd { feature_extractor { batch_norm_trainable: true } } }",
            Mistake.UNKNOWN_FIELD,
            "model.ssd.feature_extractor.batch_norm_trainable",
            (
                "f.config:1: SsdFeatureExtractor has no field batch_norm_trainable "
                "(it belongs in FasterRcnnFeatureExtractor)"
            ),
        ),
        (
            "train_config { quux: 1 }",
            Mistake.UNKNOWN_FIELD,
            "train_config.quux",
            "f.config:1: TrainConfig has no field quux",
        ),
        (
            "train_input_reader { [pkg.Ext.field] { a: 1 } }",
            Mistake.EXTENSION,
            "train_input_reader.[pkg.Ext.field]",
            (
                "f.config:1: the extension [pkg.Ext.field] is not part of the Object Detection API "
                "(the API refuses to read the file)"
            ),
        ),
        (
            "train_config { fine_tune_checkpoint_version: v2 }",
            Mistake.WRONG_VALUE,
            "train_config.fine_tune_checkpoint_version",
            "f.config:1: fine_tune_checkpoint_version is one of UNKNOWN, V1, V2, not v2 (did you mean V2)",
        ),
        (
            "model { ssd { num_classes: many } }",
            Mistake.WRONG_VALUE,
            "model.ssd.num_classes",
            "f.config:1: num_classes is a whole number, not many",
        ),
        (
            "model { ssd { num_classes { } } }",
            Mistake.WRONG_SHAPE,
            "model.ssd.num_classes",
            "f.config:1: num_classes is a int32, write num_classes: value",
        ),
        ("model: 1", Mistake.WRONG_SHAPE, "model", "f.config:1: model is a message, write model { … }"),
        (
            "train_config { num_steps: [1, 2] }",
            Mistake.WRONG_SHAPE,
            "train_config.num_steps",
            "f.config:1: num_steps takes one value, not a list",
        ),
        (
            "train_config { num_steps: 1\nnum_steps: 2 }",
            Mistake.DUPLICATE,
            "train_config.num_steps",
            "f.config:2: num_steps stands here again, first on line 1: the last one counts",
        ),
        (
            "model { ssd { } }\nmodel { }",
            Mistake.DUPLICATE,
            "model",
            "f.config:2: model stands here again, first on line 1: both are merged",
        ),
        (
            "model { ssd { }\nfaster_rcnn { } }",
            Mistake.SEVERAL_OF_ONEOF,
            "model.faster_rcnn",
            "f.config:2: faster_rcnn replaces ssd of line 1: only one of them can be set",
        ),
        (
            "train_config { from_detection_checkpoint: true }",
            Mistake.DEPRECATED,
            "train_config.from_detection_checkpoint",
            "f.config:1: from_detection_checkpoint is deprecated",
        ),
    ],
)
def test_each_mistake_is_found_and_named(text: str, mistake: Mistake, path: str, problem: str) -> None:
    assert findings(text) == [(mistake, path, problem)]


def test_repeated_fields_may_repeat() -> None:
    assert findings("eval_input_reader {}\neval_input_reader {}\ntrain_config { freeze_variables: ['a', 'b'] }") == []


def test_public_configs_have_no_mistakes_but_deprecated_fields(configs) -> None:
    found = {f.mistake for path in sorted(configs.glob("*/*")) for f in check(textproto.read(path))}
    assert found == {Mistake.DEPRECATED}


def test_what_the_api_refuses() -> None:
    assert Mistake.DUPLICATE not in REFUSED_BY_THE_API
    assert Mistake.DEPRECATED not in REFUSED_BY_THE_API


NAMES = st.sampled_from(["model", "ssd", "num_classes", "train_config", "freeze_variables", "optimizer", "quux"])
VALUES = st.sampled_from([": 1", ": 'x'", ": [1, 2]", ": V2", " { }", ": [{}, {}]", ": [<>, 1]"])


@st.composite
def nested(draw, depth: int = 3) -> str:
    fields = []
    for _ in range(draw(st.integers(0, 3))):
        inner = f" {{ {draw(nested(depth - 1))} }}" if depth and draw(st.booleans()) else draw(VALUES)
        fields.append(draw(NAMES) + inner)
    return "\n".join(fields)


@given(nested())
def test_any_tree_can_be_checked(text: str) -> None:
    document = textproto.parse(text)
    for finding in check(document):
        assert document.text[finding.field.start :].startswith(finding.field.name)
