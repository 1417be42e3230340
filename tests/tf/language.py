"""BERT and its kin, GPT-2 against Model Garden (Keras 2) and KerasHub (Keras 3): a row each, and its proof.

    python -m tests.tf.language [--only 'bert*'] TABLE.md

A row's TF1 checkpoint has random weights, slots of Adam and a step. ckptmap converts it to a checkpoint that the home
saved; a fresh model restores the result with TensorFlow's assertions that every variable on both sides is met, and runs
on one text. What TF1 computes is said by ``language_reference``. keras-hub is no requirement of the tests: its rows run
where it is installed.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import ckptmap
from ckptmap.families.verdict import Kind
from ckptmap.tf.environment import import_quietly, tf2
from ckptmap.tf.tf2_model import restore
from tests.convert.conftest import write_tf1
from tests.tf.language_reference import (
    Array,
    Size,
    Text,
    albert_shapes,
    bert_shapes,
    feeds,
    gpt2_shapes,
    head_shapes,
    mobilebert_head_shapes,
    mobilebert_shapes,
    random_values,
    run_albert,
    run_bert,
    run_gpt2,
    run_mobilebert,
    run_xlnet,
    some_text,
    xlnet_shapes,
)
from tests.tf.proving import markdown, prove_rows
from tests.tf.t5_reference import heard, run_t5, t5_shapes, t5_text, t5_values

NOISE = 2e-5
"""Of the output's spread: 32 bits in TF2, 64 in the reference."""
DIFFERS = 1e-4
"""More than this is another computation."""
Outputs = dict[str, Array]


@dataclass(frozen=True)
class Home:
    """A TF2 model: ``make`` builds it of a size, ``run`` gives its outputs by the reference's names."""

    name: str
    keras: int
    make: Callable[[Size], Any]
    run: Callable[[Any, Text], Outputs]
    compiled: bool = False
    """It comes with an optimizer, whose step and rate are in no checkpoint of weights."""


@dataclass(frozen=True)
class Row:
    """``kind`` of model with a ``head`` (empty: none) in a ``home``, which has no place for ``dropped`` weights."""

    kind: str
    home: Home
    size: Size
    head: str = ""
    dropped: int = 0
    fresh: int = 0
    differs: bool = False
    padded: bool = True

    def __str__(self) -> str:
        size = f"{self.size.layers}x{self.size.width}"
        padded = "" if self.padded else "unpadded"
        return "-".join(filter(None, (self.kind, self.head, self.home.name, size, padded)))


@dataclass(frozen=True)
class Proof:
    """What came of a row: ``difference`` is the largest of all outputs, each in units of its own spread."""

    verdict: str
    variables: int
    restored: int
    dropped: int
    unused: int
    difference: float


def _networks() -> Any:
    return import_quietly("official.nlp.modeling.networks")


def _garden_encoder(size: Size, activation: Any = None, version: str = "BertEncoderV2") -> Any:
    model = getattr(_networks(), version)(
        vocab_size=size.vocabulary,
        hidden_size=size.width,
        num_layers=size.layers,
        num_attention_heads=size.heads,
        inner_dim=size.inner,
        max_sequence_length=size.positions,
        type_vocab_size=size.types,
        embedding_width=size.words,
        **({"inner_activation": activation} if activation else {}),
    )
    model(model.inputs)
    return model


def _exact_encoder(size: Size) -> Any:
    return _garden_encoder(size, tf2().keras.activations.gelu)


def _garden_albert(size: Size) -> Any:
    return _networks().AlbertEncoder(
        vocab_size=size.vocabulary,
        embedding_width=size.words,
        hidden_size=size.width,
        num_layers=size.layers,
        num_attention_heads=size.heads,
        intermediate_size=size.inner,
        max_sequence_length=size.positions,
        type_vocab_size=size.types,
    )


def _garden_mobilebert(size: Size, teacher: bool = False) -> Any:
    more: dict[str, Any] = {}
    if teacher:
        more = {"intermediate_act_fn": _tanh_gelu(), "key_query_shared_bottleneck": False}
        more["normalization_type"] = "layer_norm"
    return _networks().MobileBERTEncoder(
        word_vocab_size=size.vocabulary,
        word_embed_size=size.words,
        type_vocab_size=size.types,
        max_sequence_length=size.positions,
        num_blocks=size.layers,
        hidden_size=size.width,
        num_attention_heads=size.heads,
        intermediate_size=size.inner,
        intra_bottleneck_size=size.width // 2,
        num_feedforward_networks=feeds(size, teacher),
        **more,
    )


