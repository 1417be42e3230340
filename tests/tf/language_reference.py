"""BERT, its kin and GPT-2 as they are published, in NumPy with 64 bits: what their TF1 graphs compute.

Checked once against the authors' own code (``modeling.py`` of BERT, ALBERT and ELECTRA, ``model.py`` of GPT-2) on
TensorFlow 2.20's ``compat.v1``: the same names of variables, and up to 1.1e-6 apart, the noise of 32 bits. So was XLNet
(``modeling.py``, tf_slim's layer norm in place of tf.contrib's). MobileBERT is written down from ``modeling.py`` of
google-research/google-research at 0c1bbe5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import erf, pi, sqrt
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Values = Mapping[str, Array]
_erf = np.vectorize(erf, otypes=[np.float64])


@dataclass(frozen=True)
class Size:
    """Of a model small enough for a test."""

    layers: int
    width: int
    heads: int
    embedding: int = 0
    vocabulary: int = 37
    positions: int = 11
    types: int = 2
    classes: int = 3

    @property
    def inner(self) -> int:
        return 3 * self.width

    @property
    def words(self) -> int:
        """The width of the embeddings."""
        return self.embedding or self.width


@dataclass(frozen=True)
class Text:
    """Two texts in a batch: token ids, what is no padding, and which of two parts a token belongs to."""

    ids: Array
    mask: Array
    types: Array


def some_text(size: Size, *, padded: bool = True) -> Text:
    generator = np.random.default_rng(5)
    ids = generator.integers(0, size.vocabulary, (2, 9)).astype(np.int32)
    mask = np.ones_like(ids)
    mask[1, 6 if padded else 9 :] = 0
    return Text(ids, mask, (np.arange(9) > 4).astype(np.int32)[None].repeat(2, 0))


def random_values(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Array]:
    """Values under which each weight shows in the outputs."""
    generator = np.random.default_rng(3)

    def one(name: str, shape: tuple[int, ...]) -> Array:
        leaf = name.rpartition("/")[2]
        if leaf in ("kernel", "w", "output_weights", "extra_output_weights"):
            fan = shape[-1] if leaf.endswith("output_weights") else shape[0] if len(shape) == 3 else shape[-2]
            return generator.normal(0, 1 / sqrt(fan), shape)
        centre = 1.0 if leaf in ("gamma", "g") else 0.0
        return generator.normal(centre, 1.0 if "embedding" in leaf or leaf in ("wte", "wpe") else 0.3, shape)

    return {name: one(name, shape).astype(np.float32) for name, shape in shapes.items()}


def _dense(values: dict[str, tuple[int, ...]], name: str, before: int, after: int) -> None:
    values |= {f"{name}/kernel": (before, after), f"{name}/bias": (after,)}


def _norm(values: dict[str, tuple[int, ...]], name: str, width: int) -> None:
    values |= {f"{name}/gamma": (width,), f"{name}/beta": (width,)}


def bert_shapes(size: Size, scope: str = "bert") -> dict[str, tuple[int, ...]]:
    """Of the encoder, with the pooler in BERT."""
    found = _embeddings(size, scope)
    if size.words != size.width:
        _dense(found, f"{scope}/embeddings_project", size.words, size.width)
    for at in range(size.layers):
        layer = f"{scope}/encoder/layer_{at}"
        for part in ("query", "key", "value"):
            _dense(found, f"{layer}/attention/self/{part}", size.width, size.width)
        _dense(found, f"{layer}/attention/output/dense", size.width, size.width)
        _norm(found, f"{layer}/attention/output/LayerNorm", size.width)
        _dense(found, f"{layer}/intermediate/dense", size.width, size.inner)
        _dense(found, f"{layer}/output/dense", size.inner, size.width)
        _norm(found, f"{layer}/output/LayerNorm", size.width)
    if scope == "bert":
        _dense(found, "bert/pooler/dense", size.width, size.width)
    return found


def _embeddings(size: Size, scope: str) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {
        f"{scope}/embeddings/word_embeddings": (size.vocabulary, size.words),
        f"{scope}/embeddings/position_embeddings": (size.positions, size.words),
        f"{scope}/embeddings/token_type_embeddings": (size.types, size.words),
    }
    _norm(found, f"{scope}/embeddings/LayerNorm", size.words)
    return found


def albert_shapes(size: Size) -> dict[str, tuple[int, ...]]:
    found = _embeddings(size, "bert")
    _dense(found, "bert/encoder/embedding_hidden_mapping_in", size.words, size.width)
    inner = "bert/encoder/transformer/group_0/inner_group_0"
    for part in ("self/query", "self/key", "self/value", "output/dense"):
        _dense(found, f"{inner}/attention_1/{part}", size.width, size.width)
    _norm(found, f"{inner}/LayerNorm", size.width)
    _dense(found, f"{inner}/ffn_1/intermediate/dense", size.width, size.inner)
    _dense(found, f"{inner}/ffn_1/intermediate/output/dense", size.inner, size.width)
    _norm(found, f"{inner}/LayerNorm_1", size.width)
    _dense(found, "bert/pooler/dense", size.width, size.width)
    return found


def head_shapes(size: Size, head: str) -> dict[str, tuple[int, ...]]:
    """Of what pretraining, a classifier or questions put on top."""
    if head == "classes":
        return {"output_weights": (size.classes, size.width), "output_bias": (size.classes,)}
    if head == "questions":
        return {"cls/squad/output_weights": (2, size.width), "cls/squad/output_bias": (2,)}
    found: dict[str, tuple[int, ...]] = {"cls/predictions/output_bias": (size.vocabulary,)}
    _dense(found, "cls/predictions/transform/dense", size.width, size.words)
    _norm(found, "cls/predictions/transform/LayerNorm", size.words)
    return {
        **found,
        "cls/seq_relationship/output_weights": (2, size.width),
        "cls/seq_relationship/output_bias": (2,),
    }


def gpt2_shapes(size: Size) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {
        "model/wte": (size.vocabulary, size.width),
        "model/wpe": (size.positions, size.width),
    }
    for at in range(size.layers):
        for name, before, after in (
            ("attn/c_attn", size.width, 3 * size.width),
            ("attn/c_proj", size.width, size.width),
            ("mlp/c_fc", size.width, 4 * size.width),
            ("mlp/c_proj", 4 * size.width, size.width),
        ):
            found |= {f"model/h{at}/{name}/w": (1, before, after), f"model/h{at}/{name}/b": (after,)}
        for norm in ("ln_1", "ln_2"):
            found |= {f"model/h{at}/{norm}/g": (size.width,), f"model/h{at}/{norm}/b": (size.width,)}
    return {**found, "model/ln_f/g": (size.width,), "model/ln_f/b": (size.width,)}


def feeds(size: Size, teacher: bool = False) -> int:
    """Feed-forward networks of a block of MobileBERT: as many as the published ones have, or those called tiny."""
    return 1 if teacher else 4 if size.layers == 2 else 2


def mobilebert_shapes(size: Size, teacher: bool = False) -> dict[str, tuple[int, ...]]:
    """Blocks are half as wide inside as between each other."""
    wide, narrow = size.width, size.width // 2
    norm, seen = ("LayerNorm", wide) if teacher else ("FakeLayerNorm", narrow)
    found: dict[str, tuple[int, ...]] = {
        "bert/embeddings/word_embeddings": (size.vocabulary, size.words),
        "bert/embeddings/position_embeddings": (size.positions, wide),
        "bert/embeddings/token_type_embeddings": (size.types, wide),
    }
    _dense(found, "bert/embeddings/embedding_transformation", 3 * size.words, wide)
    _norm(found, f"bert/embeddings/{norm}", wide)
    for at in range(size.layers):
        layer = f"bert/encoder/layer_{at}"
        for part, before in (("query", seen), ("key", seen), ("value", wide)):
            _dense(found, f"{layer}/attention/self/{part}", before, narrow)
        for place, before, after in (
            ("attention/output", narrow, narrow),
            ("bottleneck/input", wide, narrow),
            *(() if teacher else (("bottleneck/attention", wide, narrow),)),
            ("output/bottleneck", narrow, wide),
        ):
            _dense(found, f"{layer}/{place}/dense", before, after)
            _norm(found, f"{layer}/{place}/{norm}", after)
        for place in _feeds(layer, feeds(size, teacher)):
            _dense(found, f"{place}intermediate/dense", narrow, size.inner)
            _dense(found, f"{place}output/dense", size.inner, narrow)
            _norm(found, f"{place}output/{norm}", narrow)
    return found


def _feeds(layer: str, count: int) -> list[str]:
    """The scopes of a block's feed-forward networks, in their order."""
    return [*(f"{layer}/ffn_layer_{at}/" for at in range(count - 1)), f"{layer}/"]


