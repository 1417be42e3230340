"""What an output means: scores of classes (softmax, sigmoid) or the logits before them, told from the graph behind it.

One side may end in logits and the other in their softmax. Both say the same; what is compared then are the logits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ckptmap.tf.verify.general.pairing import called

if TYPE_CHECKING:
    from ckptmap.tf.verify.general.pairing import Pair, Pairs
    from ckptmap.tf.verify.general.side import Node, Side, Spec

_ACTIVATIONS = ("Softmax", "LogSoftmax", "Sigmoid")
_SHAPING = ("Reshape", "Squeeze", "ExpandDims")
_HANDED_ON = ("Identity", "StopGradient", "PreventGradient", "CheckNumerics", *_SHAPING)


@dataclass(frozen=True, slots=True)
class Meaning:
    """``activation``: the operation that an output is the result of, in lower case; empty where it is none of scores.

    ``logits``: what goes into it, in the shape of the output. ``root``: the node that computed the logits, or what
    stands in their place.
    """

    activation: str
    logits: Spec
    root: str


class Meanings:
    """The meaning of each output of a model."""

    def __init__(self, side: Side) -> None:
        self._nodes = {node.name: node for node in side.nodes}
        self._known = {spec.tensor: self._of(spec) for spec in side.outputs}

    def __call__(self, spec: Spec) -> Meaning:
        """Of an output of the model."""
        return self._known[spec.tensor]

    def activation(self, spec: Spec) -> str:
        """``softmax`` and the like; empty of logits and of whatever else."""
        return self._known[spec.tensor].activation

    def root(self, tensor: str) -> str:
        """The node that computed a tensor, whatever only handed it on or gave it another shape."""
        return list(self._back(tensor))[-1].name if _base(tensor) in self._nodes else tensor

    def _of(self, spec: Spec) -> Meaning:
        path = list(self._back(spec.tensor))
        if not path or path[-1].op not in _ACTIVATIONS:
            return Meaning("", spec, path[-1].name if path else spec.tensor)
        shaped = sum(node.op in _SHAPING for node in path)
        logits = self._before(path[-1].inputs[0], shaped)
        return Meaning(path[-1].op.lower(), replace(spec, tensor=logits), self.root(logits))

    def _back(self, tensor: str) -> Iterator[Node]:
        """From the node of a tensor back, through what changes no value, to the one that made the values."""
        node = self._nodes.get(_base(tensor))
        while node is not None:
            yield node
            node = self._nodes.get(_base(node.inputs[0])) if node.op in _HANDED_ON and node.inputs else None

    def _before(self, tensor: str, shaped: int) -> str:
        """A tensor, before as many changes of its shape: slim flattens logits for the softmax, and shapes that back."""
        for node in self._back(tensor):
            if node.op not in _SHAPING or not shaped:
                return f"{node.name}:0" if ":" not in tensor or _base(tensor) != node.name else tensor
            shaped -= 1
        return tensor


def _base(tensor: str) -> str:
    return tensor.partition(":")[0]


def same_meaning(pairs: Pairs, meanings: tuple[Meanings, Meanings], kept: Collection[str]) -> tuple[Pairs, list[str]]:
    """The pairs, with logits where one side gives scores of them and the other gives logits; what was done, in words.

    ``kept`` are tensors that somebody asked for, which are compared as they are.
    """
    found: Pairs = []
    said: list[str] = []
    for pair in pairs:
        activations = [known.activation(spec) for known, spec in zip(meanings, pair, strict=True)]
        if all(activations) or not any(activations) or any(spec.tensor in kept for spec in pair):
            found.append(pair)
            continue
        old, new = (known(spec).logits for known, spec in zip(meanings, pair, strict=True))
        found.append((old, new))
        end, other = ("old", "new") if activations[0] else ("new", "old")
        name = pair[0 if activations[0] else 1].name
        said.append(
            f"{name} of the {end} model is the {max(activations)} of what the {other} one gives: compared without it"
        )
    return found, said


def asked_for(outputs: Sequence[Spec], names: Sequence[str], pairs: Sequence[Pair], end: int) -> set[str]:
    """The tensors of a side's outputs that somebody named, as outputs or in a pair."""
    told = [*names, *(pair[end] for pair in pairs)]
    return {spec.tensor for spec in outputs if any(called(spec, name) for name in told)}


def implied(lone: Sequence[Spec], compared: Sequence[Spec], known: Meanings) -> set[str]:
    """Of outputs without a partner those that say nothing new: computed from the logits that are compared."""
    roots = {known.root(spec.tensor) for spec in compared}
    return {spec.tensor for spec in lone if known(spec).root in roots}