def _tanh_gelu() -> Any:
    return import_quietly("official.modeling.activations").gelu


def _garden_teacher(size: Size) -> Any:
    return _garden_mobilebert(size, teacher=True)


def _teacher_pretrainer(size: Size) -> Any:
    return _mobile_pretrainer(size, teacher=True)


def _mobile_pretrainer(size: Size, teacher: bool = False) -> Any:
    encoder = _garden_mobilebert(size, teacher)
    head = import_quietly("official.nlp.modeling.layers").MobileBertMaskedLM(
        encoder.get_embedding_table(), activation=_tanh_gelu() if teacher else "relu", name="cls/predictions"
    )
    models = import_quietly("official.nlp.modeling.models")
    model = models.BertPretrainerV2(encoder_network=encoder, customized_masked_lm=head)
    model(model.inputs)
    return model


def _garden_xlnet(size: Size) -> Any:
    keras = tf2().keras
    model = _networks().XLNetBase(
        vocab_size=size.vocabulary,
        num_layers=size.layers,
        hidden_size=size.width,
        num_attention_heads=size.heads,
        head_size=size.width // size.heads,
        inner_size=size.inner,
        dropout_rate=0.1,
        attention_dropout_rate=0.1,
        attention_type="bi",
        bi_data=False,
        initializer=keras.initializers.RandomNormal(stddev=0.02),
        tie_attention_biases=False,
        inner_activation=_tanh_gelu(),
    )
    _run_xlnet(model, some_text(size))
    return model


def _garden_t5(newer: bool) -> Callable[[Size], Any]:
    def make(size: Size) -> Any:
        t5 = import_quietly("official.nlp.modeling.models.t5")
        more = {"ffn_activations": ("gelu", "linear"), "logits_via_embedding": False} if newer else {}
        return t5.T5Transformer(
            t5.T5TransformerParams(
                num_layers=size.layers,
                d_model=size.width,
                d_kv=size.width // size.heads,
                num_heads=size.heads,
                d_ff=size.inner,
                vocab_size=size.vocabulary,
                target_vocab_size=size.vocabulary,
                shared_embedding=True,
                **more,
            )
        )

    return make


def _run_t5(model: Any, text: Text) -> Outputs:
    ids, said, before = map(tf2().constant, (text.ids, text.types, heard(text)))
    found = model(ids, decoder_target_tokens=said, decoder_input_tokens=before, training=False)
    logits = np.asarray(found["logits"]) * (text.types != 0)[..., None]
    return {"encoded": np.asarray(found["encoded"]) * text.mask[..., None], "logits": logits}


def _pretrainer(encoder: Callable[[Size], Any]) -> Callable[[Size], Any]:
    def make(size: Size) -> Any:
        layers = import_quietly("official.nlp.modeling.layers")
        head = layers.ClassificationHead(size.width, 2, dropout_rate=0.1, name="next_sentence")
        network = encoder(size)
        model = import_quietly("official.nlp.modeling.models").BertPretrainerV2(
            network, mlm_activation=_tanh_gelu(), classification_heads=[head]
        )
        model(model.inputs)
        return model

    return make


def _classifier(size: Size) -> Any:
    return import_quietly("official.nlp.modeling.models").BertClassifier(_garden_encoder(size), size.classes)


def _span_labeler(size: Size) -> Any:
    return import_quietly("official.nlp.modeling.models").BertSpanLabeler(_garden_encoder(size))


def _fed(text: Text) -> dict[str, Array]:
    return {"input_word_ids": text.ids, "input_mask": text.mask, "input_type_ids": text.types}


def _run_garden(model: Any, text: Text) -> Outputs:
    found = model(_fed(text), training=False)
    if isinstance(found, (list, tuple)):
        return {"sequence": found[0], "pooled": found[1]}
    return {"sequence": found["sequence_output"], "pooled": found["pooled_output"]}


def _run_sequence(model: Any, text: Text) -> Outputs:
    return {"sequence": _run_garden(model, text)["sequence"]}


