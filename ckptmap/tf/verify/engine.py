"""The comparison itself: both models opened, run on the same images, looked into where they differ."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CheckpointError, CkptmapError
from ckptmap.families.detection.pipeline.config import read_config
from ckptmap.tf.environment import as_written, check_installed, same_kernels, tensorflow_alone
from ckptmap.tf.verify.causes import Case, find_causes
from ckptmap.tf.verify.images import RANDOM_IMAGES, find_images, random_images
from ckptmap.tf.verify.measuring import measure, together
from ckptmap.tf.verify.sources import find_new, find_old
from ckptmap.tf.verify.tf1_side import tf1_side
from ckptmap.tf.verify.tf2_side import open_new
from ckptmap.tf.verify.values import compare_values
from ckptmap.tf.verify.verification import Seen, Verification
from ckptmap.tf.verify.walking import Names, first_difference, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ckptmap.tf.outputs import Outputs
    from ckptmap.tf.verify.images import Image
    from ckptmap.tf.verify.sources import New, Old, Weights
    from ckptmap.tf.verify.tf1_side import Tf1Side
    from ckptmap.tf.verify.tf2_side import NewModel
    from ckptmap.tf.verify.values import Values
    from ckptmap.tf.verify.walking import Part

    Say = Callable[[str], None]


def verify(
    old: Path | str,
    new: Path | str,
    *,
    images: Path | str | None = None,
    limit: int | None = None,
    seed: int = 0,
    pipeline: Path | str | None = None,
    weights: Weights = "averages",
    say: Say = lambda _: None,
) -> Verification:
    """Run the TF1 model ``old`` and the TF2 model ``new`` on the same images and compare what they give.

    Args:
        old: directory or file of a TF1 export (frozen graph, SavedModel, ``.meta`` with checkpoint), or a TF1
            checkpoint with its pipeline.config.
        new: directory with a TF2 checkpoint and its pipeline.config, or of a TF2 SavedModel.
        images: directory of images, or one; None: seeded random ones of the model's size.
        limit: at most so many images.
        seed: of the random images.
        pipeline: the TF1 pipeline.config where it does not lie beside the old checkpoint.
        weights: what a TF1 checkpoint with moving averages is run with, these or the raw values.
        say: called with what is going on.

    Raises CkptmapError where a side cannot be run: TensorFlowError where TensorFlow or the API is missing.
    """
    check_installed()
    same_kernels()
    before, after = find_old(old, pipeline, weights), find_new(new)
    shown = (
        find_images(images, limit)
        if images is not None
        else random_images(limit or RANDOM_IMAGES, _size(before, after), seed)
    )
    say("comparing the values of both checkpoints")
    values = compare_values(before, after)
    say("importing TensorFlow, for both sides")
    with tf1_side(before) as tf1, as_written(_quiet_tensorflow()):
        say("building the TF2 model")
        model = open_new(after)
        say("building the TF1 graph")
        tf1.ready()
        return _Run(before, after, values, tf1, model, say).verification(shown)


class _Run:
    """Both models, ready to run."""

    def __init__(self, old: Old, new: New, values: Values, tf1: Tf1Side, model: NewModel, say: Say) -> None:
        self._old, self._new, self._values = old, new, values
        self._tf1, self._model, self._say = tf1, model, say

    def verification(self, images: Iterable[Image]) -> Verification:
        """Run all images; where the models differ, look for where and why on the worst one."""
        seen = sorted(self._all(tuple(images)), key=lambda one: one.finding.badness, reverse=True)
        whole = Verification(self._old, self._new, tuple(seen), together(one.finding for one in seen), self._values)
        return whole if whole.agree else self._explained(whole)

    def _all(self, images: tuple[Image, ...]) -> Iterable[Seen]:
        for number, image in enumerate(images, 1):
            self._say(f"running image {number} of {len(images)}: {image.name}")
            pixels = image.pixels()
            finding = measure(self._tf1.run(pixels), self._model.run(pixels))
            if not finding.measures:
                raise CheckpointError("both models give no output in common", where=self._old.path)
            yield Seen(image, (pixels.shape[1], pixels.shape[2]), finding)

    def _explained(self, whole: Verification) -> Verification:
        worst = next(one for one in whole.images if not one.finding.agrees).image
        parts = () if whole.raw_agree else self._walk(worst)  # the layers' rounding may be more than the outputs'
        first = first_difference(parts)
        pixels = worst.pixels()
        wanted: Outputs = self._tf1.run(pixels)
        case = Case(
            old=self._old,
            new=self._new,
            values=self._values,
            first=first,
            matches=whole.matches(0.0),
            clips_first=self._tf1.clips_first(),
            raw_agrees=whole.raw_agree,
            model=self._model,
            rerun=lambda model, reverse: model.run(pixels, reverse_channels=reverse),
            agrees=lambda ran: measure(wanted, ran).agrees,
            say=self._say,
        )
        causes = find_causes(case)
        return Verification(whole.old, whole.new, whole.images, whole.measures, whole.values, parts, first, causes)

    def _walk(self, image: Image) -> tuple[Part, ...]:
        keys = self._values.keys
        if not keys:
            return ()
        self._say("looking for the first part that differs")
        pixels = image.pixels()
        new = self._model.parts(pixels, frozenset(keys.values()))
        if not new:
            return ()
        old = self._tf1.parts(pixels, frozenset(keys))
        return walk(old, new, Names(keys, self._values.parts, _lowest_level(self._new.config)))


def _quiet_tensorflow() -> Any:
    """TensorFlow, without its advice to those who wrote the API."""
    tensorflow = tensorflow_alone()
    tensorflow.get_logger().setLevel("ERROR")
    return tensorflow


def _size(old: Old, new: New) -> tuple[int, int] | None:
    """Height and width that the model resizes images to, where a config says them."""
    config = old.config or new.config
    if not config:
        return None
    resizer = read_config(config).image_resizer
    height, width = resizer.height or resizer.min_dimension, resizer.width or resizer.min_dimension
    return (height, width) if height and width else None


def _lowest_level(config: str) -> int:
    """The level of a feature pyramid's finest map; 0 for a model without one."""
    try:
        extractor = read_config(config).extractor
        return extractor.child("fpn").integer("min_level") if "_fpn" in extractor.text("type") else 0
    except (CkptmapError, KeyError):
        return 0
