"""Put slim's networks and the models of ``keras.applications`` together to true pairs.

    python -m benchmarks.suggest.make_families SLIM KERAS

The folders are those that ``make_slim`` and ``make_keras`` wrote. Which layer is which is written down here by hand;
that these models compute the same with the weights so placed was measured for each family.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.suggest.flows import direct_flow
from benchmarks.suggest.pairs import Shape, TruePair, save_pairs
from ckptmap.suggest.keras_graph import read_keras_graph

LEAVES = {"weights": "kernel", "biases": "bias", "depthwise_weights": "depthwise_kernel"}
Old = tuple[tuple[str, Shape], ...]
RULES = {"vgg": 5, "resnet_v1": 4, "resnet_v2": 7, "inception_v3": 3, "inception_resnet": 8, "mobilenet": 9}
"""How many rules a table written by hand has."""


def vgg(scope: str, _: Counter) -> str:
    """``conv3/conv3_2`` is ``block3_conv2``."""
    scope = re.sub(r"conv\d/conv(\d)_(\d)", r"block\1_conv\2", scope)
    return {"fc6": "fc1", "fc7": "fc2", "fc8": "predictions"}.get(scope, scope)


def resnet_v1(scope: str, _: Counter) -> str:
    """``block1/unit_2/bottleneck_v1/conv3`` is ``conv2_block2_3_conv``."""
    return _resnet(scope, 1)


def resnet_v2(scope: str, _: Counter) -> str:
    """The same, with norms before each unit."""
    if scope == "postnorm":
        return "post_bn"
    match = re.fullmatch(r"block(\d)/unit_(\d+)/bottleneck_v2/preact", scope)
    return f"conv{int(match[1]) + 1}_block{match[2]}_preact_bn" if match else _resnet(scope, 2)


def _resnet(scope: str, version: int) -> str:
    norm = scope.endswith("/BatchNorm")
    scope = scope.removesuffix("/BatchNorm")
    match = re.fullmatch(rf"block(\d)/unit_(\d+)/bottleneck_v{version}/(?:conv)?(\w+)", scope)
    if match:
        part = match[3].replace("shortcut", "0")
        scope = f"conv{int(match[1]) + 1}_block{match[2]}_{part}"
    return {"logits": "predictions"}.get(scope) or scope + ("_bn" if norm else "_conv")


def inception_v3(scope: str, count: Counter) -> str:
    """Numbered in the order in which they are made."""
    if scope.startswith("AuxLogits"):
        return ""
    return "predictions" if scope.startswith("Logits") else count.named(scope)


def inception_resnet_v2(scope: str, count: Counter) -> str:
    """The convolutions with a norm are numbered, the others have names."""
    if scope.startswith("AuxLogits"):
        return ""
    scope = scope.replace("Block8/", "Repeat_2/block8_10/")
    match = re.fullmatch(r"Repeat\w*/(block\d+_\d+)/Conv2d_1x1", scope)
    if match:
        return f"{match[1]}_conv"
    fixed = {"Conv2d_7b_1x1": "conv_7b", "Conv2d_7b_1x1/BatchNorm": "conv_7b_bn", "Logits/Logits": "predictions"}
    return fixed.get(scope) or count.named(scope)


def mobilenet_v1(scope: str, _: Counter) -> str:
    """``Conv2d_3_depthwise`` is ``conv_dw_3``."""
    norm = "_bn" if scope.endswith("/BatchNorm") else ""
    scope = scope.removesuffix("/BatchNorm")
    match = re.fullmatch(r"Conv2d_(\d+)_(depthwise|pointwise)", scope)
    if match:
        return f"conv_{match[2][0].replace('p', 'pw').replace('d', 'dw')}_{match[1]}{norm}"
    return ("conv_preds" if scope.startswith("Logits") else "conv1") + norm


def mobilenet_v2(scope: str, _: Counter) -> str:
    """``expanded_conv_3/expand`` is ``block_3_expand``."""
    norm = scope.endswith("/BatchNorm")
    scope = scope.removesuffix("/BatchNorm")
    match = re.fullmatch(r"expanded_conv_(\d+)/(\w+)", scope)
    if match:
        return f"block_{match[1]}_{match[2]}" + ("_BN" if norm else "")
    if scope == "Conv":
        return "bn_Conv1" if norm else "Conv1"
    if scope == "Conv_1":
        return "Conv_1_bn" if norm else "Conv_1"
    return "predictions" if scope.startswith("Logits") else scope.replace("/", "_") + ("_BN" if norm else "")


def mobilenet_v3(scope: str, _: Counter) -> str:
    """The same words, put together otherwise."""
    return "logits" if scope.startswith("Logits") else scope.replace("/BatchNorm", "_bn")


FAMILIES: dict[str, Callable[[str, Counter], str]] = {
    "vgg": vgg,
    "resnet_v1": resnet_v1,
    "resnet_v2": resnet_v2,
    "inception_v3": inception_v3,
    "inception_resnet_v2": inception_resnet_v2,
    "mobilenet_v1": mobilenet_v1,
    "mobilenet_v2": mobilenet_v2,
    "mobilenet_v3": mobilenet_v3,
}


class Counter:
    """Gives each convolution the next number, and its norm the same."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def named(self, scope: str) -> str:
        """``conv2d_7``, ``batch_normalization_7``."""
        base = scope.removesuffix("/BatchNorm")
        number = self._numbers.setdefault(base, len(self._numbers))
        stem = "conv2d" if scope == base else "batch_normalization"
        return f"{stem}_{number}" if number else stem


def main(slim: Path, keras: Path) -> None:
    """A pair for each model and version of Keras that both folders have."""
    pairs = [pair for file in sorted(keras.glob("*.json")) for pair in _pairs(slim, file)]
    save_pairs("families", "benchmarks/suggest/make_families.py", pairs)
    for pair in pairs:
        print(pair.name, len(pair.old), len(pair.new), len(pair.truth))


def _pairs(slim: Path, file: Path) -> Iterator[TruePair]:
    net = file.stem.rpartition("_")[0]
    family = next((name for name in FAMILIES if net.startswith(name)), None)
    if family is None:
        return
    old = tuple((n, tuple(s)) for n, s in json.loads((slim / f"{net}.json").read_text(encoding="utf-8"))["old"])
    new = tuple((k, n, tuple(s)) for k, n, s in json.loads(file.read_text(encoding="utf-8"))["new"])
    by_name = {_plain(name): key for key, name, _ in new}
    truth = {}
    counter = Counter()
    for name, _ in old:
        scope, _, leaf = name.partition("/")[2].rpartition("/")
        other = FAMILIES[family](scope, counter) if scope else ""
        key = _found(by_name, other, LEAVES.get(leaf, leaf)) if other else None
        if key is not None:
            truth[key] = (name,)
    short = next(rules for name, rules in RULES.items() if net.startswith(name))
    flow = direct_flow(old, (slim / f"{net}.graph").read_bytes())
    graph = read_keras_graph(file.with_suffix(".model"))
    yield TruePair(file.stem, old, new, truth, short, graph, flow)


def _found(by_name: dict[str, str], layer: str, leaf: str) -> str | None:
    leaves = (leaf, "kernel") if leaf == "depthwise_kernel" else (leaf,)
    layers = (layer, re.sub("_bn$", "_batchnorm", layer))
    return next((by_name[n] for one in layers for end in leaves if (n := _plain(f"{one}/{end}")) in by_name), None)


def _plain(name: str) -> str:
    return name.lower().replace("/", "_")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