def _run_pretrainer(model: Any, text: Text) -> Outputs:
    everywhere = np.broadcast_to(np.arange(text.ids.shape[1], dtype=np.int32), text.ids.shape)
    found = model({**_fed(text), "masked_lm_positions": everywhere}, training=False)
    return {**_encoder_alone(found), "masked": found["mlm_logits"], "next": found["next_sentence"]}


def _encoder_alone(found: dict[str, Any]) -> Outputs:
    return {"sequence": found["sequence_output"], "pooled": found["pooled_output"]}


def _run_mobile(model: Any, text: Text) -> Outputs:
    return _encoder_alone(model([text.ids, text.mask, text.types], training=False))


def _run_mobile_pretrainer(model: Any, text: Text) -> Outputs:
    everywhere = np.broadcast_to(np.arange(text.ids.shape[1], dtype=np.int32), text.ids.shape)
    found = model([text.ids, text.mask, text.types, everywhere], training=False)
    return {**_encoder_alone(found), "masked": found["mlm_logits"]}


def _run_xlnet(model: Any, text: Text) -> Outputs:
    found = model(input_ids=text.ids, segment_ids=text.types, input_mask=text.mask, training=False)
    return {"sequence": found[0]}


def _run_logits(model: Any, text: Text) -> Outputs:
    return {"classes": model(_fed(text), training=False)}


def _run_spans(model: Any, text: Text) -> Outputs:
    found = model(_fed(text), training=False)
    start, end = (found["start_logits"], found["end_logits"]) if isinstance(found, dict) else found
    return {"questions": np.stack([start, end], -1)}


def _hub() -> Any:
    return import_quietly("keras_hub").models


def _hub_sizes(size: Size, **more: Any) -> dict[str, Any]:
    return _hub_layers(size, max_sequence_length=size.positions, **more)


def _hub_layers(size: Size, **more: Any) -> dict[str, Any]:
    """Of a model whose positions have no end, too."""
    return {
        "num_layers": size.layers,
        "num_heads": size.heads,
        "hidden_dim": size.width,
        "intermediate_dim": size.inner,
        **more,
    }


def _hub_tanh_gelu(x: Any) -> Any:
    return import_quietly("keras").activations.gelu(x, approximate=True)


