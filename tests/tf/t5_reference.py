"""T5 and T5 1.1 of mesh-TensorFlow in NumPy with 64 bits: what their TF1 graphs compute.

Checked once against mesh-tensorflow 0.1.21 on TensorFlow 2.20's ``compat.v1``: docs/language.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log, sqrt
from typing import Any

import numpy as np

from tests.tf.language_reference import Size, Text, tanh_gelu

Array = np.ndarray[Any, Any]
BUCKETS, FURTHEST = 32, 128
LENGTH = 40
"""Of the texts: far enough for the wide buckets."""


def t5_text(size: Size) -> Text:
    """Two texts, one padded with 0; ``types`` holds what the decoder is to say, another two texts."""
    generator = np.random.default_rng(5)
    ids = generator.integers(1, size.vocabulary, (2, LENGTH)).astype(np.int32)
    said = generator.integers(1, size.vocabulary, (2, LENGTH)).astype(np.int32)
    ids[1, 31:] = said[0, 27:] = 0
    return Text(ids, (ids != 0).astype(np.int32), said)


def heard(text: Text) -> Array:
    """What the decoder is fed with: what it is to say, one step later."""
    return np.pad(text.types[:, :-1], ((0, 0), (1, 0)))


def t5_shapes(size: Size, newer: bool = False) -> dict[str, tuple[int, ...]]:
    """By their TF1 names; ``newer``: of T5 1.1."""
    norm, last = ("rms_norm", "rms_norm") if newer else ("layer_norm", "final_layer_norm")
    found: dict[str, tuple[int, ...]] = {"shared/embedding": (size.vocabulary, size.width)}
    for side, layers in (("encoder", ("SelfAttention", "")), ("decoder", ("SelfAttention", "EncDecAttention", ""))):
        found[f"{side}/{last}/scale"] = (size.width,)
        found[f"{side}/block_000/layer_000/SelfAttention/relative_attention_bias"] = (size.heads, BUCKETS)
        for at in range(size.layers):
            for number, attention in enumerate(layers):
                layer = f"{side}/block_{at:03d}/layer_{number:03d}"
                found[f"{layer}/{norm}/scale"] = (size.width,)
                if attention:
                    found |= {f"{layer}/{attention}/{part}": (size.width, size.width) for part in "qkvo"}
                    continue
                feed = f"{layer}/DenseReluDense"
                found |= {
                    f"{feed}/{wi}/kernel": (size.width, size.inner) for wi in (("wi_0", "wi_1") if newer else ("wi",))
                }
                found[f"{feed}/wo/kernel"] = (size.inner, size.width)
    return {**found, **({"decoder/logits/kernel": (size.width, size.vocabulary)} if newer else {})}


def t5_values(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """Values under which each weight shows in the outputs: queries are not scaled, so they are small."""
    generator = np.random.default_rng(3)

    def one(name: str, shape: tuple[int, ...]) -> Array:
        if name.endswith("/scale"):
            return generator.normal(1, 0.3, shape)
        spread = 1.0 if "embedding" in name or "bias" in name else 1 / sqrt(shape[0])
        return generator.normal(0, spread / (2 if name.endswith("/q") else 1), shape)

    return {name: one(name, shape).astype(np.float32) for name, shape in shapes.items()}


class _T5:
    def __init__(self, values: Mapping[str, Array], size: Size) -> None:
        self.held = {name: np.asarray(value, np.float64) for name, value in values.items()}
        self.size, self.newer = size, "decoder/logits/kernel" in values

    def norm(self, scope: str, x: Array, last: bool = False) -> Array:
        name = "rms_norm" if self.newer else "final_layer_norm" if last else "layer_norm"
        found: Array = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6) * self.held[f"{scope}/{name}/scale"]
        return found

    def attend(self, name: str, x: Array, memory: Array, bias: Array) -> Array:
        batch, length, width = x.shape
        heads = self.size.heads

        def split(y: Array, part: str) -> Array:
            z = y @ self.held[f"{name}/{part}"]
            return z.reshape(batch, y.shape[1], heads, width // heads).transpose(0, 2, 1, 3)

        scores = split(x, "q") @ split(memory, "k").transpose(0, 1, 3, 2) + bias
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        found = (weights / weights.sum(-1, keepdims=True)) @ split(memory, "v")
        together: Array = found.transpose(0, 2, 1, 3).reshape(batch, length, width) @ self.held[f"{name}/o"]
        return together

    def feed(self, name: str, x: Array) -> Array:
        if self.newer:
            inner = tanh_gelu(x @ self.held[f"{name}/wi_0/kernel"]) * (x @ self.held[f"{name}/wi_1/kernel"])
        else:
            inner = np.maximum(x @ self.held[f"{name}/wi/kernel"], 0)
        found: Array = inner @ self.held[f"{name}/wo/kernel"]
        return found

    def positions(self, side: str) -> Array:
        table = self.held[f"{side}/block_000/layer_000/SelfAttention/relative_attention_bias"]
        return table[:, _buckets(LENGTH, both=side == "encoder")][None]


def _buckets(length: int, both: bool) -> Array:
    """As mesh counts them, in 32 bits: near positions one by one, far ones together."""
    ahead = np.arange(length)[None] - np.arange(length)[:, None]
    behind, count, first = -ahead, BUCKETS, np.zeros_like(ahead)
    if both:
        count //= 2
        first, behind = (behind < 0) * count, np.abs(behind)
    behind = np.maximum(behind, 0)
    near = count // 2
    ratio = np.log(np.maximum(behind, 1).astype(np.float32) / np.float32(near))
    far = near + (ratio / np.float32(log(FURTHEST / near)) * np.float32(count - near)).astype(np.int32)
    found: Array = first + np.where(behind < near, behind, np.minimum(far, count - 1))
    return found


def run_t5(values: Mapping[str, Array], size: Size, text: Text) -> dict[str, Array]:
    """``encoded`` and ``logits``; nothing is said where a text is padded."""
    run = _T5(values, size)
    said = (text.types != 0).astype(np.float64)
    sees = np.tril(np.ones((LENGTH, LENGTH)))[None, None] * said[:, None, None, :]
    bias = run.positions("encoder") + (1 - text.mask[:, None, None, :]) * -1e9
    x = run.held["shared/embedding"][text.ids]
    for at in range(size.layers):
        block = f"encoder/block_{at:03d}"
        y = run.norm(f"{block}/layer_000", x)
        x = x + run.attend(f"{block}/layer_000/SelfAttention", y, y, bias)
        x = x + run.feed(f"{block}/layer_001/DenseReluDense", run.norm(f"{block}/layer_001", x))
    encoded = run.norm("encoder", x, last=True)
    bias, across = run.positions("decoder") + (1 - sees) * -1e9, (1 - text.mask[:, None, None, :]) * -1e9
    x = run.held["shared/embedding"][heard(text)]
    for at in range(size.layers):
        block = f"decoder/block_{at:03d}"
        y = run.norm(f"{block}/layer_000", x)
        x = x + run.attend(f"{block}/layer_000/SelfAttention", y, y, bias)
        y = run.norm(f"{block}/layer_001", x)
        x = x + run.attend(f"{block}/layer_001/EncDecAttention", y, encoded, across)
        x = x + run.feed(f"{block}/layer_002/DenseReluDense", run.norm(f"{block}/layer_002", x))
    x = run.norm("decoder", x, last=True)
    logits = (
        x @ run.held["decoder/logits/kernel"] if run.newer else x @ run.held["shared/embedding"].T / sqrt(size.width)
    )
    return {"encoded": encoded * text.mask[..., None], "logits": logits * said[..., None]}
