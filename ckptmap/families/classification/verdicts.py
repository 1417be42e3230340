"""Whether keras.applications computes what slim's network did, and what either takes as an image."""

from __future__ import annotations

from collections.abc import Mapping

from ckptmap.families.classification.models import CLASSIFIERS, Classifier
from ckptmap.families.verdict import Difference, Effect, Kind, Verdict

_AS_SLIM = "ckptmap.tf.classifiers.as_slim(model) is the same model with these layers as slim has them"
_OWN_MODEL = (
    "the checkpoint does not fit the model of keras.applications, only a copy of it with that width; slim makes "
    "Keras' width if finegrain_classification_mode is set, as the published MobileNets V2 below 1 have it"
)
_RESTORES = "it restores this checkpoint"


def classifier_of(target: str) -> Classifier | None:
    """The classifier that a shipped target, or its mapping table, is for; of a table for several, the first."""
    known = (one for one in CLASSIFIERS.values() if target in (one.target, f"classification/{one.table}"))
    return next(known, None)


def verdict(target: str, unknowns: Mapping[str, int] | None = None) -> Verdict | None:
    """The verdict on a shipped target, or on its mapping table; None for those of other families.

    ``unknowns`` are the solved widths: of a last convolution that is narrower than Keras ever makes it.
    """
    model = classifier_of(target)
    if model is None:
        return None
    home, told = f"keras.applications.{model.keras}" if target == model.target else "keras.applications", advice(model)
    last = (unknowns or {}).get(model.last_width, model.last)
    if last < model.last:
        reason = f"the last convolution has {last} channels, in Keras {model.last} or more"
        narrow = Difference("no such width", Effect.BUILD, "all", reason, remains=True)
        return Verdict(Kind.NO_COUNTERPART, (narrow,), home, _OWN_MODEL, unconfigured=True)
    if not model.differs:
        return Verdict(Kind.EQUAL, extractor_type=home, advice=told, unconfigured=True)
    difference = Difference("layers", Effect.VALUES, "logits", model.differs, remains=True)
    return Verdict(Kind.WEIGHTS_ONLY, (difference,), extractor_type=home, advice=told, unconfigured=True)


def preprocessing(model: Classifier) -> str:
    """What the TF1 network takes as an image, and what the Keras model does of it by itself."""
    return f"{model.expects}; {model.feeding}"


def advice(model: Classifier) -> str:
    """What to do beside restoring: the home that computes as slim did, where that is another one, and the images."""
    exact = f"{_AS_SLIM}, and {_RESTORES}" if model.differs else ""
    odd = f"{model.at_odd_sizes}: {_AS_SLIM}" if model.at_odd_sizes else ""
    return "; ".join(filter(None, (exact, odd, f"images: {preprocessing(model)}")))
