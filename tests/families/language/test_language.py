"""BERT and its kin are known, and find the table to the user's model, by names and shapes alone; no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import ckptmap
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import Inventory, Kind, Variable
from ckptmap.cli.app import app
from ckptmap.families.language.models import LANGUAGES
from ckptmap.families.registry import preprocessing_of, recognize, verdict_on
from ckptmap.mapping.roles import roles
from ckptmap.mapping.tables import load_table
from tests.convert.conftest import write_tf1
from tests.families.saved_models import saved_model
from tests.tf.language_reference import (
    Size,
    albert_shapes,
    bert_shapes,
    gpt2_shapes,
    head_shapes,
    mobilebert_shapes,
    random_values,
    xlnet_shapes,
)
from tests.tf.t5_reference import t5_shapes

Shapes = Mapping[str, tuple[int, ...]]
CASES = Path(__file__).resolve().parents[4] / "shared" / "cases" / "models"
CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpus" / "tf1"


def inventory(shapes: Shapes) -> Inventory:
    return Inventory(
        Kind.V2, "old/model.ckpt", {name: Variable(name, DType.FLOAT32, s, 0) for name, s in shapes.items()}
    )


BASE = Size(12, 768, 12, 128, 30522, 512)
"""ALBERT's and ELECTRA's embeddings are narrower; BERT's are as wide as its layers."""


@pytest.mark.parametrize(
    ("shapes", "name", "traits"),
    [
        (
            bert_shapes(Size(12, 768, 12, 0, 30522, 512)) | head_shapes(Size(12, 768, 12, 0, 30522), "pretraining"),
            "bert_base",
            "12 layers; width 768; vocabulary of 30522; 512 positions; heads for masked words, next sentence",
        ),
        (
            bert_shapes(Size(2, 128, 2, 0, 100)) | head_shapes(Size(2, 128, 2), "classes"),
            "bert_tiny",
            "2 layers; width 128; vocabulary of 100; 11 positions; heads for 3 classes",
        ),
        (bert_shapes(Size(5, 40, 2)), "bert", "5 layers; width 40; vocabulary of 37; 11 positions"),
        (
            albert_shapes(BASE),
            "albert_base",
            "one layer, used several times; width 768; embeddings of 128; vocabulary of 30522; 512 positions",
        ),
        (
            bert_shapes(Size(12, 256, 4, 128, 30522, 512), "electra"),
            "electra_small",
            "12 layers; width 256; embeddings of 128; vocabulary of 30522; 512 positions",
        ),
        (
            gpt2_shapes(Size(12, 768, 12, 0, 50257, 1024)),
            "gpt2_small",
            "12 layers; width 768; vocabulary of 50257; 1024 positions",
        ),
        (
            mobilebert_shapes(Size(2, 24, 3, 8)),
            "mobilebert",
            "2 layers; width 12; embeddings of 8; vocabulary of 37; 11 positions",
        ),
        (
            xlnet_shapes(Size(12, 768, 12, 0, 32000)),
            "xlnet_base",
            "12 layers; width 768; vocabulary of 32000; 12 heads",
        ),
        (
            mobilebert_shapes(Size(3, 24, 3, 8), teacher=True),
            "mobilebert",
            "3 layers; width 12; embeddings of 8; vocabulary of 37; 11 positions",
        ),
        (
            t5_shapes(Size(6, 512, 8, 0, 32128)),
            "t5_small",
            "6 layers; width 512; vocabulary of 32128; 8 heads",
        ),
        (
            t5_shapes(Size(2, 24, 3), newer=True),
            "t5_v1_1",
            "2 layers; width 24; vocabulary of 37; 3 heads",
        ),
    ],
)
def test_what_is_recognized(shapes: Shapes, name: str, traits: str) -> None:
    found = recognize(inventory(shapes))
    assert found is not None
    assert (found.name, found.traits()) == (name, traits)


@pytest.mark.parametrize(
    "names",
    [
        ["bert/embeddings/word_embeddings"],
        ["bert/embeddings/word_embeddings", "bert/embeddings/position_embeddings"],
        ["model/wte", "model/wpe"],
    ],
)
def test_a_part_of_a_model_is_none(names: list[str]) -> None:
    assert recognize(inventory(dict.fromkeys(names, (8, 8)))) is None
    assert recognize(inventory(dict.fromkeys([*names, "model/h0/mlp/c_fc/w"], (8,)))) is None


