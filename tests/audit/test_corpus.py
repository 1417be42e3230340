from pathlib import Path

import pytest

from ckptmap.audit import audit
from ckptmap.audit.audit_document import audit_document
from ckptmap.report.sheets import sheet_of

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus"
CONFIGS = sorted((CORPUS / "configs").rglob("*.config"))
if not CONFIGS:
    pytest.skip("the corpus of real files (../shared/corpus) is not here", allow_module_level=True)
TF1 = CORPUS / "tf1" / "zoo_ssd_mobilenet_v2_2018_03_29"
TF2 = CORPUS / "tf2" / "tf2_train_ssd_mobilenet_v2_fpnlite_anirudhan"


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: f"{path.parent.name}/{path.stem}"[:80])
def test_every_config_is_audited(config: Path) -> None:
    checkpoints = {"samples_tf1": (TF1,), "samples_tf2": (TF2,)}.get(config.parent.name, (TF1, TF2))
    for checkpoint in checkpoints:
        found = audit(checkpoint, pipeline=config, index_only=True)
        assert sheet_of(audit_document(found)).verdict
        if config.parent.name == "samples_tf2" or "keras" in config.name:
            assert found.model.api == "tf2"


def user(name: str) -> Path:
    return next(path for path in CONFIGS if path.parent.name == "user" and name in path.name)


def messages(config: Path, checkpoint: Path = TF1) -> list[str]:
    return [remark.message for remark in audit(checkpoint, pipeline=config, index_only=True).remarks]


def test_ssdlite_over_the_checkpoint_of_ssd() -> None:
    found = audit(TF1, pipeline=user("AlexanderBodunov"), index_only=True)
    assert (found.summary["restored"], found.summary["missing"]) == (320, 0)


def test_centernet_with_the_type_that_is_gone() -> None:
    found = audit(TF2, pipeline=user("existedinnettw__centernet_hg104"), index_only=True)
    assert found.prediction.error == "ValueError: fine_tune is no longer supported for CenterNet"


def test_placeholders_and_paths_of_another_machine_are_told() -> None:
    told = messages(CORPUS / "configs" / "samples_tf1" / "ssd_mobilenet_v2_coco.config")
    assert "fine_tune_checkpoint is still the sample's placeholder PATH_TO_BE_CONFIGURED/model.ckpt" in told
    assert any(message.endswith("is not on this machine") for message in messages(user("DzakirinMD")))
