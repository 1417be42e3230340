"""Converters of other people, each for one family of models, against ckptmap on the same files.

    python -m benchmarks.converters [--quick] [--only 'bert*'] TABLE.md

Random weights under the names that the authors publish are converted by both. Their values are compared one by one,
bit for bit. Time and memory are those of whole processes, each run once. Model Garden is a part of the extra ``tf``.
The other peers are measured where they can be imported: ``transformers`` below 5 with ``torch``, and
keras.applications' own script ``efficientnet_weight_update_util.py`` (keras-team/keras at v2.8.0) in a folder of
PYTHONPATH.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np

import ckptmap
from benchmarks.measure import Measured, measure
from benchmarks.works import Work
from tests.convert.conftest import write_tf1
from tests.tf.language_reference import Size, albert_shapes, bert_shapes, random_values

Array = np.ndarray[Any, Any]
Values = Mapping[str, Array]
BASE, QUICK = Size(12, 768, 12, 128, 30522, 512), Size(2, 24, 3, 8, 37, 16)
_PEERS = (sys.executable, "-m", "benchmarks.converters.peers")
_LEAF = "/.ATTRIBUTES/VARIABLE_VALUE"
_CKPTMAP = (sys.executable, "-m", "ckptmap", "-q", "convert")


@dataclass(frozen=True, slots=True)
class Case:
    """One converter: ``make`` writes the old checkpoint; ``theirs`` reads what the peer wrote, by the keys of ours.

    ckptmap converts to ``to``, or to the model that the peer's ``template`` saves. ``needs`` is a module.
    """

    name: str
    title: str
    needs: str
    make: Callable[[Path, Size], Path]
    theirs: Callable[[Path, Values, Mapping[str, str]], Values]
    template: str = ""
    to: tuple[str, ...] = ()


def _config(folder: Path, size: Size) -> None:
    known = {
        "vocab_size": size.vocabulary,
        "hidden_size": size.width,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "intermediate_size": size.inner,
        "max_position_embeddings": size.positions,
        "type_vocab_size": size.types,
        "embedding_size": size.words,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
    }
    (folder / "config.json").write_text(json.dumps(known), encoding="utf-8")


def _write_bert(folder: Path, size: Size) -> Path:
    plain = Size(size.layers, size.width, size.heads, size.width, size.vocabulary, size.positions)
    _config(folder, plain)
    return write_tf1(folder / "model.ckpt", random_values(bert_shapes(plain)))


def _write_albert(folder: Path, size: Size) -> Path:
    _config(folder, size)
    return write_tf1(folder / "model.ckpt", random_values(albert_shapes(size)))


def _write_efficientnet(folder: Path, _size: Size) -> Path:
    """In a process of its own: a new process is said to need at least the memory of the one that starts it."""
    subprocess.run([*_PEERS, "efficientnet_old", str(folder / "model.ckpt"), ""], check=True, capture_output=True)
    return folder / "model.ckpt"


def _of_checkpoint(folder: Path) -> Values:
    with ckptmap.open_checkpoint(folder) as checkpoint:
        held = {name.removesuffix(_LEAF): name for name in checkpoint if checkpoint[name].dtype == np.float32}
        return {key: np.asarray(checkpoint[name]) for key, name in held.items()}


def _garden(folder: Path, _ours: Values, _sources: Mapping[str, str]) -> Values:
    return _of_checkpoint(folder)


def _hugging_face(folder: Path, ours: Values, sources: Mapping[str, str]) -> Values:
    """PyTorch's matrices lie transposed, those of Keras are cut by heads."""
    with np.load(folder / "values.npz") as found:
        return {key: _as_tf(name, found[_in_pytorch(name)]).reshape(ours[key].shape) for key, name in sources.items()}


def _in_pytorch(name: str) -> str:
    """``bert/encoder/layer_0/output/dense/kernel`` is ``encoder.layer.0.output.dense.weight``."""
    parts = name.removeprefix("bert/").replace("layer_", "layer/").split("/")
    last = {"kernel": ["weight"], "gamma": ["weight"], "beta": ["bias"], "bias": ["bias"]}
    return ".".join([*parts[:-1], *last.get(parts[-1], [parts[-1], "weight"])])


def _as_tf(name: str, value: Array) -> Array:
    return value.T if name.endswith("/kernel") else value