def mobilebert_head_shapes(size: Size) -> dict[str, tuple[int, ...]]:
    """Of pretraining: the word embeddings are as narrow as they are, so further weights are beside them."""
    found: dict[str, tuple[int, ...]] = {
        "cls/predictions/output_bias": (size.vocabulary,),
        "cls/predictions/extra_output_weights": (size.vocabulary, size.width - size.words),
    }
    _dense(found, "cls/predictions/transform/dense", size.width, size.width)
    _norm(found, "cls/predictions/transform/LayerNorm", size.width)
    return found


def xlnet_shapes(size: Size) -> dict[str, tuple[int, ...]]:
    """With biases of each layer (untie_r), as all published ones."""
    heads, head = size.heads, size.width // size.heads
    scope = "model/transformer"
    found: dict[str, tuple[int, ...]] = {
        f"{scope}/word_embedding/lookup_table": (size.vocabulary, size.width),
        f"{scope}/mask_emb/mask_emb": (1, 1, size.width),
        f"{scope}/seg_embed": (size.layers, 2, heads, head),
        **{f"{scope}/r_{part}_bias": (size.layers, heads, head) for part in "wrs"},
        "model/lm_loss/bias": (size.vocabulary,),
    }
    for at in range(size.layers):
        layer = f"{scope}/layer_{at}"
        found |= {f"{layer}/rel_attn/{part}/kernel": (size.width, heads, head) for part in "qkvro"}
        _norm(found, f"{layer}/rel_attn/LayerNorm", size.width)
        _dense(found, f"{layer}/ff/layer_1", size.width, size.inner)
        _dense(found, f"{layer}/ff/layer_2", size.inner, size.width)
        _norm(found, f"{layer}/ff/LayerNorm", size.width)
    return found


