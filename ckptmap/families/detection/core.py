"""What the rooms below the families ask of detectors: see :mod:`ckptmap.basics.contributions`."""

from __future__ import annotations

import ckptmap.families.detection.operations  # noqa: F401  (registered by the import)
from ckptmap.basics.contributions import Contribution
from ckptmap.families.detection.config_files import CONFIG_NAME, text_hint
from ckptmap.families.detection.model_parts import part_of
from ckptmap.families.detection.object_links import tower_links


def _target_names(name: str) -> tuple[str, str]:
    """The name itself, and the SSD with depthwise heads that the zoo calls ``ssdlite_…``, with a pyramid ``…_fpnlite``.

    What is depthwise is a setting of one target. A TF2 feature extractor type ends in ``_keras``.
    """
    plain = name.removesuffix("_keras").removesuffix("_exact")
    lite = plain.removesuffix("lite") if plain.endswith("_fpnlite") else plain.replace("ssdlite_", "ssd_", 1)
    return name, lite


CORE = Contribution(
    tables=("detectors",),
    files=(CONFIG_NAME,),
    bounds={"anchors(_.*)?": (1, 10_000), "box_code_size": (1, 1_000), ".*_layers_before_predictor": (0, 100)},
    part_of=part_of,
    further_paths=tower_links,
    target_names=_target_names,
    text_hint=text_hint,
)