def _h5(folder: Path, _ours: Values, _sources: Mapping[str, str]) -> Values:
    with ckptmap.open_checkpoint(folder / "model.h5") as checkpoint:
        held = [name for name in checkpoint if checkpoint[name].dtype == np.float32]
        found = {"/".join(name.removesuffix(":0").split("/")[-2:]): np.asarray(checkpoint[name]) for name in held}
    return {name: value for name, value in found.items() if not name.startswith("normalization")}


CASES = (
    Case(
        "bert",
        "Model Garden's tf2_bert_encoder_checkpoint_converter",
        "official.nlp",
        _write_bert,
        _garden,
        template="bert_template",
    ),
    Case(
        "albert",
        "Model Garden's tf2_albert_encoder_checkpoint_converter",
        "official.nlp",
        _write_albert,
        _garden,
        template="albert_template",
    ),
    Case(
        "hugging_face",
        "transformers' load_tf_weights_in_bert",
        "transformers",
        _write_bert,
        _hugging_face,
        template="bert_template",
    ),
    Case(
        "efficientnet",
        "keras.applications' efficientnet_weight_update_util.py, B0",
        "efficientnet_weight_update_util",
        _write_efficientnet,
        _h5,
        to=("keras_efficientnet_b0", "--set", "keras=2"),
    ),
)


@dataclass(frozen=True, slots=True)
class Result:
    """How many values both wrote, how many are not the same, and what each took."""

    case: Case
    values: int
    different: int
    peer: Measured
    ours: Measured


def run(case: Case, size: Size, folder: Path) -> Result:
    """Convert by both and compare."""
    source = folder / "old"
    source.mkdir()
    old = case.make(source, size)
    to = case.to
    if case.template:
        subprocess.run([*_PEERS, case.template, str(old), str(folder / "mine")], check=True, capture_output=True)
        to = (str(folder / "mine" / "ckpt-1"),)
    theirs, ours = folder / "theirs", folder / "ours"
    peer = measure(Work("", case.title, (*_PEERS, case.name, str(old), str(theirs))), theirs, 1)
    own = measure(Work("", "ckptmap", (*_CKPTMAP, str(old), "--to", *to, "-o", str(ours))), ours, 1)
    found, sources = _ours(ours, by_name=bool(case.to))
    other = case.theirs(theirs, found, sources)
    shared = found.keys() & other.keys()
    same = sum(np.array_equal(found[key], other[key]) for key in shared)
    return Result(case, len(shared), len(sources) - same, peer, own)


def _ours(folder: Path, by_name: bool) -> tuple[Values, Mapping[str, str]]:
    """What ckptmap restored, by object path or by the readable name, and the one TF1 variable that each value is of."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    rows = [row for row in report["target_variables"] if row["fate"] == "restored"]
    names = {row["key"]: row["name" if by_name else "key"] for row in rows}
    values = _of_checkpoint(folder)
    return {name: values[key] for key, name in names.items()}, {names[row["key"]]: row["source"] for row in rows}


HEADER = """\
| converter | values | not the same | its time | its memory | ckptmap's time | its memory |
|---|---:|---:|---:|---:|---:|---:|
"""


def table(results: list[Result]) -> str:
    """In Markdown, a line a converter."""
    return HEADER + "".join(f"| {' | '.join(_cells(result))} |\n" for result in results)


def _cells(result: Result) -> Iterator[str]:
    yield from (result.case.title, f"{result.values:,}", str(result.different))
    for measured in (result.peer, result.ours):
        yield from (f"{measured.median:.1f} s", f"{measured.peak:,.0f} MB")


def _there(module: str) -> bool:
    return importlib.util.find_spec(module.partition(".")[0]) is not None


def main() -> int:
    """Measure and write the table; 1 where a value differs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.converters", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="models of two layers: does it work?")
    parser.add_argument("--only", default="*", help="converters whose names match")
    parser.add_argument("table", type=Path)
    options = parser.parse_args()
    results = []
    for case in (case for case in CASES if fnmatch(case.name, options.only)):
        if not _there(case.needs):
            print(f"{case.name}: {case.needs} is not installed", file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory() as folder:
            results.append(run(case, QUICK if options.quick else BASE, Path(folder)))
        options.table.write_text(table(results), encoding="utf-8")
    return int(any(result.different or not result.values for result in results))


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(main())
