"""What both pipeline.configs say of a difference: what the migrated config would have that the new one has not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ckptmap.basics.errors import ConfigError
from ckptmap.families.detection.pipeline.config import parse_config, read_config
from ckptmap.families.detection.pipeline.migrate import Migration, migrate
from ckptmap.families.detection.pipeline.models import EXACT_SUFFIX
from ckptmap.families.detection.pipeline.syntax import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ckptmap.families.detection.pipeline.config import PipelineConfig
    from ckptmap.families.verdict import Difference, Prefer

_TRAINING_ONLY = frozenset(
    (
        "loss", "initializer", "regularizer", "matcher", "similarity_calculator", "freeze_batchnorm",
        "normalize_loss_by_num_matches", "normalize_loc_loss_by_codesize", "class_prediction_bias_init",
        "first_stage_localization_loss_weight", "first_stage_objectness_loss_weight",
        "second_stage_localization_loss_weight", "second_stage_classification_loss_weight",
        "second_stage_mask_prediction_loss_weight", "hard_example_miner", "second_stage_batch_size",
        "first_stage_minibatch_size", "first_stage_positive_balance_fraction", "second_stage_balance_fraction",
        "use_dropout", "dropout_keep_probability", "dropout_keep_prob", "decay", "train", "add_background_class",
    )
)  # fmt: skip
"""Fields of a model, and blocks, that inference does not read."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A field that the new config has otherwise than the migrated one: ``path`` below the model, both values, why."""

    path: str
    wanted: str
    found: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """The config that the new model should have had.

    ``settings``: where the new one says otherwise. ``remaining``: in what the new one's feature extractor differs
    from TF1 whatever its settings. ``cure``: the text of a config with which TF2 computes what TF1 did, empty where
    there is none.
    """

    settings: tuple[Setting, ...] = ()
    remaining: tuple[Difference, ...] = ()
    cure: str = ""


def expected_config(old: str, new: str) -> Expected:
    """What becomes of the old config by migration, held against the new one. Raises ConfigError as reading does."""
    before, after = read_config(old), read_config(new)
    prefer: Prefer = "exact" if after.extractor_type.endswith(EXACT_SUFFIX) else "stock"
    made, best = migrate(before, prefer=prefer), migrate(before, prefer="exact")
    if not isinstance(made, Migration) or not isinstance(best, Migration):
        return Expected()
    reasons = {edit.path: edit.reason for edit in made.edits}
    return Expected(
        settings=tuple(_settings(parse_config(made.text, old), after, reasons)),
        remaining=tuple(one for one in made.verdict.reasons if one.remains),
        cure=best.text if best.verdict.equal else "",
    )


def _settings(wanted: PipelineConfig, found: PipelineConfig, reasons: dict[str, str]) -> Iterator[Setting]:
    paths = dict.fromkeys((*_leaves(wanted.document.root, ""), *_leaves(found.document.root, "")))
    for path in paths:
        if path.startswith("model.") and not _TRAINING_ONLY & set(path.split(".")):
            before, after = _value(wanted, path), _value(found, path)
            if before != after:
                yield Setting(path, before, after, reasons.get(path, ""))


def _leaves(message: Message, path: str) -> Iterator[str]:
    """The paths of the fields that hold values."""
    for field in message.fields:
        here = f"{path}.{field.name}".lstrip(".")
        blocks = [value for value in field.values if isinstance(value, Message)]
        for block in blocks:
            yield from _leaves(block, here)
        if not blocks:
            yield here


def _value(config: PipelineConfig, path: str) -> str:
    """What a config says at ``path``, its default where it says nothing."""
    parent, _, name = path.rpartition(".")
    try:
        return ", ".join(_text(value) for value in config.root.at(parent).values(name)) or _default(config, path)
    except (ConfigError, KeyError):
        return ""


def _default(config: PipelineConfig, path: str) -> str:
    parent, _, name = path.rpartition(".")
    return _text(config.root.at(parent).value(name))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
