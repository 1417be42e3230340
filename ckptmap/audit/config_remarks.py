"""What is wrong with a pipeline.config as far as restoring goes, for the version of the API that it is meant for."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path

from ckptmap.audit.prediction import Remark
from ckptmap.audit.subject import is_tf2
from ckptmap.basics.nearest import nearest
from ckptmap.families.detection.pipeline.check import REFUSED_BY_THE_API
from ckptmap.families.detection.pipeline.config import PipelineConfig
from ckptmap.families.detection.pipeline.models import EXTRACTORS, FASTER_RCNN, SSD, tf1_type
from ckptmap.families.detection.pipeline.view import View

_PLACEHOLDER = "PATH_TO_BE_CONFIGURED"
_REMOTE = "://"
_CHECKPOINT_ENDINGS = ("", ".index", ".meta")


def config_remarks(config: PipelineConfig, *, elsewhere: bool = False) -> tuple[Remark, ...]:
    """Unknown fields, settings that are never read, a version that is refused, paths that are not here.

    With ``elsewhere`` the config is for another machine: where its paths lead to is nobody's business here.
    """
    tf2 = is_tf2(config)
    found = (*_mistakes(config), *_extractor(config), *_paths(config, elsewhere=elsewhere))
    return (*found, *(_tf2(config) if tf2 else _tf1(config)))


def config_error(config: PipelineConfig) -> tuple[str, str]:
    """What the API raises before it restores anything, and how to fix it; two empty texts where it goes on."""
    if config.unreadable:
        first = config.unreadable[0].problem
        return f"ParseError: the API refuses to read the config: {first.message}", first.hint
    training = config.training
    if not is_tf2(config):
        return "", ""
    if training.load_all_detection_checkpoint_vars:
        return (
            "ValueError: train_pb2.load_all_detection_checkpoint_vars unsupported in TF2",
            'remove it; fine_tune_checkpoint_type "full" restores the heads too',
        )
    if training.fine_tune_checkpoint_version == "V1":
        said = _train(config).has("fine_tune_checkpoint_version")
        why = "" if said else ": V1 is what the API takes where the config says nothing"
        return f"ValueError: Checkpoint version should be V2{why}", "write fine_tune_checkpoint_version: V2"
    return "", ""


def _train(config: PipelineConfig) -> View:
    return config.root.child("train_config")


def _mistakes(config: PipelineConfig) -> Iterator[Remark]:
    for finding in config.findings:
        refused = finding.mistake in REFUSED_BY_THE_API
        problem = finding.problem
        yield Remark("error" if refused else "warning", problem.message, problem.where, problem.hint)


def _extractor(config: PipelineConfig) -> Iterator[Remark]:
    """A misspelt feature extractor; types of TF2 alone, such as those of EfficientDet, are none."""
    name = config.extractor_type
    if config.architecture not in (SSD, FASTER_RCNN) or not name or "efficientnet" in name:
        return
    if tf1_type(name) not in EXTRACTORS:
        close = nearest(name, EXTRACTORS, 2, cutoff=0.7)
        hint = f"did you mean {' or '.join(close)}?" if close else ""
        where = config.extractor.where("type")
        yield Remark("warning", f"ckptmap knows no feature extractor {name}", where, hint)


def _paths(config: PipelineConfig, *, elsewhere: bool) -> Iterator[Remark]:
    """Of paths that lead nowhere; of those that are still the sample's placeholder, whatever machine it is for."""
    for where, field, path in _absent_paths(config):
        if _PLACEHOLDER in path:
            yield Remark("warning", f"{field} is still the sample's placeholder {path}", where)
        elif not elsewhere:
            yield Remark("warning", f"{field} {path} is not on this machine", where)


def _absent_paths(config: PipelineConfig) -> Iterator[tuple[str, str, str]]:
    train = _train(config)
    checkpoint = config.training.fine_tune_checkpoint
    if checkpoint and not _is_checkpoint(checkpoint):
        yield train.where("fine_tune_checkpoint"), "fine_tune_checkpoint", checkpoint
    readers = (config.root.child("train_input_reader"), *config.root.children("eval_input_reader"))
    for reader in readers:
        if reader.has("label_map_path") and not _is_here(reader.text("label_map_path")):
            yield reader.where("label_map_path"), "label_map_path", reader.text("label_map_path")
        records = reader.child("tf_record_input_reader")
        for path in records.values("input_path"):
            if not _is_here(str(path)):
                yield records.where("input_path"), "input_path", str(path)


def _is_checkpoint(path: str) -> bool:
    return any(_is_here(path + ending) for ending in _CHECKPOINT_ENDINGS)


def _is_here(path: str) -> bool:
    """Whether there is such a file; remote ones are taken as there."""
    if _REMOTE in path:
        return True
    try:
        return bool(glob.glob(path)) if glob.has_magic(path) else Path(path).exists()  # noqa: PTH207 - absolute patterns too
    except (OSError, ValueError):
        return False


def _tf2(config: PipelineConfig) -> Iterator[Remark]:
    train = _train(config)
    for field in ("freeze_variables", "update_trainable_variables"):
        if train.has(field):
            message = f"{field} is never read by the TF2 training loop: every variable is trained"
            yield Remark("warning", message, train.where(field))
    if train.has("from_detection_checkpoint"):
        yield _older(config, train)


def _tf1(config: PipelineConfig) -> Iterator[Remark]:
    train = _train(config)
    if train.has("from_detection_checkpoint"):
        yield _older(config, train)
    for pattern in config.training.freeze_variables:
        yield from _unanchored(pattern, train)


def _older(config: PipelineConfig, train: View) -> Remark:
    kind = "detection" if config.training.from_detection_checkpoint else "classification"
    if config.training.fine_tune_checkpoint_type:
        message = "from_detection_checkpoint is not looked at: fine_tune_checkpoint_type is there"
    else:
        message = f'from_detection_checkpoint is deprecated; it means fine_tune_checkpoint_type "{kind}"'
    return Remark("note", message, train.where("from_detection_checkpoint"))


def _unanchored(pattern: str, train: View) -> Iterator[Remark]:
    """TF1 matches with ``re.match``: from the start of the name."""
    if pattern.startswith("/"):
        message = f"freeze_variables {pattern} matches nothing: names are matched from their start, without a slash"
        yield Remark("warning", message, train.where("freeze_variables"))
