"""Both models opened, and the doubtful pairs of a draft settled by what they give."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.text import plural
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.suggest.checking import EITHER, Checked
from ckptmap.tf.checking.search import Search
from ckptmap.tf.checking.trial import MOST_RUNS, Sides, Trials
from ckptmap.tf.checking.values import Candidate, Values
from ckptmap.tf.verify.general.feeding import make_feeds, said
from ckptmap.tf.verify.general.pairing import check_pairs, paired, parse_pairs
from ckptmap.tf.verify.general.requests import Made, parse_inputs
from ckptmap.tf.verify.general.serving import served
from ckptmap.tf.verify.general.source import find_source

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    from ckptmap.checkpoint.reader import Checkpoint
    from ckptmap.suggest.checking import Check
    from ckptmap.suggest.layer_values import Layer, Matched
    from ckptmap.tf.checking.search import State
    from ckptmap.tf.verify.general.side import Running

    Say = Callable[[str], None]

_SHOWN = 5


def by_outputs(
    *,
    old_model: str = "",
    new_model: str = "",
    model: str | os.PathLike[str] | None = None,
    keras: int | None = None,
    inputs: Sequence[str] = (),
    pairs: Sequence[str] = (),
    old_outputs: Sequence[str] = (),
    new_outputs: Sequence[str] = (),
    seed: int = 0,
    say: Say = lambda _: None,
) -> Check:
    """What ``suggest`` takes as ``check``: both models are run as ``verify_models`` runs them.

    ``model`` is a file of the new model that can be run as it is (``model.keras``, a SavedModel); without one the
    template itself is run, with ``new_model`` where it is a checkpoint. The other arguments are ``verify_models``'s.
    """

    def check(old: str, new: str, matched: Matched) -> Checked:
        requests, together = parse_inputs(inputs), parse_pairs(pairs)
        made = tuple((one.name, one.dtype, one.shape) for one in requests if isinstance(one, Made))
        before = replace(find_source(old, "old", old_model, keras), outputs=tuple(old_outputs), inputs=made)
        path = str(model) if model is not None and not new_model else new
        after = replace(find_source(path, "new", new_model, keras), outputs=tuple(new_outputs), inputs=made)
        with ExitStack() as stack:
            sides = [stack.enter_context(served(source)) for source in (before, after)]
            for source, side in zip((before, after), sides, strict=True):
                say(f"opening the {source.end} model: {source.said}")
                side.open()
            checkpoint = stack.enter_context(open_checkpoint(old))
            found = sides[0].side, sides[1].side
            check_pairs(together, [*found[0].inputs, *found[0].outputs], [*found[1].inputs, *found[1].outputs])
            outputs = paired(found[0].outputs, found[1].outputs, together)
            if not outputs:
                raise _no_output(sides)
            feeds = make_feeds(found, requests, together, seed)
            both = Sides(matched.old, matched.new, (sides[0], sides[1]), feeds, outputs)
            say("running the candidates")
            return checked(matched, both, checkpoint)

    return check


def _no_output(sides: Sequence[Running]) -> CkptmapError:
    old, new = (", ".join(said(spec) for spec in side.side.outputs) or "nothing" for side in sides)
    return CkptmapError(f"the models have no output in common: the old one gives {old}; the new one {new}")


def checked(matched: Matched, sides: Sides, checkpoint: Checkpoint, runs: int = MOST_RUNS) -> Checked:
    """What at most ``runs`` runs of the new model say of a draft. Raises CkptmapError where a side cannot be run."""
    values = Values(checkpoint)
    values.learn([Candidate(matched.old[pair.old], matched.new[pair.new]) for pair in matched.pairs])
    trials = Trials(sides, values, runs)
    search = Search(matched, trials)
    state = search.found()
    partners = {old: new for new, old in state.owner.items()}
    if not state.agrees:
        return Checked(partners, {}, frozenset(), tuple(_parted(matched, state, trials, runs)), {})
    proofs, undecided, untried = search.proofs(state)
    idle = frozenset({*trials.idle_new(), *_idle_old(matched, trials)})
    told = tuple(_agreed(matched, proofs, undecided, untried, runs - trials.left))
    return Checked(partners, proofs, idle, told, dict(trials.kinds), dict(trials.orders))


def _idle_old(matched: Matched, trials: Trials) -> set[str]:
    names = {name for layer in matched.old for name in layer.variables}
    return names - trials.old_names


def _agreed(
    matched: Matched, proofs: dict[int, tuple[int, str]], undecided: Sequence[int], untried: int, runs: int
) -> Iterator[str]:
    yield f"Both models were run ({plural(runs, 'run')}): with this table their outputs agree."
    either = [matched.old[one] for one, (_, why) in proofs.items() if why == EITHER]
    if either:
        yield f"  Equal either way: {_listed(either)}: what could stand there as well gives the same outputs."
    if undecided:
        yield f"  Not decided: {_listed([matched.new[at] for at in undecided])}: no output depends on the values."
    if untried:
        yield f"  Not tried one by one: {plural(untried, 'doubtful layer')}; the runs were used up."


def _parted(matched: Matched, state: State, trials: Trials, runs: int) -> Iterator[str]:
    tried = runs - trials.left
    yield f"Both models were run ({plural(tried, 'run')}): no table that was tried makes their outputs agree."
    good = sum(same for _, same in state.matching)
    first = next((matched.new[at].scope for at, same in state.matching if not same), "")
    if first:
        yield f"  {good} of {len(state.matching)} layers take the same values; {first} is the first that does not."
    elif state.matching:
        yield "  All layers take the same values, so that they differ behind the last of them."
    yield "  `ckptmap verify` of a conversion says where they first differ, and why."


def _listed(layers: Sequence[Layer]) -> str:
    more = f" and {len(layers) - _SHOWN} more" if len(layers) > _SHOWN else ""
    return ", ".join(layer.scope for layer in layers[:_SHOWN]) + more