@contextmanager
def _masks_as_arguments() -> Iterator[None]:
    """The attention of KerasHub's T5 takes masks as an argument, and warns of those that Keras hands on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _hub_bert(size: Size) -> Any:
    return _hub().BertBackbone(**_hub_sizes(size, vocabulary_size=size.vocabulary))


def _hub_albert(size: Size) -> Any:
    return _hub().AlbertBackbone(**_hub_sizes(size, vocabulary_size=size.vocabulary, embedding_dim=size.words))


def _hub_electra(size: Size) -> Any:
    return _hub().ElectraBackbone(**_hub_sizes(size, vocab_size=size.vocabulary, embedding_dim=size.words))


def _hub_exact_electra(size: Size) -> Any:
    model = _hub_electra(size)
    gelu = import_quietly("keras").activations.gelu
    for at in range(size.layers):
        model.get_layer(f"transformer_layer_{at}")._feedforward_intermediate_dense.activation = gelu
    return model


def _hub_gpt2(size: Size) -> Any:
    return _hub().GPT2Backbone(
        **{**_hub_sizes(size, vocabulary_size=size.vocabulary), "intermediate_dim": 4 * size.width}
    )


def _hub_t5(newer: bool) -> Callable[[Size], Any]:
    def make(size: Size) -> Any:
        more = {"activation": _hub_tanh_gelu} if newer else {}
        sizes = _hub_layers(size, vocabulary_size=size.vocabulary)
        with _masks_as_arguments():
            return _hub().T5Backbone(**sizes, use_gated_activation=newer, tie_embedding_weights=not newer, **more)

    return make


def _hub_xlnet(size: Size) -> Any:
    sizes = _hub_layers(size, vocabulary_size=size.vocabulary)
    return _hub().XLNetBackbone(**sizes, activation=_hub_tanh_gelu)


def _run_hub_xlnet(model: Any, text: Text) -> Outputs:
    return {"sequence": model(_hub_fed(text), training=False)}


def _run_hub_xlnet_one_by_one(model: Any, text: Text) -> Outputs:
    texts = ({name: part[at : at + 1] for name, part in _hub_fed(text).items()} for at in range(len(text.ids)))
    return {"sequence": np.concatenate([model(each, training=False) for each in texts])}


def _run_hub_t5(model: Any, text: Text) -> Outputs:
    fed = {
        "encoder_token_ids": text.ids,
        "encoder_padding_mask": text.mask,
        "decoder_token_ids": heard(text),
        "decoder_padding_mask": (text.types != 0).astype(np.int32),
    }
    with _masks_as_arguments():
        found = model(fed, training=False)
    said = found["decoder_sequence_output"] * (model.hidden_dim**-0.5 if model.tie_embedding_weights else 1)
    logits = np.asarray(model.token_embedding(said, reverse=True)) * (text.types != 0)[..., None]
    return {"encoded": np.asarray(found["encoder_sequence_output"]) * text.mask[..., None], "logits": logits}


def _hub_masked(size: Size) -> Any:
    return _hub().BertMaskedLM(_hub_bert(size))


def _hub_classes(size: Size) -> Any:
    return _hub().BertTextClassifier(_hub_bert(size), num_classes=size.classes)


def _hub_fed(text: Text) -> dict[str, Array]:
    return {"token_ids": text.ids, "padding_mask": text.mask, "segment_ids": text.types}


def _run_hub(model: Any, text: Text) -> Outputs:
    found = model(_hub_fed(text), training=False)
    return {"sequence": found["sequence_output"], "pooled": found["pooled_output"]}


def _run_hub_sequence(model: Any, text: Text) -> Outputs:
    return {"sequence": _run_hub(model, text)["sequence"]}


def _run_hub_masked(model: Any, text: Text) -> Outputs:
    everywhere = np.broadcast_to(np.arange(text.ids.shape[1], dtype=np.int32), text.ids.shape)
    return {"masked": model({**_hub_fed(text), "mask_positions": everywhere}, training=False)}


def _run_hub_classes(model: Any, text: Text) -> Outputs:
    return {"classes": model(_hub_fed(text), training=False)}


def _run_hub_gpt2(model: Any, text: Text) -> Outputs:
    sequence = model({"token_ids": text.ids, "padding_mask": np.ones_like(text.ids)}, training=False)
    return {"sequence": sequence, "next": model.token_embedding(sequence, reverse=True)}


def _first_encoder(size: Size) -> Any:
    return _garden_encoder(size, version="BertEncoder")


GARDEN = Home("BertEncoderV2", 2, _garden_encoder, _run_garden)
FUNCTIONAL = Home("BertEncoder", 2, _first_encoder, _run_garden)
PRETRAINER = Home("BertPretrainerV2", 2, _pretrainer(_garden_encoder), _run_pretrainer)
CLASSIFIER = Home("BertClassifier", 2, _classifier, _run_logits)
SPANS = Home("BertSpanLabeler", 2, _span_labeler, _run_spans)
ALBERT = Home("AlbertEncoder", 2, _garden_albert, _run_garden)
ELECTRA = Home("BertEncoderV2 with the exact gelu", 2, _exact_encoder, _run_sequence)
MOBILE = Home("MobileBERTEncoder", 2, _garden_mobilebert, _run_mobile)
MOBILE_PRETRAINER = Home("BertPretrainerV2", 2, _mobile_pretrainer, _run_mobile_pretrainer)
TEACHER = Home("MobileBERTEncoder", 2, _garden_teacher, _run_mobile)
TEACHER_PRETRAINER = Home("BertPretrainerV2", 2, _teacher_pretrainer, _run_mobile_pretrainer)
XLNET = Home("XLNetBase", 2, _garden_xlnet, _run_xlnet)
T5 = Home("T5Transformer", 2, _garden_t5(newer=False), _run_t5)
NEWER_T5 = Home("T5Transformer", 2, _garden_t5(newer=True), _run_t5)
HUB = Home("BertBackbone", 3, _hub_bert, _run_hub)
HUB_MASKED = Home("BertMaskedLM", 3, _hub_masked, _run_hub_masked, compiled=True)
HUB_CLASSES = Home("BertTextClassifier", 3, _hub_classes, _run_hub_classes, compiled=True)
HUB_ALBERT = Home("AlbertBackbone", 3, _hub_albert, _run_hub)
HUB_ELECTRA = Home("ElectraBackbone", 3, _hub_electra, _run_hub_sequence)
HUB_EXACT = Home("ElectraBackbone with the exact gelu", 3, _hub_exact_electra, _run_hub_sequence)
HUB_XLNET = Home("XLNetBackbone", 3, _hub_xlnet, _run_hub_xlnet)
HUB_XLNET_ALONE = Home("XLNetBackbone, text by text", 3, _hub_xlnet, _run_hub_xlnet_one_by_one)
HUB_T5 = Home("T5Backbone", 3, _hub_t5(newer=False), _run_hub_t5)
HUB_NEWER_T5 = Home("T5Backbone", 3, _hub_t5(newer=True), _run_hub_t5)
HUB_GPT2 = Home("GPT2Backbone", 3, _hub_gpt2, _run_hub_gpt2)

BERTS = (Size(2, 24, 3), Size(4, 40, 5))
FACTORED = (Size(2, 24, 3, 8), Size(3, 40, 5, 16))
FACTORED_BLOCKS = (Size(2, 24, 3, 8), Size(3, 40, 5, 16))
DEEP = (Size(12, 24, 3), Size(24, 40, 5))
"""As deep as the published XLNets."""
MASKED = 6
"""Weights of MobileBERT's head for masked words."""
PRETRAINED = 7
"""Weights of the heads for masked words and for the next sentence."""


