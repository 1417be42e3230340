"""The model that audit derives from a pipeline.config is the one that the Object Detection API builds from it.

No checkpoint helps: names, shapes and dtypes follow from the config alone.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ckptmap.audit.subject import is_tf2, subject_of_config
from ckptmap.checkpoint.inventory import Inventory, Kind
from ckptmap.families.detection.pipeline.config import PipelineConfig, parse_config, read_config
from ckptmap.families.detection.pipeline.migrate import Migration, migrate
from ckptmap.families.detection.pipeline.settings import settings
from ckptmap.targets import list_targets
from ckptmap.tf.environment import import_quietly, tf2
from ckptmap.tf.exact import register
from ckptmap.tf.models import VARIABLE_VALUE, build_model, model_variables, read_pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("tensorflow", reason="needs the [tf] extra")

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
FOLDERS = ("corpus/configs/samples_tf1", "corpus/configs/samples_tf2", "corpus/configs/user", "cases/detectors")
DAMAGED = "H2-06-zoo-mask-config"
CONFIGS = sorted(
    path for folder in FOLDERS for path in (SHARED / folder).rglob("*.config") if path.parent.name != DAMAGED
)
NO_CHECKPOINT = Inventory(Kind.V2, "none", {}, object_based=True)
SIDE = 160
SIDES = {"bifpn": 256, "mnasfpn": 128, "embedded": 256}
"""Pixels: the smallest that nearly every extractor takes, and sides for those whose maps have to halve evenly, and for
the embedded SSD, which has but one size."""
FPNLITE = "corpus/configs/samples_tf2/ssd_mobilenet_v2_fpnlite_320x320_coco17_tpu-8.config"


Variables = dict[str, tuple[str, str, tuple[int, ...]]]
"""Readable name, dtype and shape by object path below the model."""


def tf2_configs(path: Path) -> Iterator[PipelineConfig]:
    """A TF2 config, or those that a TF1 config becomes, both ways; none for one that is refused."""
    config = read_config(path)
    if is_tf2(config):
        yield config
        return
    for prefer in ("exact", "stock"):
        made = migrate(config, prefer=prefer)
        if isinstance(made, Migration):
            yield parse_config(made.text, str(path))


@pytest.fixture(scope="module")
def api() -> Any:
    tf2()
    register()
    return import_quietly("google.protobuf.text_format")


def derived(config: PipelineConfig) -> Variables:
    variables = subject_of_config(config, NO_CHECKPOINT).model.variables
    assert variables is not None
    return {v.key: (v.name, v.dtype.name.lower(), v.shape) for v in variables}


def small(api: Any, config: PipelineConfig, path: Path) -> str:
    """The config's model for small images and few proposals, which no variable depends on; nothing else of it."""
    path.write_text(config.document.text.lstrip("\ufeff"), encoding="utf-8")
    pipeline = read_pipeline(path)
    model = getattr(pipeline.model, pipeline.model.WhichOneof("model"))
    side = next((side for word, side in SIDES.items() if word in config.extractor_type), SIDE)
    model.image_resizer.Clear()
    model.image_resizer.fixed_shape_resizer.height = model.image_resizer.fixed_shape_resizer.width = side
    if config.architecture == "faster_rcnn":
        model.first_stage_max_proposals = 4
    return str(api.MessageToString(type(pipeline)(model=pipeline.model)))


@functools.cache
def built(text: str, path: Path) -> Variables:
    path.write_text(text, encoding="utf-8")
    variables = model_variables(build_model(path))
    tf2().keras.backend.clear_session()
    end = f"/{VARIABLE_VALUE}"
    return {v.key.removeprefix("model/").removesuffix(end): (v.full_name, v.dtype, v.shape) for v in variables}


def unnumbered(found: Variables) -> Variables:
    """Keras numbers names by how often a process used them."""
    return {key: (re.sub(r"_\d+(?=/|$)", "", name), *rest) for key, (name, *rest) in found.items()}


def check(api: Any, config: PipelineConfig, folder: Path) -> None:
    text = small(api, config, folder / "whole.config")
    assert unnumbered(derived(config)) == unnumbered(built(text, folder / "small.config"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all, so that a model that several configs have is built once."""
    return tmp_path_factory.mktemp("configs")


@pytest.mark.skipif(not (SHARED / FPNLITE).is_file(), reason="the corpus (../shared/corpus) is not here")
def test_the_stock_fpnlite_of_the_zoo(api: Any, folder: Path) -> None:
    config = read_config(SHARED / FPNLITE)
    assert (1, 1, 320, 1280) in {shape for _, _, shape in derived(config).values()}
    check(api, config, folder)


@pytest.mark.slow
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_config_of_the_corpus(api: Any, folder: Path, path: Path) -> None:
    for config in tf2_configs(path):
        if settings(config).target in list_targets():
            check(api, config, folder)
        else:
            assert subject_of_config(config, NO_CHECKPOINT).model.variables is None
