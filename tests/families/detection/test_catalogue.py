from pathlib import Path

from ckptmap.families.detection.catalogue import catalogue, markdown, slim_only
from ckptmap.families.detection.pipeline.models import EXTRACTORS

PAGE = Path(__file__).parents[3] / "docs" / "targets.md"


def test_the_page_is_what_the_command_prints() -> None:
    assert PAGE.read_text(encoding="utf-8") == "\n".join(markdown()) + "\n", (
        "run: ckptmap targets --markdown > docs/targets.md"
    )


def test_verdicts_of_the_official_configurations() -> None:
    verdicts = {entry.name: entry.verdict for entry in catalogue()}
    assert verdicts["ssd_mobilenet_v1"] == verdicts["ssd_mobilenet_v2"] == "equal"
    assert verdicts["ssd_resnet50_v1_fpn"] == "equal with the slim-exact extractor"
    assert verdicts["faster_rcnn_resnet50"] == "equal with these config edits"


def test_types_without_a_keras_counterpart() -> None:
    assert len(slim_only()) == 20
    assert "faster_rcnn_inception_v2" in slim_only()


def test_every_type_has_a_target() -> None:
    assert EXTRACTORS.keys() <= {entry.name for entry in catalogue()}
