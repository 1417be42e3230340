"""Build each Keras backbone once in a process: most of a live model's build goes into it, and most builds share it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ckptmap.tf.environment import import_quietly, tf2
from ckptmap.tf.exact import register

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_KEPT = 16
_MODELS = "object_detection.models"
_BACKBONES = ("mobilenet_v1", "mobilenet_v2")
_EXTRACTORS = (
    ("faster_rcnn_resnet_keras_feature_extractor", "FasterRCNNResnetKerasFeatureExtractor"),
    (
        "faster_rcnn_inception_resnet_v2_keras_feature_extractor",
        "FasterRCNNInceptionResnetV2KerasFeatureExtractor",
    ),
)
_STAGES = ("get_proposal_feature_extractor_model", "get_box_classifier_feature_extractor_model")


@contextlib.contextmanager
def backbones_reused() -> Iterator[None]:
    """Inside, the Object Detection API gets the same Keras model whenever it asks for an equal backbone.

    Only for models that are looked at one after another: they share the backbone's variables. A backbone that takes
    the hyperparameters of the configuration (``override_base_feature_extractor_hyperparams``) is built each time.
    """
    tf2()
    register()
    from ckptmap.tf.exact import shim, ssd

    with contextlib.ExitStack() as undo:
        for name in _BACKBONES:
            _replace(import_quietly(f"{_MODELS}.keras_models.{name}"), name, kept, undo)
        _replace(ssd, "slim_resnet_v1", kept, undo)
        for module, name in _EXTRACTORS:
            for stage in _STAGES:
                _replace(getattr(import_quietly(f"{_MODELS}.{module}"), name), stage, _kept_stage, undo)
        _replace(shim.SlimFasterRcnn, "_stage", _kept_slim_stage, undo)
        undo.callback(shim.EXTRACTORS_SSD.update, dict(shim.EXTRACTORS_SSD))
        shim.EXTRACTORS_SSD.update({name: _kept_slim(make) for name, make in shim.EXTRACTORS_SSD.items()})
        yield


def _replace(owner: Any, name: str, by: Callable[[Callable[..., Any]], Any], undo: contextlib.ExitStack) -> None:
    stock = getattr(owner, name)
    setattr(owner, name, by(stock))
    undo.callback(setattr, owner, name, stock)


def kept(make: Callable[..., Any]) -> Callable[..., Any]:
    """``make``, called once for equal arguments; the first of more than ``MOST_KEPT`` results are let go."""
    results: dict[str, Any] = {}

    def once(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("conv_hyperparams") is not None:
            return make(*args, **kwargs)
        name = repr((args, sorted(kwargs.items())))
        if name not in results:
            while len(results) >= MOST_KEPT:
                results.pop(next(iter(results)))
            results[name] = make(*args, **kwargs)
        return results[name]

    return once


def _kept_slim(make: Callable[..., Any]) -> Callable[..., Any]:
    """``make``, which makes slim's extractor of an SSD, called once for equal settings and hyperparameters."""
    results: dict[str, Any] = {}

    def once(conv_hyperparams: Any, **settings: Any) -> Any:
        name = repr((str(conv_hyperparams.proto), sorted(settings.items())))
        if name not in results:
            results[name] = make(conv_hyperparams=conv_hyperparams, **settings)
        return results[name]

    return once


def _kept_slim_stage(make: Callable[..., Any]) -> Callable[..., Any]:
    """The method that makes a stage of slim's extractor of a Faster R-CNN, called once for each extractor and stage."""
    results: dict[tuple[str, str], Any] = {}

    def once(self: Any, run: Callable[[Any], Any], name: str) -> Any:
        key = (self._entry, name)
        if key not in results:
            results[key] = make(self, run, name)
        return results[key]

    return once


def _kept_stage(make: Callable[..., Any]) -> Callable[..., Any]:
    """A method that makes one stage of a Faster R-CNN from the extractor's ``classification_backbone``, both kept."""
    results: dict[tuple[Any, ...], tuple[Any, Any]] = {}

    def once(self: Any, name: str | None = None) -> Any:
        plain = sorted((one, value) for one, value in vars(self).items() if isinstance(value, (bool, int, float, str)))
        key = (type(self), name, *plain)
        if key not in results:
            model = make(self, name)
            results[key] = (model, self.classification_backbone)
        model, self.classification_backbone = results[key]
        return model

    return once
