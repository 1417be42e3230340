"""What a detection model gives for one image, as plain arrays: the form in which TF1 and TF2 are compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Outputs = dict[str, np.ndarray[Any, Any]]

# Keys of the prediction dictionary of SSD (box_encodings, class_predictions_with_background) and of Faster and
# Mask R-CNN (the others too), object_detection/meta_architectures. Shapes: SSD [1, anchors, 4] and
# [1, anchors, classes + 1]; R-CNN second stage [proposals, classes, 4] and [proposals, classes + 1].
RAW = (
    "rpn_box_encodings",
    "rpn_objectness_predictions_with_background",
    "num_proposals",
    "proposal_boxes",
    "box_encodings",
    "refined_box_encodings",
    "class_predictions_with_background",
    "mask_predictions",
)
# Every box decoded and every score converted, before non-maximum suppression: what exported models give of the raw
# outputs. Shapes [1, anchors, 4] and [1, anchors, classes + 1]; R-CNN [1, proposals, …].
DECODED = ("raw_detection_boxes", "raw_detection_scores")
# Keys of the post-processed dictionary, object_detection/core/standard_fields.py; boxes normalized, classes from 0.
DETECTIONS = ("detection_boxes", "detection_scores", "detection_classes", "detection_masks", "num_detections")


def collect(predictions: dict[str, Any], detections: dict[str, Any], *, decoded: bool = False) -> dict[str, Any]:
    """The tensors to compare out of a model's ``predict`` and ``postprocess``, those that it has."""
    raw = {name: predictions[name] for name in RAW if name in predictions}
    wanted = (*DECODED, *DETECTIONS) if decoded else DETECTIONS
    return raw | {name: detections[name] for name in wanted if name in detections}


def save(path: Path | str, outputs: Outputs) -> None:
    """Write outputs to an ``.npz`` file."""
    import numpy as np

    Path(path).parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **outputs)  # type: ignore[arg-type]


def load(path: Path | str) -> Outputs:
    """Read outputs that ``save`` wrote."""
    import numpy as np

    with np.load(path) as arrays:
        return dict(arrays)


def random_image(height: int, width: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """An image [1, height, width, 3], float32, whole numbers in 0 to 255: patches and noise, so that anchors differ."""
    import numpy as np

    generator = np.random.default_rng(seed)
    patches = generator.uniform(0, 255, (8, 8, 3))
    rows = np.linspace(0, 7, height).round().astype(int)
    columns = np.linspace(0, 7, width).round().astype(int)
    image = patches[rows][:, columns] + generator.normal(0, 20, (height, width, 3))
    return image.clip(0, 255).round().astype(np.float32)[None]


def random_values(wanted: dict[str, tuple[tuple[int, ...], str]], seed: int = 0) -> dict[str, np.ndarray[Any, Any]]:
    """Arrays of the shapes and dtypes that ``models.side_inputs`` names: normal values, or 2 where integers count."""
    import numpy as np

    generator = np.random.default_rng(seed)
    return {
        name: np.full(shape, 2, dtype) if dtype == "int32" else generator.normal(size=shape).astype(dtype)
        for name, (shape, dtype) in wanted.items()
    }
