"""Where a pipeline.config is looked for; apart from all that understands one, which takes time to import."""

from __future__ import annotations

import re
from pathlib import Path

from ckptmap.basics.errors import ConfigError
from ckptmap.basics.wording import argument
from ckptmap.families.detection.arguments import PIPELINE

CONFIG_NAME = "pipeline.config"
"""What the file is called beside a checkpoint."""
_LEVELS_UP = 3
"""An export keeps its config above ``checkpoint/`` and ``saved_model/variables/``."""
_INNER = ("checkpoint", "variables", "saved_model")
_CONFIG = re.compile(
    r"^\s*(model|train_config|train_input_reader|eval_config|eval_input_reader)\s*:?\s*[{<]", re.MULTILINE
)
_LABEL_MAP = re.compile(r"^\s*item\s*:?\s*[{<]", re.MULTILINE)


def text_hint(text: str) -> str:
    """What to do with a config or a label map, of which this is the beginning, that was given as a checkpoint."""
    if _CONFIG.search(text):
        return f"it looks like a {CONFIG_NAME}: give its checkpoint here, and the config with {argument(PIPELINE)}"
    if _LABEL_MAP.search(text):
        return f"it looks like a label map: give the checkpoint here, and the label maps with {argument('label_maps')}"
    return ""


def find_config(home: Path) -> Path | None:
    """``pipeline.config`` in the folder ``home`` of a checkpoint or in the export around it; else its only config.

    Raises:
        ConfigError: the folder cannot be read.
    """
    try:
        return _look_up(home)
    except OSError as error:
        raise ConfigError(f"cannot look for a config: {error.strerror or error}", where=str(home)) from error


def _look_up(home: Path) -> Path | None:
    folder = home
    for _ in range(_LEVELS_UP):
        if (folder / CONFIG_NAME).is_file():
            return folder / CONFIG_NAME
        if folder.name not in _INNER:
            break
        folder = folder.parent
    configs = [path for path in home.glob("*.config") if path.is_file()] if home.is_dir() else []
    return configs[0] if len(configs) == 1 else None