def tanh_gelu(x: Array) -> Array:
    """BERT's, ALBERT's and GPT-2's."""
    return 0.5 * x * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))


def exact_gelu(x: Array) -> Array:
    """ELECTRA's."""
    return 0.5 * x * (1 + _erf(x / sqrt(2)))


def _layer_norm(x: Array, gamma: Array, beta: Array, epsilon: float = 1e-12) -> Array:
    variance = x.var(-1, keepdims=True)
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(variance + epsilon) * gamma + beta


def _attend(query: Array, key: Array, value: Array, heads: int, allowed: Array) -> Array:
    """``allowed``: [batch, to, from], 1 where a token may look."""
    batch, length, width = query.shape

    def split(x: Array) -> Array:
        return x.reshape(batch, length, heads, width // heads).transpose(0, 2, 1, 3)

    scores = split(query) @ split(key).transpose(0, 1, 3, 2) / sqrt(width // heads)
    scores = scores + (1 - allowed[:, None]) * -1e9
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    found: Array = (weights / weights.sum(-1, keepdims=True)) @ split(value)
    return found.transpose(0, 2, 1, 3).reshape(batch, length, width)


class _Run:
    """Layers by their names."""

    def __init__(self, values: Values) -> None:
        self.values = {name: np.asarray(value, np.float64) for name, value in values.items()}

    def dense(self, name: str, x: Array) -> Array:
        found: Array = x @ self.values[f"{name}/kernel"] + self.values[f"{name}/bias"]
        return found

    def norm(self, name: str, x: Array) -> Array:
        return _layer_norm(x, self.values[f"{name}/gamma"], self.values[f"{name}/beta"])

    def embedded(self, scope: str, text: Text) -> Array:
        table = f"{scope}/embeddings"
        x = self.values[f"{table}/word_embeddings"][text.ids]
        x = x + self.values[f"{table}/token_type_embeddings"][text.types]
        x = x + self.values[f"{table}/position_embeddings"][: text.ids.shape[1]]
        return self.norm(f"{table}/LayerNorm", x)

    def heads(self, found: dict[str, Array], words: str) -> dict[str, Array]:
        """What the heads that are there say, beside ``sequence`` and ``pooled``."""
        sequence, values = found["sequence"], self.values
        if "cls/predictions/output_bias" in values:
            x = tanh_gelu(self.dense("cls/predictions/transform/dense", sequence))
            x = self.norm("cls/predictions/transform/LayerNorm", x)
            found["masked"] = x @ values[words].T + values["cls/predictions/output_bias"]
        for head, name, source in (
            ("next", "cls/seq_relationship/", "pooled"),
            ("classes", "", "pooled"),
            ("questions", "cls/squad/", "sequence"),
        ):
            if f"{name}output_weights" in values:
                found[head] = found[source] @ values[f"{name}output_weights"].T + values[f"{name}output_bias"]
        return found


def run_bert(values: Values, size: Size, text: Text, scope: str = "bert") -> dict[str, Array]:
    """``sequence``, ``pooled`` in BERT, and what the heads say."""
    run, gelu = _Run(values), tanh_gelu if scope == "bert" else exact_gelu
    x = run.embedded(scope, text)
    if f"{scope}/embeddings_project/kernel" in values:
        x = run.dense(f"{scope}/embeddings_project", x)
    allowed = np.broadcast_to(text.mask[:, None, :], (*text.mask.shape, text.mask.shape[1]))
    for at in range(size.layers):
        layer = f"{scope}/encoder/layer_{at}"
        parts = [run.dense(f"{layer}/attention/self/{part}", x) for part in ("query", "key", "value")]
        y = run.dense(f"{layer}/attention/output/dense", _attend(*parts, size.heads, allowed))
        x = run.norm(f"{layer}/attention/output/LayerNorm", x + y)
        y = run.dense(f"{layer}/output/dense", gelu(run.dense(f"{layer}/intermediate/dense", x)))
        x = run.norm(f"{layer}/output/LayerNorm", x + y)
    if scope != "bert":
        return {"sequence": x}
    found = {"sequence": x, "pooled": np.tanh(run.dense("bert/pooler/dense", x[:, 0]))}
    return run.heads(found, "bert/embeddings/word_embeddings")


def run_albert(values: Values, size: Size, text: Text) -> dict[str, Array]:
    """``sequence``, ``pooled``, and what the heads say."""
    run = _Run(values)
    x = run.dense("bert/encoder/embedding_hidden_mapping_in", run.embedded("bert", text))
    allowed = np.broadcast_to(text.mask[:, None, :], (*text.mask.shape, text.mask.shape[1]))
    layer = "bert/encoder/transformer/group_0/inner_group_0"
    for _ in range(size.layers):
        parts = [run.dense(f"{layer}/attention_1/self/{part}", x) for part in ("query", "key", "value")]
        y = run.dense(f"{layer}/attention_1/output/dense", _attend(*parts, size.heads, allowed))
        x = run.norm(f"{layer}/LayerNorm", x + y)
        y = tanh_gelu(run.dense(f"{layer}/ffn_1/intermediate/dense", x))
        x = run.norm(f"{layer}/LayerNorm_1", x + run.dense(f"{layer}/ffn_1/intermediate/output/dense", y))
    found = {"sequence": x, "pooled": np.tanh(run.dense("bert/pooler/dense", x[:, 0]))}
    return run.heads(found, "bert/embeddings/word_embeddings")


def run_mobilebert(values: Values, size: Size, text: Text) -> dict[str, Array]:
    """``sequence``, ``pooled``, and what the head for masked words says; padding has the score -6, as in TF1."""
    run, held = _Run(values), {name: np.asarray(value, np.float64) for name, value in values.items()}
    teacher = "bert/encoder/layer_0/bottleneck/attention/dense/kernel" not in values

    def act(x: Array) -> Array:
        return tanh_gelu(x) if teacher else np.maximum(x, 0)

    def same(name: str, x: Array) -> Array:
        if teacher:
            return run.norm(f"{name}/LayerNorm", x)
        found: Array = x * held[f"{name}/FakeLayerNorm/gamma"] + held[f"{name}/FakeLayerNorm/beta"]
        return found

    def dense(name: str, x: Array) -> Array:
        return same(name, run.dense(f"{name}/dense", x))

    words = held["bert/embeddings/word_embeddings"][text.ids]
    nothing = np.zeros_like(words[:, :1])
    near = np.concatenate(
        [np.concatenate([words[:, 1:], nothing], 1), words, np.concatenate([nothing, words[:, :-1]], 1)], -1
    )
    x = run.dense("bert/embeddings/embedding_transformation", near)
    x = x + held["bert/embeddings/position_embeddings"][: text.ids.shape[1]]
    x = same("bert/embeddings", x + held["bert/embeddings/token_type_embeddings"][text.types])
    allowed = text.mask[:, None, None, :].astype(np.float64)
    for at in range(size.layers):
        layer = f"bert/encoder/layer_{at}"
        inner = dense(f"{layer}/bottleneck/input", x)
        shared = x if teacher else dense(f"{layer}/bottleneck/attention", x)
        sources = (("query", shared), ("key", shared), ("value", x))
        parts = [run.dense(f"{layer}/attention/self/{part}", source) for part, source in sources]
        y = run.dense(f"{layer}/attention/output/dense", _attend_softly(*parts, size.heads, allowed))
        inner = same(f"{layer}/attention/output", y + inner)
        for place in _feeds(layer, feeds(size, teacher)):
            y = act(run.dense(f"{place}intermediate/dense", inner))
            inner = same(f"{place}output", run.dense(f"{place}output/dense", y) + inner)
        x = same(f"{layer}/output/bottleneck", run.dense(f"{layer}/output/bottleneck/dense", inner) + x)
    found = {"sequence": x, "pooled": x[:, 0]}
    if "cls/predictions/output_bias" in values:
        y = act(run.dense("cls/predictions/transform/dense", x))
        y = run.norm("cls/predictions/transform/LayerNorm", y)
        table = [held["bert/embeddings/word_embeddings"], held["cls/predictions/extra_output_weights"]]
        found["masked"] = y @ np.concatenate(table, -1).T + held["cls/predictions/output_bias"]
    return found


def _attend_softly(query: Array, key: Array, value: Array, heads: int, allowed: Array) -> Array:
    """``allowed``: [batch, 1, 1, from]; the score of what is not is -6."""
    batch, length, width = query.shape

    def split(x: Array) -> Array:
        return x.reshape(batch, length, heads, width // heads).transpose(0, 2, 1, 3)

    scores = split(query) @ split(key).transpose(0, 1, 3, 2) / sqrt(width // heads)
    weights = np.exp(scores * allowed - 6 * (1 - allowed))
    found: Array = (weights / weights.sum(-1, keepdims=True)) @ split(value)
    return found.transpose(0, 2, 1, 3).reshape(batch, length, width)


def run_xlnet(values: Values, size: Size, text: Text) -> dict[str, Array]:
    """``sequence`` of one stream without memory, as in fine-tuning: attention both ways, gelu."""
    held = {name: np.asarray(value, np.float64) for name, value in values.items()}
    run, scope = _Run(values), "model/transformer"
    length, head = text.ids.shape[1], size.width // size.heads
    x = held[f"{scope}/word_embedding/lookup_table"][text.ids]
    frequencies = 1 / 10000 ** (np.arange(0, size.width, 2.0) / size.width)
    angles = np.arange(length, -length, -1.0)[:, None] * frequencies
    places = np.concatenate([np.sin(angles), np.cos(angles)], -1)
    other = (text.types[:, :, None] != text.types[:, None, :]).astype(int)
    hidden = (text.mask[:, None, :] == 0) & ~np.eye(length, dtype=bool)
    for at in range(size.layers):
        layer = f"{scope}/layer_{at}/rel_attn"
        kernels = {part: held[f"{layer}/{part}/kernel"] for part in "qkvro"}
        query, key, value = (np.einsum("bih,hnd->bind", x, kernels[part]) for part in "qkv")
        positions = np.einsum("jh,hnd->jnd", places, kernels["r"])
        content = np.einsum("bind,bjnd->bnij", query + held[f"{scope}/r_w_bias"][at], key)
        moved = np.einsum("bind,jnd->bnij", query + held[f"{scope}/r_r_bias"][at], positions)
        relative = np.stack([moved[:, :, i, length - i : 2 * length - i] for i in range(length)], 2)
        parts = np.einsum("bind,snd->bnis", query + held[f"{scope}/r_s_bias"][at], held[f"{scope}/seg_embed"][at])
        segments = np.where(other[:, None] == 1, parts[..., 1:2], parts[..., 0:1])
        scores = (content + relative + segments) / sqrt(head) - 1e30 * hidden[:, None]
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        y = np.einsum("bnij,bjnd->bind", weights / weights.sum(-1, keepdims=True), value)
        x = run.norm(f"{layer}/LayerNorm", x + np.einsum("bind,hnd->bih", y, kernels["o"]))
        layer = f"{scope}/layer_{at}/ff"
        x = run.norm(
            f"{layer}/LayerNorm", x + run.dense(f"{layer}/layer_2", tanh_gelu(run.dense(f"{layer}/layer_1", x)))
        )
    return {"sequence": x}


def run_gpt2(values: Values, size: Size, text: Text) -> dict[str, Array]:
    """``sequence`` behind the last norm, and ``next`` of each token; nothing is padded."""
    held = {name: np.asarray(value, np.float64) for name, value in values.items()}

    def norm(name: str, x: Array) -> Array:
        return _layer_norm(x, held[f"{name}/g"], held[f"{name}/b"], 1e-5)

    def dense(name: str, x: Array) -> Array:
        found: Array = x @ held[f"{name}/w"][0] + held[f"{name}/b"]
        return found

    length = text.ids.shape[1]
    x = held["model/wte"][text.ids] + held["model/wpe"][:length]
    allowed = np.broadcast_to(np.tril(np.ones((length, length))), (len(text.ids), length, length))
    for at in range(size.layers):
        layer = f"model/h{at}"
        parts = np.split(dense(f"{layer}/attn/c_attn", norm(f"{layer}/ln_1", x)), 3, axis=-1)
        x = x + dense(f"{layer}/attn/c_proj", _attend(*parts, size.heads, allowed))
        x = x + dense(f"{layer}/mlp/c_proj", tanh_gelu(dense(f"{layer}/mlp/c_fc", norm(f"{layer}/ln_2", x))))
    x = norm("model/ln_f", x)
    return {"sequence": x, "next": x @ held["model/wte"].T}