def test_the_call_has_the_sizes_and_the_published_heads() -> None:
    found = recognize(inventory(bert_shapes(Size(12, 768, 12, 0, 30522, 512))))
    assert found is not None
    assert (
        "keras_hub.models.BertBackbone(vocabulary_size=30522, num_layers=12, num_heads=12, hidden_dim=768, "
        "intermediate_dim=2304, max_sequence_length=512, num_segments=2)  # equal"
    ) in found.remark
    assert "no variable shows the number of heads: these are the published models'" in found.remark
    odd = recognize(inventory(bert_shapes(Size(2, 24, 3))))
    assert odd is not None
    assert "num_heads=..., " in odd.remark
    assert "see the config beside the checkpoint" in odd.remark


def test_the_calls_of_mobilebert_and_xlnet() -> None:
    mobile = recognize(inventory(mobilebert_shapes(Size(3, 40, 4, 16))))
    assert mobile is not None
    assert mobile.remark.count("MobileBERTEncoder(") == 1
    assert (
        "word_embed_size=16, type_vocab_size=2, max_sequence_length=11, num_blocks=3, hidden_size=40, "
        "num_attention_heads=4, intermediate_size=120, intra_bottleneck_size=20, "
        "num_feedforward_networks=2)  # weights only"
    ) in mobile.remark
    own = xlnet_shapes(Size(2, 24, 3))
    for shapes, tied in ((own, False), ({name: s[1:] if "_bias" in name else s for name, s in own.items()}, True)):
        found = recognize(inventory(shapes))
        assert found is not None
        assert "num_attention_heads=3, head_size=8, inner_size=72, dropout_rate=0.1, " in found.remark
        assert f"tie_attention_biases={tied}, " in found.remark
        assert "the variables show all sizes" in found.remark
        hub = "XLNetBackbone(vocabulary_size=37, num_layers=2, num_heads=3, hidden_dim=24, intermediate_dim=72, "
        assert found.remark.count(hub) == 1


def test_the_calls_of_t5() -> None:
    old, new = (recognize(inventory(t5_shapes(Size(2, 24, 3), newer))) for newer in (False, True))
    assert old is not None
    assert new is not None
    sizes = "num_layers=2, d_model=24, d_kv=8, num_heads=3, d_ff=72, vocab_size=37, target_vocab_size=37, "
    sizes += "relative_attention_num_buckets=32, "
    assert f"T5TransformerParams({sizes}shared_embedding=True))  # equal" in old.remark
    newer = "shared_embedding=True, ffn_activations=('gelu', 'linear'), logits_via_embedding=False))  # equal"
    assert f"T5TransformerParams({sizes}{newer}" in new.remark
    sizes = "vocabulary_size=37, num_layers=2, num_heads=3, hidden_dim=24, intermediate_dim=72, key_value_dim=8, "
    assert f"T5Backbone({sizes}use_gated_activation=False)  # equal" in old.remark
    gelu = "activation=lambda x: keras.activations.gelu(x, approximate=True), tie_embedding_weights=False)  # equal"
    assert f"T5Backbone({sizes}{gelu}" in new.remark


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    size = Size(1, 8, 2)
    values = random_values({**bert_shapes(size), **head_shapes(size, "pretraining")})
    return write_tf1(tmp_path_factory.mktemp("old") / "model.ckpt", values)


