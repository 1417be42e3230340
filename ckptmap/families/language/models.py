"""Language models of TF1, and the libraries that have them for Keras.

Sources: github.com/google-research/bert, albert and electra, mobilebert in github.com/google-research/google-research,
github.com/openai/gpt-2, github.com/zihangdai/xlnet, github.com/tensorflow/mesh; tf-models-official 2.20 (Keras
2), keras-hub 0.32 (Keras 3). What is said of sameness was measured: docs/language.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GARDEN, HUB = "Model Garden", "KerasHub"

_WORDS = (
    "token ids of the vocab.txt beside the checkpoint (WordPiece), [CLS] first, [SEP] after each text, [PAD] behind; "
    "lower case and without accents if the model is uncased"
)
_PIECES = (
    "token ids of the SentencePiece model beside the checkpoint, [CLS] first, [SEP] after each text, <pad> behind; "
    "lower case if it was trained so (all of Google's were)"
)
_PIECES_BEHIND = (
    "token ids of the SentencePiece model beside the checkpoint, <pad> first, then the texts, <sep> after each, <cls> "
    "last; letters keep their case"
)
_PIECES_IN_AND_OUT = (
    "token ids of the SentencePiece model beside the checkpoint, </s> last, <pad> behind, for the encoder and for the "
    "decoder, which starts with <pad>; letters keep their case"
)
_BYTES = "token ids of the encoder.json and vocab.bpe beside the checkpoint (byte pairs); letters keep their case"
_MASKED_GARDEN = (
    "BertPretrainerV2 needs mlm_activation=official.modeling.activations.gelu to compute TF1's head for masked words"
)
_EXACT_HUB = "equal with layer._feedforward_intermediate_dense.activation = keras.activations.gelu on each layer"
_MASKED_HUB = (
    "the head of BertMaskedLM has the exact gelu and another epsilon than TF1's: up to 1e-3 of its outputs' spread"
)


@dataclass(frozen=True, slots=True)
class Home:
    """A model of TF2 for one of TF1.

    ``table`` is the mapping table that leads there. ``call`` makes the model; in braces stand its sizes. ``differs`` is
    why it computes otherwise, empty where it does not, and ``differs_in`` the short name of it; ``needs`` what to mind
    when it is made.
    """

    library: str
    table: str
    call: str
    differs: str = ""
    needs: str = ""
    differs_in: str = "activation"

    @property
    def title(self) -> str:
        """What the library calls it."""
        return self.call.partition("(")[0]


@dataclass(frozen=True, slots=True)
class Language:
    """A kind of language model.

    ``name`` is what people call it; ``takes`` what it is fed with.
    """

    name: str
    takes: str
    homes: tuple[Home, ...]
    sizes: Mapping[tuple[int, int], str]
    """By layers and width: what the authors call a model of that size."""


def _bert_homes() -> tuple[Home, ...]:
    garden = (
        "official.nlp.modeling.networks.BertEncoderV2(vocab_size={vocabulary}, hidden_size={width}, "
        "num_layers={layers}, num_attention_heads={heads}, inner_dim={inner}, max_sequence_length={positions}, "
        "type_vocab_size={types})"
    )
    hub = (
        "keras_hub.models.BertBackbone(vocabulary_size={vocabulary}, num_layers={layers}, num_heads={heads}, "
        "hidden_dim={width}, intermediate_dim={inner}, max_sequence_length={positions}, num_segments={types})"
    )
    return (
        Home(GARDEN, "language/bert_garden", garden, needs=_MASKED_GARDEN),
        Home(HUB, "language/bert_keras_hub", hub, needs=_MASKED_HUB),
    )


def _albert_homes() -> tuple[Home, ...]:
    garden = (
        "official.nlp.modeling.networks.AlbertEncoder(vocab_size={vocabulary}, embedding_width={embedding}, "
        "hidden_size={width}, num_layers={layers}, num_attention_heads={heads}, intermediate_size={inner}, "
        "max_sequence_length={positions}, type_vocab_size={types})"
    )
    hub = (
        "keras_hub.models.AlbertBackbone(vocabulary_size={vocabulary}, num_layers={layers}, num_heads={heads}, "
        "embedding_dim={embedding}, hidden_dim={width}, intermediate_dim={inner}, max_sequence_length={positions}, "
        "num_segments={types})"
    )
    return (
        Home(GARDEN, "language/albert_garden", garden, needs=_MASKED_GARDEN),
        Home(HUB, "language/albert_keras_hub", hub),
    )


def _electra_homes() -> tuple[Home, ...]:
    exact = "inner_activation=tf_keras.activations.gelu is the exact gelu that ELECTRA has; the default is another"
    tanh = "its gelu is the tanh approximation, ELECTRA's is the exact one"
    garden = (
        "official.nlp.modeling.networks.BertEncoderV2(vocab_size={vocabulary}, embedding_width={embedding}, "
        "hidden_size={width}, num_layers={layers}, num_attention_heads={heads}, inner_dim={inner}, "
        "max_sequence_length={positions}, type_vocab_size={types}, inner_activation=tf_keras.activations.gelu)"
    )
    hub = (
        "keras_hub.models.ElectraBackbone(vocab_size={vocabulary}, num_layers={layers}, num_heads={heads}, "
        "embedding_dim={embedding}, hidden_dim={width}, intermediate_dim={inner}, max_sequence_length={positions}, "
        "num_segments={types})"
    )
    return (
        Home(GARDEN, "language/electra_garden", garden, needs=exact),
        Home(HUB, "language/electra_keras_hub", hub, tanh, _EXACT_HUB),
    )


_GPT2 = (
    "keras_hub.models.GPT2Backbone(vocabulary_size={vocabulary}, num_layers={layers}, num_heads={heads}, "
    "hidden_dim={width}, intermediate_dim={inner}, max_sequence_length={positions})"
)


_MOBILEBERTS = (
    "language/mobilebert_garden",
    "language/mobilebert_tiny_garden",
    "language/mobilebert_teacher_garden",
)
"""By how many feed-forward networks a block has: four, two, one."""


def _mobilebert_homes() -> tuple[Home, ...]:
    call = (
        "official.nlp.modeling.networks.MobileBERTEncoder(word_vocab_size={vocabulary}, word_embed_size={embedding}, "
        "type_vocab_size={types}, max_sequence_length={positions}, num_blocks={layers}, hidden_size={between}, "
        "num_attention_heads={heads}, intermediate_size={inner}, intra_bottleneck_size={width}, "
        "num_feedforward_networks={feeds})"
    )
    padding = "padded words have the score -6 in TF1, and weigh a little; in Model Garden they weigh nothing"
    teacher = (
        "equal if no text is padded. Of the teacher: intermediate_act_fn=official.modeling.activations.gelu, "
        "key_query_shared_bottleneck=False, normalization_type='layer_norm'"
    )
    return tuple(Home(GARDEN, table, call, padding, teacher, "padding") for table in _MOBILEBERTS)


def _xlnet_homes() -> tuple[Home, ...]:
    call = (
        "official.nlp.modeling.networks.XLNetBase(vocab_size={vocabulary}, num_layers={layers}, hidden_size={width}, "
        "num_attention_heads={heads}, head_size={head}, inner_size={inner}, dropout_rate=0.1, "
        "attention_dropout_rate=0.1, attention_type='bi', bi_data=False, "
        "initializer=tf_keras.initializers.RandomNormal(stddev=0.02), tie_attention_biases={tied}, "
        "inner_activation=official.modeling.activations.gelu)"
    )
    gelu = (
        "its gelu is the approximation by tanh, not what the name 'gelu' means; input_mask is 1 where there is a word, "
        "in TF1 where there is padding; call it once with segment_ids, which makes their weights"
    )
    hub = (
        "keras_hub.models.XLNetBackbone(vocabulary_size={vocabulary}, num_layers={layers}, num_heads={heads}, "
        f"hidden_dim={{width}}, intermediate_dim={{inner}}, {_TANH_HUB})"
    )
    tables = (f"language/xlnet_{size}_keras_hub" for size in ("base", "large"))
    return (
        Home(GARDEN, "language/xlnet_garden", call, needs=gelu),
        *(Home(HUB, table, hub, _MIXED_UP, _STACKED, "batches") for table in tables),
    )


_TANH_HUB = "activation=lambda x: keras.activations.gelu(x, approximate=True)"
_MIXED_UP = (
    "in a batch of several texts KerasHub mixes up their positions and their padding: it reshapes what it should "
    "transpose (keras-hub 0.32)"
)
_STACKED = (
    "equal with one text at a time; for the 12 or 24 layers of the published models, which do not share biases: TF1 "
    "stacks those of all layers, so a table is for one depth"
)


def _t5_homes(more: str, hub: str, words: str) -> tuple[Home, ...]:
    """``more`` and ``hub`` are further arguments of each home; ``words`` is what KerasHub's logits are made of."""
    module = "official.nlp.modeling.models.t5"
    call = (
        f"{module}.T5Transformer({module}.T5TransformerParams(num_layers={{layers}}, d_model={{width}}, d_kv={{head}}, "
        "num_heads={heads}, d_ff={inner}, vocab_size={vocabulary}, target_vocab_size={vocabulary}, "
        f"relative_attention_num_buckets={{buckets}}, shared_embedding=True{more}))"
    )
    padding = "what it makes of padding is nothing to read: TF1 sets it to zero"
    backbone = (
        "keras_hub.models.T5Backbone(vocabulary_size={vocabulary}, num_layers={layers}, num_heads={heads}, "
        f"hidden_dim={{width}}, intermediate_dim={{inner}}, key_value_dim={{head}}, {hub})"
    )
    logits = f"the logits are model.token_embedding({words}, reverse=True)"
    return (
        Home(GARDEN, "language/t5_garden", call, needs=padding),
        Home(HUB, "language/t5_keras_hub", backbone, needs=f"{padding}; {logits}"),
    )


