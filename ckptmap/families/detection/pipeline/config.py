"""What ckptmap needs to know of a pipeline.config, read without TensorFlow: the architecture and its settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ckptmap.basics.errors import ConfigError
from ckptmap.families.detection.config_files import CONFIG_NAME
from ckptmap.families.detection.pipeline import textproto
from ckptmap.families.detection.pipeline.anchors import anchors_per_location
from ckptmap.families.detection.pipeline.check import REFUSED_BY_THE_API, Finding, check
from ckptmap.families.detection.pipeline.models import FASTER_RCNN, SSD
from ckptmap.families.detection.pipeline.sizes import refuse_absurd_sizes
from ckptmap.families.detection.pipeline.view import View, root_view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ckptmap.families.detection.pipeline.syntax import Document

_TOP_LEVEL = frozenset({"model", "train_config", "train_input_reader", "eval_config", "eval_input_reader"})
_BLOCKS = {
    SSD: {"predictor": "box_predictor", "anchors": "anchor_generator"},
    FASTER_RCNN: {"predictor": "second_stage_box_predictor", "anchors": "first_stage_anchor_generator"},
}
_NO_BLOCKS = {"predictor": "", "anchors": ""}


@dataclass(frozen=True, slots=True)
class ImageResizer:
    """How images are resized: ``kind`` is the proto's name, sizes in pixels, None where the kind has none."""

    kind: str
    height: int | None = None
    width: int | None = None
    min_dimension: int | None = None
    max_dimension: int | None = None


@dataclass(frozen=True, slots=True)
class Training:
    """The fields of ``train_config`` that say what is restored and what is frozen, defaults applied."""

    fine_tune_checkpoint: str
    fine_tune_checkpoint_type: str
    fine_tune_checkpoint_version: str
    from_detection_checkpoint: bool
    load_all_detection_checkpoint_vars: bool
    freeze_variables: tuple[str, ...]
    update_trainable_variables: tuple[str, ...]
    use_moving_average: bool
    moving_average_decay: float


@dataclass(frozen=True, slots=True)
class PipelineConfig:
    """A pipeline.config: the file with every mark, and typed access to it."""

    document: Document
    root: View
    findings: tuple[Finding, ...]

    @property
    def path(self) -> str:
        """The file it was read from; empty for a text."""
        return self.document.path

    @property
    def architecture(self) -> str:
        """The meta-architecture: ``ssd``, ``faster_rcnn``, ``center_net``, ``experimental_model``; empty for none."""
        return self.root.child("model").which("model")

    @property
    def model(self) -> View:
        """The block of the meta-architecture. Raises ConfigError where the config has no model."""
        if not self.architecture:
            raise ConfigError("the config has no model", where=self.path, hint="it needs a model { … } block")
        return self.root.at(f"model.{self.architecture}")

    @property
    def extractor(self) -> View:
        """The feature extractor's block."""
        return self.model.child("feature_extractor")

    @property
    def extractor_type(self) -> str:
        """The feature extractor's type, such as ``ssd_mobilenet_v2``; empty where there is none."""
        if self.architecture in (SSD, FASTER_RCNN, "center_net"):
            return self.extractor.text("type")
        return ""

    @property
    def num_classes(self) -> int:
        """The number of classes, without the background."""
        return self.model.integer("num_classes")

    @property
    def predictor_kind(self) -> str:
        """The box predictor's field name, such as ``convolutional_box_predictor``; empty where there is none."""
        name = self._blocks["predictor"]
        return self.model.child(name).which("box_predictor_oneof") if name else ""

    @property
    def predictor(self) -> View:
        """The box predictor's block (R-CNN: that of the second stage). Raises ConfigError where there is none."""
        if not self.predictor_kind:
            raise ConfigError("the model has no box predictor", where=self.model.where())
        return self.model.child(self._blocks["predictor"]).child(self.predictor_kind)

    @property
    def anchors(self) -> tuple[int, ...]:
        """Anchors per location, a number for each feature map (R-CNN: one number, of the first stage).

        Raises ConfigError where the model has no anchor generator.
        """
        name = self._blocks["anchors"]
        if not name:
            raise ConfigError(f"{self.architecture} has no anchors", where=self.model.where())
        return anchors_per_location(self.model.child(name))

    @property
    def image_resizer(self) -> ImageResizer:
        """How images are resized."""
        return _image_resizer(self.model.child("image_resizer"))

    @property
    def training(self) -> Training:
        """What train_config says about checkpoints and frozen variables."""
        return _training(self.root.child("train_config"))

    @property
    def quantized(self) -> bool:
        """Whether the config asks for quantization-aware training (``graph_rewriter``)."""
        return self.root.has("graph_rewriter")

    @property
    def label_maps(self) -> tuple[str, ...]:
        """The label map paths of the input readers, each once, in the order of the file."""
        readers = [self.root.child("train_input_reader"), *self.root.children("eval_input_reader")]
        paths = [str(reader.value("label_map_path")) for reader in readers if reader.has("label_map_path")]
        return tuple(dict.fromkeys(paths))

    @property
    def unreadable(self) -> tuple[Finding, ...]:
        """The findings for which the Object Detection API refuses to read the file."""
        return tuple(finding for finding in self.findings if finding.mistake in REFUSED_BY_THE_API)

    @property
    def _blocks(self) -> Mapping[str, str]:
        return _BLOCKS.get(self.architecture, _NO_BLOCKS)