def _rows() -> Iterator[Row]:
    for size in BERTS:
        yield Row("bert", GARDEN, size)
        yield Row("bert", FUNCTIONAL, size, "pretraining", PRETRAINED)
        yield Row("bert", PRETRAINER, size, "pretraining")
        yield Row("bert", CLASSIFIER, size, "classes")
        yield Row("bert", SPANS, size, "questions", 0)
        yield Row("bert", HUB, size, "pretraining", PRETRAINED)
        yield Row("bert", HUB_MASKED, size, "pretraining", 2, differs=True)
        yield Row("bert", HUB_CLASSES, size, "classes")
        yield Row("gpt2", HUB_GPT2, size)
        yield Row("electra", ELECTRA, size, fresh=2)
        yield Row("xlnet", XLNET, size, dropped=2)
        yield Row("t5", T5, size)
        yield Row("t5_v1_1", NEWER_T5, size)
        yield Row("t5", HUB_T5, size)
        yield Row("t5_v1_1", HUB_NEWER_T5, size)
    for size in FACTORED_BLOCKS:
        for padded in (True, False):
            more = {"padded": padded, "differs": padded}
            yield Row("mobilebert", MOBILE, size, "pretraining", MASKED, **more)
            yield Row("mobilebert", MOBILE_PRETRAINER, size, "pretraining", **more)
    for size in FACTORED_BLOCKS:
        yield Row("mobilebert_teacher", TEACHER, size, "pretraining", MASKED, differs=True)
        yield Row("mobilebert_teacher", TEACHER, size, "pretraining", MASKED, padded=False)
        yield Row("mobilebert_teacher", TEACHER_PRETRAINER, size, "pretraining", padded=False)
    for size in DEEP:
        yield Row("xlnet", HUB_XLNET, size, dropped=1, differs=True)
        yield Row("xlnet", HUB_XLNET_ALONE, size, dropped=1)
    for size in FACTORED:
        yield Row("albert", ALBERT, size, "pretraining", PRETRAINED)
        yield Row("electra", ELECTRA, size, fresh=2)
        yield Row("albert", HUB_ALBERT, size, "pretraining", PRETRAINED)
        yield Row("electra", HUB_ELECTRA, size, fresh=2, differs=True)
        yield Row("electra", HUB_EXACT, size, fresh=2)


ROWS = {str(row): row for row in _rows()}
QUICK = "bert-pretraining-BertPretrainerV2-2x24"
"""What the default run of the tests proves."""


