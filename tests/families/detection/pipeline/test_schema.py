from __future__ import annotations

from ckptmap.families.detection.pipeline.schema import SCALAR_TYPES, FieldType, load_schema


def test_fields_as_the_protos_state_them() -> None:
    messages = load_schema().messages
    assert messages["ConvolutionalBoxPredictor"].fields["use_dropout"] == FieldType("use_dropout", "bool", default=True)
    assert messages["TrainConfig"].fields["freeze_variables"] == FieldType("freeze_variables", "string", repeated=True)
    assert messages["TrainConfig"].fields["from_detection_checkpoint"].deprecated
    assert messages["DetectionModel"].fields["ssd"] == FieldType("ssd", "Ssd", oneof="model")
    assert messages["TrainConfig"].fields["fine_tune_checkpoint_version"].default == "V1"


def test_every_type_is_a_scalar_a_message_or_an_enum() -> None:
    schema = load_schema()
    known = SCALAR_TYPES | set(schema.messages) | set(schema.enums)
    types = {field.type for message in schema.messages.values() for field in message.fields.values()}
    assert types <= known
    assert schema.root in schema.messages