_T5_HUB = ("use_gated_activation=False", "decoder_sequence_output * hidden_dim**-0.5")
_NEWER_T5_HUB = (f"{_TANH_HUB}, tie_embedding_weights=False", "decoder_sequence_output")

_BERT_SIZES = {
    (2, 128): "tiny",
    (4, 256): "mini",
    (4, 512): "small",
    (8, 512): "medium",
    (12, 768): "base",
    (24, 1024): "large",
}

LANGUAGES: Mapping[str, Language] = {
    one.name: one
    for one in (
        Language("mobilebert", _WORDS, _mobilebert_homes(), {(24, 128): "uncased"}),
        Language("bert", _WORDS, _bert_homes(), _BERT_SIZES),
        Language(
            "albert",
            _PIECES,
            _albert_homes(),
            {(12, 768): "base", (24, 1024): "large", (24, 2048): "xlarge", (12, 4096): "xxlarge"},
        ),
        Language("electra", _WORDS, _electra_homes(), {(12, 256): "small", (12, 768): "base", (24, 1024): "large"}),
        Language(
            "gpt2",
            _BYTES,
            (Home(HUB, "language/gpt2_keras_hub", _GPT2),),
            {(12, 768): "small", (24, 1024): "medium", (36, 1280): "large", (48, 1600): "xl"},
        ),
        Language("t5", _PIECES_IN_AND_OUT, _t5_homes("", *_T5_HUB), {(6, 512): "small", (12, 768): "base"}),
        Language(
            "t5_v1_1",
            _PIECES_IN_AND_OUT,
            _t5_homes(", ffn_activations=('gelu', 'linear'), logits_via_embedding=False", *_NEWER_T5_HUB),
            {(8, 512): "small", (12, 768): "base", (24, 1024): "large", (24, 2048): "xl", (24, 4096): "xxl"},
        ),
        Language("xlnet", _PIECES_BEHIND, _xlnet_homes(), {(12, 768): "base", (24, 1024): "large"}),
    )
}
"""By name."""

ALBERT_LAYERS = {768: 12, 1024: 24, 2048: 24, 4096: 12}
"""Of the published ALBERTs, by width: one layer is used again and again, so no variable shows how often."""
HEAD = 64
"""The size of an attention head in all published models but ALBERT xlarge."""
HEADS_OF_MOBILEBERT = 4
HEAD_OF_ALBERT = {2048: 128}
"""By width."""