def read_config(path: str | Path) -> PipelineConfig:
    """Read a pipeline.config. Raises ConfigError where it is no protobuf text, or nothing of a pipeline.config."""
    return config_of(textproto.read(_config_file(Path(path))))


def parse_config(text: str, path: str = "") -> PipelineConfig:
    """Read a pipeline.config from a text; ``path`` names it in errors."""
    return config_of(textproto.parse(text, path))


def _config_file(path: Path) -> Path:
    """The file itself, or the pipeline.config in a folder. Raises ConfigError where there is none."""
    if not path.is_dir():
        return path
    if (path / CONFIG_NAME).is_file():
        return path / CONFIG_NAME
    configs = sorted(place.name for place in path.glob("*.config"))
    hint = f"name the file: {', '.join(configs[:3])}" if configs else "name the file itself"
    raise ConfigError(f"is a folder without a {CONFIG_NAME}", where=str(path), hint=hint)


def config_of(document: Document) -> PipelineConfig:
    """The config that a parsed text is.

    Raises ConfigError where it is nothing of a pipeline.config, or has a size that no model can be built with.
    """
    if not any(field.name in _TOP_LEVEL for field in document.root.fields):
        raise ConfigError(
            "this is not a pipeline.config: it has no model, train_config or eval_config block",
            where=document.path or "<text>",
        )
    refuse_absurd_sizes(document)
    return PipelineConfig(document, root_view(document), check(document))


def _image_resizer(view: View) -> ImageResizer:
    kind = view.which("image_resizer_oneof")
    if not kind:
        return ImageResizer("")
    block = view.child(kind)
    sizes = {
        name: block.integer(name)
        for name in ("height", "width", "min_dimension", "max_dimension")
        if name in block.type.fields
    }
    return ImageResizer(kind, **sizes)


def _training(view: View) -> Training:
    optimizer = view.child("optimizer")
    return Training(
        fine_tune_checkpoint=view.text("fine_tune_checkpoint"),
        fine_tune_checkpoint_type=view.text("fine_tune_checkpoint_type"),
        fine_tune_checkpoint_version=view.text("fine_tune_checkpoint_version"),
        from_detection_checkpoint=view.flag("from_detection_checkpoint"),
        load_all_detection_checkpoint_vars=view.flag("load_all_detection_checkpoint_vars"),
        freeze_variables=tuple(str(value) for value in view.values("freeze_variables")),
        update_trainable_variables=tuple(str(value) for value in view.values("update_trainable_variables")),
        use_moving_average=optimizer.flag("use_moving_average"),
        moving_average_decay=optimizer.number("moving_average_decay"),
    )
