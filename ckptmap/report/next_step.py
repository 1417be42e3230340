"""What to do with a checkpoint that was just written: a few lines for this very model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING

from ckptmap.families.detection.roots import CLASSIFICATION, fine_tune_type
from ckptmap.planning.ledger import Form

if TYPE_CHECKING:
    from ckptmap.report.conversion_document import Document

_MOST_OBJECTS = 4
_NAME = re.compile(r"[^\W\d_]\w*")
"""What a checkpoint's object can be called, where the root is no Keras model whose layers are counted."""
_LAYERS = re.compile(r"layer_with_weights-\d+|layers?|variables|_\w+")

_BESIDE = "train with the pipeline.config beside it, which has these lines:"
_NOT_COMPILED = "  # your_model is not compiled yet: no state of an optimizer was written"


def next_lines(report: Document) -> Iterator[str]:
    """The lines, the first of which says what they are; none where nothing was written."""
    output = report["output"]
    if output is None:
        return
    path = json.dumps(output["checkpoint"], ensure_ascii=False)
    if report["target"].get("form") == Form.NAMES.value:
        yield f"tf.compat.v1.train.Saver().restore(session, {path})"
    elif output["checkpoint"].endswith(".h5"):
        yield f"model.load_weights({path})"
        yield from _unnamed(report)
    elif output["checkpoint"].endswith(".safetensors"):
        yield f"safetensors.numpy.load_file({path})"
        yield from _unnamed(report)
    else:
        yield from _of_checkpoint(report, path)


def _unnamed(report: Document) -> Iterator[str]:
    """A migrated config trains from checkpoints only."""
    if report["config"]:
        yield "the pipeline.config does not name this file: the Object Detection API restores checkpoints only"


def _of_checkpoint(report: Document, path: str) -> Iterator[str]:
    root = report["target"]["root"]
    kind = fine_tune_type(root, (one["key"] for one in report["target_variables"]))
    if kind is None:
        yield from _of_own_model(report, path)
        return
    yield _place(report, root)
    yield f"  fine_tune_checkpoint: {path}"
    yield f'  fine_tune_checkpoint_type: "{kind}"'
    yield "  fine_tune_checkpoint_version: V2"
    yield from _exact(report)


def _place(report: Document, root: str) -> str:
    """Where the lines of the config belong; a config that was migrated has them."""
    if report["config"] and (optimizer := report.get("optimizer")):
        copied = f"copy checkpoint and {_files(report)} into a new model_dir"
        return f"to go on at step {optimizer['step']}, {copied}; {_BESIDE}"
    if report["config"]:
        return _BESIDE
    if root == CLASSIFICATION:
        return "the backbone goes into a detector: lines for train_config of its TF2 pipeline.config:"
    return "lines for train_config of the TF2 pipeline.config:"


def _files(report: Document) -> str:
    """The files of the checkpoint, without their folder."""
    return f"{PurePath(report['output']['checkpoint']).name}.*"


def _exact(report: Document) -> Iterator[str]:
    """The extractor that computes as TF1 did is known to the API's programs where ckptmap starts them."""
    if report["config"] and "exact" in str((report["verdict"] or {}).get("kind", "")):
        yield "and start the API's programs so: python -m ckptmap.tf.launch model_main_tf2 …"


def _of_own_model(report: Document, path: str) -> Iterator[str]:
    """Lines of Python: of a model that a family can make, making it is the first."""
    made = _made(report)
    if made:
        root = report["target"]["root"]
        arguments = ", ".join((f"{root}=model", *_beside(report, root)))
        yield f"model = {made}"
        yield f"tf.train.Checkpoint({arguments}).restore({path}).assert_consumed()"
        yield from (f'model.get_layer("{name}").finalize_state()' for name in _normalizations(report))
    else:
        yield f"checkpoint = tf.train.Checkpoint({', '.join(_objects(report))}){_when(report)}"
        yield f"checkpoint.restore({path}).assert_consumed()"


def _normalizations(report: Document) -> list[str]:
    """The layers Normalization of Keras: they compute with a copy of their statistics, which no restore renews."""
    names = {str(one.get("name")) for one in report["target_variables"]}
    layers = [name.removesuffix("/count") for name in sorted(names) if name.endswith("/count")]
    return [layer.rpartition("/")[2] for layer in layers if {f"{layer}/mean", f"{layer}/variance"} <= names]


def _when(report: Document) -> str:
    """A compiled model has an optimizer, whose variables assert_consumed would look for in vain."""
    root = report["target"]["root"]
    whole = _objects(report) == ["your_model"]
    compiled = ("" if whole else root) in report["target"].get("optimized", ())
    return _NOT_COMPILED if compiled and (root or whole) else ""


def _made(report: Document) -> str:
    """The Python expression of the target's model; empty where none is known."""
    if report["verdict"] is None:
        return ""
    from ckptmap.families.registry import expression_of

    target = report["target"]
    return expression_of(target["name"], target["settings"], target["dimensions"])


def _objects(report: Document) -> list[str]:
    """The arguments of tf.train.Checkpoint: the objects at the root, by the names that the checkpoint gives them."""
    root = report["target"]["root"]
    if _LAYERS.fullmatch(root):
        return ["your_model"]  # saved as the root itself: what stands there are the parts of a Keras model
    if root:
        model = f"{root}=your_model" if _NAME.fullmatch(root) else f"**{{{json.dumps(root)}: your_model}}"
        return [model, *_beside(report, root)]
    names = _roots(report)
    if any(_LAYERS.fullmatch(name) or not _NAME.fullmatch(name) for name in names):
        return ["your_model"]
    shown = [f"{name}=your_{name}" for name in names[:_MOST_OBJECTS]]
    return [*shown, "…"] if len(names) > _MOST_OBJECTS else shown


def _beside(report: Document, root: str) -> list[str]:
    """What stands beside the model: the step, the optimizer."""
    made = {"step": "tf.Variable(0, dtype=tf.int64)"}
    others = (name for name in _roots(report) if name != root and _NAME.fullmatch(name))
    return [f"{name}={made.get(name, f'your_{name}')}" for name in others]


def _roots(report: Document) -> list[str]:
    """The names of the objects at the root, in the order of the report."""
    return list(dict.fromkeys(one["key"].partition("/")[0] for one in report["target_variables"]))
