"""Make ``ckptmap/families/detection/pipeline/config_schema.json`` from the installed Object Detection API's protos.

``python -m ckptmap.tf.config_schema [FILE]`` writes the schema of ``TrainEvalPipelineConfig`` and of every message
it reaches: name, type, label, default, deprecation and oneof of each field, the names and numbers of each enum.
The core reads the JSON, so that it knows every field and default without protobuf. A test holds both equal.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path
from typing import Any

from ckptmap.tf.environment import import_quietly, tf2

DISTRIBUTION = "tf-models-research-object-detection"
ROOT = "TrainEvalPipelineConfig"
OUTPUT = Path(__file__).parent.parent / "families" / "detection" / "pipeline" / "config_schema.json"
_PACKAGE = "object_detection.protos."


def make_schema() -> dict[str, Any]:
    """The schema as a JSON object, messages and enums sorted by name, fields in the order of the proto."""
    tf2()
    root = import_quietly("object_detection.protos.pipeline_pb2").TrainEvalPipelineConfig.DESCRIPTOR
    messages: dict[str, Any] = {}
    enums: dict[str, dict[str, int]] = {}
    pending = [root]
    while pending:
        message = pending.pop()
        name = _short(message)
        if name in messages:
            continue
        messages[name] = {field.name: _field(field) for field in message.fields}
        enums.update({_short(f.enum_type): _values(f.enum_type) for f in message.fields if f.enum_type})
        pending.extend(field.message_type for field in message.fields if field.message_type)
    return {
        "schema": "ckptmap.config-schema/1",
        "generator": "python -m ckptmap.tf.config_schema",
        "api": f"{DISTRIBUTION} {importlib.metadata.version(DISTRIBUTION)}",
        "root": ROOT,
        "enums": dict(sorted(enums.items())),
        "messages": dict(sorted(messages.items())),
    }


def render(schema: dict[str, Any]) -> str:
    """JSON with one field a line, so that a newer API shows as a readable difference."""
    return _indented(schema, depth=0) + "\n"


def _indented(value: Any, depth: int) -> str:
    if depth == 3 or not isinstance(value, dict) or not value:
        return json.dumps(value)
    inner = "  " * (depth + 1)
    lines = [f"{inner}{json.dumps(key)}: {_indented(item, depth + 1)}" for key, item in value.items()]
    return "{\n" + ",\n".join(lines) + "\n" + "  " * depth + "}"


def _field(field: Any) -> dict[str, Any]:
    described: dict[str, Any] = {"type": _type(field)}
    label = _label(field)
    if label != "optional":
        described["label"] = label
    if field.has_default_value:
        default = field.default_value
        described["default"] = field.enum_type.values_by_number[default].name if field.enum_type else default
    if field.GetOptions().deprecated:
        described["deprecated"] = True
    if field.containing_oneof is not None:
        described["oneof"] = field.containing_oneof.name
    return described


def _label(field: Any) -> str:
    if hasattr(field, "is_repeated"):  # protobuf 7 has no label, 3.20 nothing but labels
        return "repeated" if field.is_repeated else "required" if field.is_required else "optional"
    return {field.LABEL_REPEATED: "repeated", field.LABEL_REQUIRED: "required"}.get(field.label, "optional")


def _type(field: Any) -> str:
    owned = field.message_type or field.enum_type
    if owned is not None:
        return _short(owned)
    names = {getattr(field, name): name[len("TYPE_") :].lower() for name in dir(field) if name.startswith("TYPE_")}
    return names[field.type]


def _short(descriptor: Any) -> str:
    return str(descriptor.full_name).removeprefix(_PACKAGE)


def _values(enum: Any) -> dict[str, int]:
    return {value.name: value.number for value in enum.values}


def main(arguments: list[str]) -> None:
    """Write the schema to the file named, or into the package."""
    output = Path(arguments[0]) if arguments else OUTPUT
    output.write_text(render(make_schema()), encoding="utf-8", newline="\n")
    print(f"wrote {output}")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