def values_of(row: Row) -> dict[str, Array]:
    """The TF1 weights of a row."""
    if row.kind.startswith("t5"):
        return t5_values(t5_shapes(row.size, newer=row.kind != "t5"))
    shapes = {
        "bert": lambda: bert_shapes(row.size),
        "electra": lambda: bert_shapes(row.size, "electra"),
        "albert": lambda: albert_shapes(row.size),
        "gpt2": lambda: gpt2_shapes(row.size),
        "mobilebert": lambda: mobilebert_shapes(row.size),
        "mobilebert_teacher": lambda: mobilebert_shapes(row.size, teacher=True),
        "xlnet": lambda: xlnet_shapes(row.size),
    }[row.kind]()
    mobile = row.kind.startswith("mobilebert")
    head = mobilebert_head_shapes(row.size) if mobile else head_shapes(row.size, row.head)
    return random_values({**shapes, **(head if row.head else {})})


_RUNS: dict[str, Callable[[dict[str, Array], Size, Text], Outputs]] = {
    "albert": run_albert,
    "gpt2": run_gpt2,
    "mobilebert": run_mobilebert,
    "mobilebert_teacher": run_mobilebert,
    "xlnet": run_xlnet,
    "t5": run_t5,
    "t5_v1_1": run_t5,
}


def expected(row: Row, values: dict[str, Array], text: Text) -> Outputs:
    """What TF1 computes."""
    if row.kind in _RUNS:
        return _RUNS[row.kind](values, row.size, text)
    return run_bert(values, row.size, text, row.kind)


def prove(row: Row, folder: Path) -> Proof:
    """Convert a row's checkpoint, restore and run it."""
    t5 = row.kind.startswith("t5")
    values, text = values_of(row), t5_text(row.size) if t5 else some_text(row.size, padded=row.padded)
    slots = {f"{name}/{slot}": value for name, value in values.items() for slot in ("adam_m", "adam_v")}
    old = write_tf1(folder / "old" / "model.ckpt", {**values, **slots, "global_step": np.asarray(7, np.int64)})
    template = tf2().train.Checkpoint(model=row.home.make(row.size)).save(str(folder / "mine" / "ckpt"))
    report = ckptmap.convert(old, to=template, output=folder / "new")
    assert report["output"] is not None, report["findings"]
    model = row.home.make(row.size)
    if row.home.compiled:
        tf2().train.Checkpoint(model=model).restore(str(folder / "new" / "ckpt-0")).assert_nontrivial_match()
    else:
        restore(model, folder / "new" / "ckpt-0")
    reference = expected(row, values, text)
    found = row.home.run(model, text)
    summary = report["summary"]
    return Proof(
        report["verdict"]["kind"],
        len(report["target_variables"]),
        summary["restored"],
        summary["dropped"] - len(slots) - 1,
        summary["unused"],
        max(_difference(np.asarray(found[name]), reference[name]) for name in found),
    )


def _difference(found: Array, reference: Array) -> float:
    return float(np.abs(found - reference).max() / reference.std())


def as_expected(row: Row, proof: Proof) -> bool:
    """Whether every variable found its place, and the outputs are what the row says."""
    left = (proof.variables - proof.restored, proof.dropped, proof.unused) == (row.fresh, row.dropped, 0)
    same = proof.difference > DIFFERS if row.differs else proof.difference <= NOISE
    weights = row.kind.startswith("mobilebert") or (row.kind in {"electra", "xlnet"} and row.home.keras == 3)
    return left and same and proof.verdict == (Kind.WEIGHTS_ONLY if weights else Kind.EQUAL).value


HEADER = """\
| model | heads | layers | width | home | Keras | variables | fresh | dropped | verdict | difference |
|---|---|---|---|---|---|---|---|---|---|---|
"""


def table(proofs: Iterable[tuple[Row, Proof]]) -> str:
    """The proofs in Markdown, a line a row."""
    return markdown(HEADER, proofs, _cells)


def _cells(row: Row, proof: Proof) -> Iterator[str]:
    kind = row.kind if row.padded else f"{row.kind}, nothing padded"
    yield from (kind, row.head, str(row.size.layers), str(row.size.width), row.home.name, str(row.home.keras))
    yield from (str(proof.variables), str(proof.variables - proof.restored), str(proof.dropped), proof.verdict)
    yield f"{proof.difference:.1e}"


def main(arguments: Sequence[str]) -> int:
    """Prove the rows and write their table; 1 where one is not as expected."""
    return prove_rows("tests.tf.language", ROWS, prove, as_expected, table, arguments, Proof)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