def hub_shapes(size: Size) -> Shapes:
    """Of KerasHub's BertBackbone."""
    head, width = size.width // size.heads, size.width
    found: dict[str, tuple[int, ...]] = {
        "token_embedding/embeddings": (size.vocabulary, width),
        "position_embedding/embeddings": (size.positions, width),
        "segment_embedding/embeddings": (size.types, width),
        "pooled_dense/kernel": (width, width),
        "pooled_dense/bias": (width,),
    }
    norms = ["embeddings_layer_norm"]
    for at in range(size.layers):
        layer = f"transformer_layer_{at}"
        norms += [f"{layer}/self_attention_layer_norm", f"{layer}/feedforward_layer_norm"]
        for part in ("query", "key", "value"):
            kernel = f"{layer}/self_attention_layer/{part}"
            found |= {f"{kernel}/kernel": (width, size.heads, head), f"{kernel}/bias": (size.heads, head)}
        out = f"{layer}/self_attention_layer/attention_output"
        found |= {f"{out}/kernel": (size.heads, head, width), f"{out}/bias": (width,)}
        wide, narrow = f"{layer}/feedforward_intermediate_dense", f"{layer}/feedforward_output_dense"
        found |= {f"{wide}/kernel": (width, size.inner), f"{wide}/bias": (size.inner,)}
        found |= {f"{narrow}/kernel": (size.inner, width), f"{narrow}/bias": (width,)}
    return {**found, **{f"{norm}/{leaf}": (width,) for norm in norms for leaf in ("gamma", "beta")}}


def test_the_table_to_a_template_is_found_by_itself(old: Path, tmp_path: Path) -> None:
    template = saved_model(tmp_path / "mine" / "ckpt-1", hub_shapes(Size(1, 8, 2)))
    report = ckptmap.convert(old, to=template, output=tmp_path / "new")
    summary = report["summary"]
    assert (report["findings"], summary["restored"], summary["missing"], summary["unused"]) == ([], 23, 0, 0)
    dropped = {row["name"]: row["reason"] for row in report["source_variables"] if row["fate"] == "dropped"}
    assert dropped["cls/predictions/output_bias"] == "the model has no head for masked words"
    assert dropped["cls/seq_relationship/output_bias"] == "KerasHub has no head for the next sentence"
    assert len(dropped) == 7
    judged = report["verdict"]
    assert (judged["kind"], judged["extractor_type"]) == ("equal", "keras_hub.models.BertBackbone")
    assert "vocab.txt" in judged["advice"]
    with ckptmap.open_checkpoint(old) as source, ckptmap.open_checkpoint(tmp_path / "new") as made:
        key = next(key for key, name in made.readable_names().items() if name.endswith("query/kernel"))
        expected = source.read("bert/encoder/layer_0/attention/self/query/kernel").reshape(8, 2, 4)
        np.testing.assert_array_equal(made.read(key), expected)


def test_names_that_agree_need_no_table(old: Path, tmp_path: Path) -> None:
    with ckptmap.open_checkpoint(old) as source:
        shapes = {name: one.shape for name, one in source.inventory.variables.items()}
    report = ckptmap.convert(old, to=saved_model(tmp_path / "mine" / "ckpt-1", shapes), output=None)
    assert (report["summary"]["restored"], report["verdict"]) == (len(shapes), None)


def test_inspect_gives_the_command_and_how_to_make_the_template(old: Path) -> None:
    printed = CliRunner().invoke(app, ["inspect", str(old)]).output
    assert f"ckptmap convert {old} --to my_model/ckpt-1 -o bert_tf2\n" in printed
    assert "model = official.nlp.modeling.networks.BertEncoderV2(vocab_size=37, hidden_size=8" in printed


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_table_is_whole_and_judged(name: str) -> None:
    for home in LANGUAGES[name].homes:
        judged = verdict_on(home.table)
        assert load_table(home.table).rules
        assert judged is not None
        assert judged.equal is not bool(home.differs)
        assert judged.extractor_type == home.title
        assert preprocessing_of(home.table).startswith("token ids of ")


def test_the_encoder_of_a_pretraining_checkpoint_of_electra(tmp_path: Path) -> None:
    if not (case := CASES / "L12").is_dir():
        pytest.skip("the case is not here")
    summary = ckptmap.convert(case / "tf1", to=case / "tf2", output=tmp_path / "new")["summary"]
    assert (summary["restored"], summary["missing"], summary["unused"], summary["dropped"]) == (197, 0, 0, 998)


def test_a_small_bert_of_other_people_is_known() -> None:
    if not (file := CORPUS / "tf1_bert_tiny_keras_bert").is_dir():
        pytest.skip("the corpus is not here")
    with ckptmap.open_checkpoint(file) as checkpoint:
        found = recognize(checkpoint.inventory, roles(checkpoint.inventory))
    assert found is not None
    assert found.traits() == "2 layers; width 4; vocabulary of 15; 16 positions; heads for masked words, next sentence"
