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
from ckptmap.tf.verify.general.comparing import joined, measured
from ckptmap.tf.verify.general.feeding import batches, make_feeds, said
from ckptmap.tf.verify.general.meaning import Meanings, asked_for, implied, same_meaning
from ckptmap.tf.verify.general.model_verification import ModelVerification
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
    from ckptmap.tf.verify.general.side import Running, Spec
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
    both = sides[0].side, sides[1].side
    feeds = [
        make_feeds(both, asked.requests, asked.pairs, asked.seed, images) for images in batches(both, asked.images)
    ]
    return run.verification(feeds, asked.seed, small_variances=asked.small_variances)


class _Run:
    """Both models, ready to run."""

    def __init__(
        self, sources: tuple[Source, Source], sides: tuple[Running, Running], pairs: Sequence[Pair], say: Say
    ) -> None:
        self._sources, self._sides, self._say = sources, sides, say
        ends = [[*one.side.inputs, *one.side.outputs] for one in sides]
        check_pairs(pairs, ends[0], ends[1])
        self._meanings = Meanings(sides[0].side), Meanings(sides[1].side)
        kinds = self._meanings[0].activation, self._meanings[1].activation
        self._given: Pairs = paired(sides[0].side.outputs, sides[1].side.outputs, pairs, kinds)
        if not self._given:
            raise _nothing_in_common(sides)
        asked = [
            asked_for(side.side.outputs, source.outputs, pairs, end)
            for end, (side, source) in enumerate(zip(sides, sources, strict=True))
        ]
        self._outputs, self._logits = same_meaning(self._given, self._meanings, asked[0] | asked[1])

    def verification(self, batches: Sequence[Feeds], seed: int, *, small_variances: bool) -> ModelVerification:
        """Run both on each batch, and again with small variances where that is asked for."""
        measures, feeds = self._measured(batches)
        more: tuple[Feed, Feed] = ({}, {})
        if small_variances:
            self._say("running both with small variances")
            old, new = self._sides
            more = _small_variances(old, new), _small_variances(new, old)
            others, worst = self._measured(batches, more, SMALL_VARIANCES)
            feeds = feeds if any(not one.within for one in measures) else worst
            measures += others
        lone = [self._without_partner(end) for end in (0, 1)]
        feeds = replace(feeds, settings=(*feeds.settings, *self._logits))
        sides = self._sides[0].side, self._sides[1].side
        found = ModelVerification(self._sources, sides, feeds, seed, tuple(measures), lone[0], lone[1])
        return found if found.agree else self._explained(found, more)

    def _without_partner(self, end: int) -> tuple[Spec, ...]:
        """The outputs of a side that nothing is said of: neither compared, nor scores of what is."""
        taken = {pair[end].tensor for pair in self._given}
        lone = [spec for spec in self._sides[end].side.outputs if spec.tensor not in taken]
        said = implied(lone, [pair[end] for pair in self._outputs], self._meanings[end])
        return tuple(spec for spec in lone if spec.tensor not in said)

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

    def _measured(
        self, batches: Sequence[Feeds], more: tuple[Feed, Feed] = ({}, {}), run: str = ""
    ) -> tuple[list[Measure], Feeds]:
        """How far the outputs of all batches are apart, and the batch in which they are so most."""
        ran = [
            self._ran(feeds, more, f", batch {at} of {len(batches)}" if len(batches) > 1 else "")
            for at, feeds in enumerate(batches, 1)
        ]
        apart = [max(one.relative for one in self._compared([values], run)) for values in ran]
        return self._compared(ran, run), batches[apart.index(max(apart))]

    def _compared(self, ran: Sequence[tuple[list[Array], list[Array]]], run: str) -> list[Measure]:
        """Each output, the batches one behind the other."""
        return [
            measured(pair, (joined([old[at] for old, _ in ran]), joined([new[at] for _, new in ran])), run)
            for at, pair in enumerate(self._outputs)
        ]

    def _ran(self, feeds: Feeds, more: tuple[Feed, Feed], said: str) -> tuple[list[Array], list[Array]]:
        """The outputs of both sides."""
        found = []
        for end, (name, side) in enumerate(zip(("old", "new"), self._sides, strict=True)):
            self._say(f"running the {name} model{said}")
            tensors = [pair[end].tensor for pair in self._outputs]
            ran = side.run({**feeds.of(end), **more[end]}, tensors)
            found.append([ran[tensor] for tensor in tensors])
        return found[0], found[1]


def _stored(source: Source) -> AbstractContextManager[Checkpoint | None]:
    """The old checkpoint, which holds moving averages that the graph does not read; None where there is none."""
    return open_checkpoint(source.path) if source.kind in (Kind.META, Kind.GRAPH_CODE) else nullcontext()


def _nothing_in_common(sides: Sequence[Running]) -> CkptmapError:
    old, new = (", ".join(said(spec) for spec in side.side.outputs) or "nothing" for side in sides)
    message = f"the models have no output in common: the old one gives {old}; the new one {new}"
    return CkptmapError(message, hint=f"say what belongs together: {argument(PAIRS, 'OLD=NEW')}")
