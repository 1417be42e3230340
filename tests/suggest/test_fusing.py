"""Variables that are one on one side and several on the other: attention's three, and partitions."""

import numpy as np
import pytest

from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.suggest.fusing import fused, other_orders
from ckptmap.suggest.layer_values import Item
from ckptmap.suggest.layers import layers_of
from ckptmap.tf.checking.values import Candidate, Values
from tests.convert.conftest import write_tf1
from tests.suggest.conftest import write_new, write_old

FUSED = {
    f"model/h{at}/attn/{name}": shape
    for at in range(3)
    for name, shape in (
        ("c_attn/w", (1, 8, 24)),
        ("c_attn/b", (24,)),
        ("c_proj/w", (1, 8, 8)),
        ("c_proj/b", (8,)),
    )
}
APART = {
    f"layers/{at}/attention/{name}": (f"block_{at}/attention/{name}", shape)
    for at in range(3)
    for word in ("query", "key", "value")
    for name, shape in ((f"{word}/kernel", (8, 2, 4)), (f"{word}/bias", (2, 4)))
} | {
    f"layers/{at}/attention/out/{name}": (f"block_{at}/attention/out/{name}", shape)
    for at in range(3)
    for name, shape in (("kernel", (8, 8)), ("bias", (8,)))
}


def drafted(run, tmp_path, old, new):
    one, other = write_old(tmp_path / "old" / "m", old), write_new(tmp_path / "new" / "ckpt-1", new)
    table = tmp_path / "table.yaml"
    done = run("suggest", one, "--to", other, "-o", table)
    assert done.code in (0, 1), done.err
    assert run("rules", "check", table).code == 0
    converted = run("convert", one, "--to", other, "--table", table, "-o", tmp_path / "out")
    assert converted.code == 0, converted.err
    return done, table.read_text()


def test_one_variable_of_attention_is_cut_into_three_and_that_is_doubtful(run, tmp_path):
    done, text = drafted(run, tmp_path, FUSED, APART)
    assert done.code == 1
    lines = text.splitlines()
    assert "  - from: model/h{i}/attn/c_attn/w" not in lines  # quoted, as it has a placeholder
    assert '  - from: "model/h{i}/attn/c_attn/w"' in lines
    listed = ", ".join(f'"block_{{i}}/attention/{word}/kernel"' for word in ("query", "key", "value"))
    assert f"    to: [{listed}]" in lines
    assert "    ops: [{squeeze: [0]}, {split: {axis: -1, parts: 3}}, {reshape: target}]" in lines
    assert any("several variables are cut out of one, in the order query, key, value: a guess" in one for one in lines)
    assert "left over" not in text


def test_the_operations_of_another_layout_are_in_the_comment(run, tmp_path):
    _, text = drafted(run, tmp_path, FUSED, APART)
    by_head = "[{reshape: [-1, 2, 3, 4]}, {split: {axis: 2, parts: 3}}, {reshape: target}]"
    assert f"a guess; if each head has its own three, the operations are {by_head}" in text


def test_the_other_orders_of_one_kernel_cut_it_as_they_say(tmp_path):
    old = layers_of([Item("c_attn/w", "c_attn/w", (8, 24))])
    words = ("query", "key", "value")
    new = layers_of([Item(f"att/{word}/kernel", f"att/{word}/kernel", (8, 2, 4)) for word in words])
    (layer,) = fused(new, old, new=True)
    orders = other_orders(layer, new=True)
    assert len({(one.leaves["kernel"].join, one.leaves["kernel"].parts) for one in orders}) == len(orders) == 11
    kernel = np.arange(8 * 24, dtype=np.float32).reshape(8, 24)
    by_head = next(one for one in orders if one.leaves["kernel"].join.startswith("{reshape"))
    turned = next(one for one in orders if one.leaves["kernel"].parts[0] == "att/key/kernel")
    assert turned.leaves["kernel"].parts[1:] == ("att/query/kernel", "att/value/kernel")
    with open_checkpoint(write_tf1(tmp_path / "old", {"c_attn/w": kernel})) as checkpoint:
        values = Values(checkpoint)
        made = values.of(Candidate(old[0], by_head))
        cut = kernel.reshape(8, 2, 3, 4)
        for at, word in enumerate(words):
            assert made[f"att/{word}/kernel"].tolist() == cut[:, :, at].tolist()
        made = values.of(Candidate(old[0], turned))
        assert made["att/key/kernel"].tolist() == kernel[:, :8].reshape(8, 2, 4).tolist()


def test_three_variables_of_attention_become_one(run, tmp_path):
    old = {
        f"net/layer_{at}/{word}/{leaf}": shape
        for at in range(3)
        for word in ("query", "key", "value")
        for leaf, shape in (("kernel", (8, 8)), ("bias", (8,)))
    }
    new = {
        f"blocks/{at}/qkv/{leaf}": (f"block_{at}/qkv/{leaf}", shape)
        for at in range(3)
        for leaf, shape in (("kernel", (8, 24)), ("bias", (24,)))
    }
    done, text = drafted(run, tmp_path, old, new)
    assert done.code == 1
    listed = ", ".join(f'"net/layer_{{i}}/{word}/{{part}}"' for word in ("query", "key", "value"))
    assert f'  - from: [{listed}]\n    to: "block_{{i}}/qkv/{{part}}"\n    ops: [{{concat: -1}}]' in text
    assert "doubtful: 6 of 6 layers: several variables become one, in the order query, key, value: a guess" in text


def test_three_on_both_sides_stay_three(run, tmp_path):
    old = {f"net/{word}/kernel": (8, 8) for word in ("query", "key", "value")}
    new = {f"b/{word}/kernel": (f"b/{word}/kernel", (8, 8)) for word in ("query", "key", "value")}
    _, text = drafted(run, tmp_path, old, new)
    assert "split" not in text
    assert "concat" not in text


@pytest.mark.parametrize(("shapes", "whole", "axis"), [([(3, 4), (2, 4)], (5, 4), 0), ([(4, 3), (4, 3)], (4, 6), 1)])
def test_the_parts_of_a_partitioned_variable_become_one(run, tmp_path, shapes, whole, axis):
    old = {f"emb/weights/part_{at}": shape for at, shape in enumerate(shapes)} | {"out/kernel": (whole[1], 7)}
    new = {"e": ("embedding/embeddings", whole), "o": ("out/kernel", (whole[1], 7))}
    new = {f"{key}/v": value for key, value in new.items()}
    done, text = drafted(run, tmp_path, old, new)
    assert done.code == 0, text
    rule = f'{{from: "emb/weights/part_{{copy}}", to: embedding/embeddings, group: copy, ops: [{{concat: {axis}}}]}}'
    assert rule in text


def test_a_lone_part_is_the_whole_variable(run, tmp_path):
    old = {
        f"dnn/hiddenlayer_{at}/{leaf}/part_0": shape
        for at in range(2)
        for leaf, shape in (("kernel", (5, 5)), ("bias", (5,)))
    }
    new = {
        f"h{at}/{leaf}": (f"dense_{at}/{leaf}", shape)
        for at in range(2)
        for leaf, shape in (("kernel", (5, 5)), ("bias", (5,)))
    }
    _, text = drafted(run, tmp_path, old, new)
    assert "kernel/part_0: kernel" in text
    assert np.all([word not in text for word in ("concat", "group")])
