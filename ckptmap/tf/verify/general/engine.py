"""Any two models: opened, fed the same, their outputs compared."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.tf.verify.general.arguments import PAIRS
from ckptmap.tf.verify.general.beside import conversion_beside
from ckptmap.tf.verify.general.comparing import measured
from ckptmap.tf.verify.general.feeding import make_feeds, said
from ckptmap.tf.verify.general.model import ModelVerification
from ckptmap.tf.verify.general.pairing import check_pairs, paired, parse_pairs
from ckptmap.tf.verify.general.requests import Made, parse_inputs
from ckptmap.tf.verify.general.serving import served
from ckptmap.tf.verify.general.source import Kind, find_source
from ckptmap.tf.verify.general.statistics import small_variances as _small_variances
from ckptmap.tf.verify.images import find_images
from ckptmap.tf.verify.layers import explain, known_values, match_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np

    from ckptmap.checkpoint.reader import Checkpoint
    from ckptmap.tf.verify.general.comparing import Measure
    from ckptmap.tf.verify.general.feeding import Feeds
    from ckptmap.tf.verify.general.pairing import Pair, Pairs
    from ckptmap.tf.verify.general.requests import Request
    from ckptmap.tf.verify.general.side import Running
    from ckptmap.tf.verify.general.source import Source

    Array = np.ndarray[Any, Any]
    Say = Callable[[str], None]
    Feed = Mapping[str, Array]

SMALL_VARIANCES = "small variances"


def verify_models(
    old: Path | str,
    new: Path | str,
    *,
    old_model: str = "",
    new_model: str = "",
    keras: int | None = None,
    inputs: Sequence[str] = (),
    images: Path | str | None = None,
    limit: int | None = None,
    pairs: Sequence[str] = (),
    old_outputs: Sequence[str] = (),
    new_outputs: Sequence[str] = (),
    seed: int = 0,
    small_variances: bool = False,
    say: Say = lambda _: None,
) -> ModelVerification:
    """Run any two models on the same values and compare what they give.

    Args:
        old: a TF1 checkpoint with its ``.meta``, a frozen graph, a SavedModel, or a TF1 checkpoint with ``old_model``.
        new: a SavedModel, a file of Keras, or a TF2 checkpoint with ``new_model``.
        old_model: ``module:function``; the function builds the TF1 graph and may return its outputs. It is run.
        new_model: ``module:function``; the function returns a model of Keras or a ``tf.Module``. It is run.
        keras: 2 or 3, what ``tf.keras`` is for ``new``; None: as its file or its checkpoint says.
        inputs: ``NAME=DTYPE[SHAPE]`` with ``<BOUND``, ``NAME=VALUE``, ``NAME=FILE.npy``, ``FILE.npz``; what is not
            asked for is made up.
        images: a directory of images, or one, for the input that takes images: RGB, 0 to 255, in its size.
        limit: at most so many images.
        pairs: ``OLD=NEW``, inputs or outputs that belong together.
        old_outputs, new_outputs: tensors to compare in place of those that the graph gives.
        seed: of what is made up.
        small_variances: run both a second time with the batch norms' variances a ten-thousandth.
        say: called with what is going on.

    Raises CkptmapError where a side cannot be run or nothing can be compared.
    """
    requests, together = parse_inputs(inputs), parse_pairs(pairs)
    made = tuple((one.name, one.dtype, one.shape) for one in requests if isinstance(one, Made))
    before = replace(find_source(old, "old", old_model, keras), outputs=tuple(old_outputs), inputs=made)
    after = replace(find_source(new, "new", new_model, keras), outputs=tuple(new_outputs), inputs=made)
    shown = [image.pixels() for image in find_images(images, limit)] if images is not None else []
    with ExitStack() as stack:
        sides = [stack.enter_context(served(source)) for source in (before, after)]
        for source, side in zip((before, after), sides, strict=True):
            say(f"opening the {source.end} model: {source.said}")
            side.open()
        asked = Asked(requests, together, seed, shown, small_variances)
        return compare_models((before, after), (sides[0], sides[1]), asked, say)


@dataclass(frozen=True, slots=True)
class Asked:
    """What both sides are run on, and how often: see ``verify_models``."""

    requests: Sequence[Request] = ()
    pairs: Sequence[Pair] = ()
    seed: int = 0
    images: Sequence[Array] = ()
    small_variances: bool = False


def compare_models(
    sources: tuple[Source, Source], sides: tuple[Running, Running], asked: Asked, say: Say = lambda _: None
) -> ModelVerification:
    """Feed both sides the same, and compare what they give. Raises CkptmapError where nothing can be compared."""
    run = _Run(sources, sides, asked.pairs, say)
    feeds = make_feeds((sides[0].side, sides[1].side), asked.requests, asked.pairs, asked.seed, asked.images)
    return run.verification(feeds, asked.seed, small_variances=asked.small_variances)


class _Run:
    """Both models, ready to run."""

    def __init__(
        self, sources: tuple[Source, Source], sides: tuple[Running, Running], pairs: Sequence[Pair], say: Say
    ) -> None:
        self._sources, self._sides, self._say = sources, sides, say
        ends = [[*one.side.inputs, *one.side.outputs] for one in sides]
        check_pairs(pairs, ends[0], ends[1])
        self._outputs: Pairs = paired(sides[0].side.outputs, sides[1].side.outputs, pairs)
        if not self._outputs:
            raise _nothing_in_common(sides)

    def verification(self, feeds: Feeds, seed: int, *, small_variances: bool) -> ModelVerification:
        """Run both, and again with small variances where that is asked for."""
        measures = self._measured(feeds)
        more: tuple[Feed, Feed] = ({}, {})
        if small_variances:
            self._say("running both with small variances")
            old, new = self._sides
            more = _small_variances(old, new), _small_variances(new, old)
            measures += self._measured(feeds, more, SMALL_VARIANCES)
        taken = [{pair[end].tensor for pair in self._outputs} for end in (0, 1)]
        lone = [
            tuple(spec for spec in side.side.outputs if spec.tensor not in names)
            for side, names in zip(self._sides, taken, strict=True)
        ]
        sides = self._sides[0].side, self._sides[1].side
        found = ModelVerification(self._sources, sides, feeds, seed, tuple(measures), lone[0], lone[1])
        return found if found.agree else self._explained(found, more)

    def _explained(self, found: ModelVerification, more: tuple[Feed, Feed]) -> ModelVerification:
        """Where and why they differ, in the run in which they do."""
        usual = any(not one.within for one in found.measures if not one.run)
        feeds = [{**found.feeds.of(end), **({} if usual else more[end])} for end in (0, 1)]
        outputs = [(old.tensor, new.tensor) for old, new in self._outputs]
        old, new = self._sides
        self._say("pairing the variables of both models")
        try:
            report, place = conversion_beside(found.sources[1].path) or (None, "")
            pairs = match_variables(old, new, report).pairs
            with _stored(found.sources[0]) as checkpoint:
                known = known_values(old, new, report, checkpoint, place)
                explanation = explain(old, new, pairs, (feeds[0], feeds[1]), outputs, known=known, say=self._say)
        except CkptmapError as error:
            return replace(found, unexplained=error.problem.message)
        return replace(found, explanation=explanation)

    def _measured(self, feeds: Feeds, more: tuple[Feed, Feed] = ({}, {}), run: str = "") -> list[Measure]:
        found = []
        for end, (name, side) in enumerate(zip(("old", "new"), self._sides, strict=True)):
            self._say(f"running the {name} model")
            tensors = [pair[end].tensor for pair in self._outputs]
            ran = side.run({**feeds.of(end), **more[end]}, tensors)
            found.append([ran[tensor] for tensor in tensors])
        return [
            measured(pair, (left, right), run)
            for pair, left, right in zip(self._outputs, found[0], found[1], strict=True)
        ]


def _stored(source: Source) -> AbstractContextManager[Checkpoint | None]:
    """The old checkpoint, which holds moving averages that the graph does not read; None where there is none."""
    return open_checkpoint(source.path) if source.kind in (Kind.META, Kind.GRAPH_CODE) else nullcontext()


def _nothing_in_common(sides: Sequence[Running]) -> CkptmapError:
    old, new = (", ".join(said(spec) for spec in side.side.outputs) or "nothing" for side in sides)
    message = f"the models have no output in common: the old one gives {old}; the new one {new}"
    return CkptmapError(message, hint=f"say what belongs together: {argument(PAIRS, 'OLD=NEW')}")
