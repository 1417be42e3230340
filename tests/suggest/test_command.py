"""The command, from two checkpoints to a table that ``rules check`` and ``convert`` take."""

import json
import random
from pathlib import Path

import jsonschema
import pytest

from ckptmap.report.sheets import schema_file
from tests.suggest.conftest import write_new, write_old

OLD = {
    "net/conv1/weights": (3, 3, 3, 16),
    "net/conv1/BatchNorm/beta": (16,),
    "net/conv1/BatchNorm/gamma": (16,),
    "net/conv1/BatchNorm/moving_mean": (16,),
    "net/conv1/BatchNorm/moving_variance": (16,),
    "net/conv2/weights": (3, 3, 16, 32),
    "net/conv2/biases": (32,),
    "net/fc/weights": (1, 1, 32, 10),
    "net/fc/biases": (10,),
    "global_step": (),
}
NEW = {
    "layer_with_weights-0/kernel": ("conv2d/kernel", (3, 3, 3, 16)),
    "layer_with_weights-1/beta": ("batch_normalization/beta", (16,)),
    "layer_with_weights-1/gamma": ("batch_normalization/gamma", (16,)),
    "layer_with_weights-1/moving_mean": ("batch_normalization/moving_mean", (16,)),
    "layer_with_weights-1/moving_variance": ("batch_normalization/moving_variance", (16,)),
    "layer_with_weights-2/kernel": ("conv2d_1/kernel", (3, 3, 16, 32)),
    "layer_with_weights-2/bias": ("conv2d_1/bias", (32,)),
    "layer_with_weights-3/kernel": ("dense/kernel", (32, 10)),
    "layer_with_weights-3/bias": ("dense/bias", (10,)),
}
TABLE = """
include:
  - {table: kinds/slim}

kinds:
  conv_reshaped:
    biases: bias
    weights: {to: kernel, ops: [{squeeze: [0, 1]}]}

where:
  i: int

layers:
  - {from: "net/conv{i}", to: "conv2d{i-1:auto}", as: conv}
  - {from: net/conv1/BatchNorm, to: batch_normalization, as: batch_norm}
  - {from: net/fc, to: dense, as: conv_reshaped}

drop:
  - {match: global_step, reason: "bookkeeping: the training step"}
"""


@pytest.fixture
def old(tmp_path):
    return write_old(tmp_path / "old" / "model.ckpt", OLD)


@pytest.fixture
def new(tmp_path):
    return write_new(tmp_path / "new" / "ckpt-1", NEW)


def test_a_model_whose_names_have_nothing_in_common_is_paired_by_its_shapes(run, old, new, tmp_path):
    table = tmp_path / "draft.yaml"
    found = run("suggest", old, "--to", new, "-o", table)
    assert (found.code, found.err) == (0, f"wrote {table}\n")
    assert "4 of 4 old layers have a partner among 4 new ones:\n  4 sure, 0 doubtful.\n" in found.out
    text = table.read_text()
    assert text[text.index("\ninclude") :] == TABLE


def test_the_draft_is_without_mistakes_and_accounts_for_every_variable(run, old, new, tmp_path):
    table = tmp_path / "draft.yaml"
    run("suggest", old, "--to", new, "-o", table)
    assert run("rules", "check", table).code == 0
    dry = run("convert", old, "--to", new, "--table", table, "--dry-run")
    assert dry.code == 0, dry.err


def test_without_a_file_the_table_goes_to_the_screen(run, old, new):
    assert TABLE in run("suggest", old, "--to", new).out


def test_the_draft_for_programs_follows_its_schema(run, old, new):
    document = json.loads(run("suggest", old, "--to", new, "--json").out)
    jsonschema.validate(document, json.loads(schema_file("ckptmap.suggest/1").read_text(encoding="utf-8")))
    layers = {"old_layers": 4, "new_layers": 4, "pairs": 4, "sure": 4, "proven": 0, "doubtful": 0}
    assert document["counts"] == layers | {"rules": 3, "doubtful_rules": 0}
    assert (document["passed"], document["trusted"], document["coverage"]) == (True, True, {"old": 1, "new": 1})
    fc = next(pair for pair in document["pairs"] if pair["old"] == "net/fc")
    assert (fc["new"], fc["sure"], fc["why"]) == ("dense", True, "nothing else has these shapes")
    kernel = {"old": ["net/fc/weights"], "new": ["dense/kernel"], "operations": "[{squeeze: [0, 1]}]"}
    assert kernel in fc["variables"]
    assert TABLE in document["table"]


def test_programs_are_told_what_is_left_over_and_doubtful(run, old, new, tmp_path):
    more = write_old(tmp_path / "more" / "model.ckpt", {**OLD, "extra/weights": (3, 3, 16, 32)})
    file = tmp_path / "draft.json"
    found = run("suggest", more, "--to", new, "--json", "-o", file)
    assert found.code == 1
    document = json.loads(found.out)
    assert document == json.loads(file.read_text())
    assert document["left_old"] == [{"layer": "extra", "variables": ["extra/weights"]}]
    doubtful = {pair["old"]: pair["rival_old"] for pair in document["pairs"] if not pair["sure"]}
    assert doubtful == {"net/conv2": "extra"}
    shown = run("report", file, "--format", "csv")
    assert "net/conv2,pair,doubtful,conv2d_1,a layer of the same shape is left over,extra" in shown.out


def test_nothing_is_overwritten_unless_told(run, old, new, tmp_path):
    table = tmp_path / "draft.yaml"
    table.write_text("mine")
    refused = run("suggest", old, "--to", new, "-o", table)
    assert refused.code == 2
    assert "is there already" in refused.err
    assert table.read_text() == "mine"
    assert run("suggest", old, "--to", new, "-o", table, "--force").code == 0
    assert table.read_text() != "mine"


def test_a_table_has_to_be_called_one(run, old, new, tmp_path):
    refused = run("suggest", old, "--to", new, "-o", tmp_path / "new.index")
    assert refused.code == 2
    assert "give one that ends in .yaml" in refused.err


def test_what_is_left_over_is_dropped_marked_and_an_exit_code_of_1(run, new, tmp_path):
    more = write_old(tmp_path / "more" / "model.ckpt", {**OLD, "extra/weights": (7, 7)})
    found = run("suggest", more, "--to", new)
    assert found.code == 1
    assert "1 old layer is left over: extra." in found.out
    assert '  # doubtful\n  - {match: "extra/{rest}", reason: "left over: no new layer is like it"}' in found.out


def test_a_tf2_checkpoint_as_the_old_side_is_refused(run, new):
    refused = run("suggest", new, "--to", new)
    assert refused.code == 2
    assert "is a TF2 checkpoint already" in refused.err


def test_a_tf1_checkpoint_as_the_new_side_is_refused(run, old):
    refused = run("suggest", old, "--to", old)
    assert refused.code == 2
    assert "a TF1 checkpoint cannot be the target" in refused.err


def test_a_checkpoint_without_weights_is_refused(run, new, tmp_path):
    empty = write_old(tmp_path / "empty" / "model.ckpt", {"global_step": ()})
    refused = run("suggest", empty, "--to", new)
    assert refused.code == 2
    assert "holds no weight" in refused.err


def test_two_models_with_nothing_in_common_are_refused(run, new, tmp_path):
    other = write_old(tmp_path / "other" / "model.ckpt", {"a/weights": (7, 9), "a/biases": (9,)})
    refused = run("suggest", other, "--to", new)
    assert refused.code == 2
    assert "nothing in common" in refused.err


def test_a_template_of_another_model_is_disowned_first(run, tmp_path):
    layers = {f"net/block{at}/weights": (8, 8) for at in range(24)}
    one = write_old(tmp_path / "old" / "model.ckpt", {**layers, "net/stem/weights": (3, 8)})
    names = {f"block{at}": (8, 8) for at in range(12)} | {"stem": (3, 8)}
    other = write_new(tmp_path / "new" / "ckpt-1", {f"{n}/kernel": (f"{n}/kernel", s) for n, s in names.items()})
    found = run("suggest", one, "--to", other)
    assert found.code == 1
    lines = found.out.splitlines()
    assert lines[1] == "# DO NOT TRUST THIS DRAFT: the two may be different models."
    assert lines[3] == "#   52% of the old variables and 100% of the new ones have a partner."
    assert "  0 sure, 13 doubtful." in found.out


def test_a_shipped_target_is_taken_in_the_layout_of_the_checkpoint(run, tmp_path):
    fixture = Path(__file__).parents[2] / "fixtures" / "ssd_mobilenet_v2_depthwise"
    table = tmp_path / "draft.yaml"
    found = run("suggest", fixture, "--to", "ssd_mobilenet_v2", "-o", table)
    assert found.code == 0
    assert "140 of 140 old layers have a partner among 140 new ones:\n  140 sure, 0 doubtful." in found.out
    dry = run("convert", fixture, "--to", "ssd_mobilenet_v2", "--table", table, "--dry-run")
    assert dry.code == 0, dry.err


def test_counted_scalars_are_stacked_and_that_is_doubtful(run, tmp_path):
    old = {"net/w": (), "net/w_1": (), "net/w_2": (), "net/conv/weights": (3, 3, 2, 4), "global_step": ()}
    new = {"a/weights": ("fusion/weights", (3, 1)), "b/kernel": ("conv/kernel", (3, 3, 2, 4))}
    one, other = write_old(tmp_path / "old" / "m", old), write_new(tmp_path / "new" / "ckpt-1", new)
    table = tmp_path / "draft.yaml"
    assert run("suggest", one, "--to", other, "-o", table).code == 1
    text = table.read_text()
    rule = '  - {from: "net/w{copy}", to: fusion/weights, group: copy, ops: [{stack: 0}, {reshape: [-1, 1]}]}'
    assert rule in text.splitlines()
    dry = run("convert", one, "--to", other, "--table", table, "--dry-run")
    assert dry.code == 0, dry.err


def test_too_many_variables_are_refused_at_once(run, new, tmp_path):
    many = write_old(tmp_path / "many" / "model.ckpt", {f"net/w{at}/weights": (1,) for at in range(12_001)})
    refused = run("suggest", many, "--to", new)
    assert refused.code == 2
    assert "12,001 variables are too many" in refused.err


def test_too_many_layers_are_refused_at_once(run, new, tmp_path):
    many = write_old(tmp_path / "many" / "model.ckpt", {f"net/w{at}/weights": (1,) for at in range(5_001)})
    refused = run("suggest", many, "--to", new)
    assert refused.code == 2
    assert "5,001 layers of the old side" in refused.err


def test_a_name_that_no_pattern_can_hold_is_said_first(run, tmp_path):
    one = write_old(tmp_path / "old" / "m", {"net/what?/weights": (3, 4), "net/fc/weights": (4, 5)})
    other = write_new(tmp_path / "new" / "ckpt-1", {"a/kernel": ("a/kernel", (3, 4)), "b/kernel": ("b/kernel", (4, 5))})
    found = run("suggest", one, "--to", other)
    assert found.code == 1
    assert found.out.startswith("# THIS DRAFT HAS MISTAKES: `ckptmap rules check` says which")


def test_layers_that_nothing_tells_apart_end_soon_and_are_all_doubtful(run, tmp_path):
    letters = random.Random(2)
    names = ["".join(letters.choices("abcdefghij", k=8)) for _ in range(1200)]
    one = write_old(tmp_path / "old" / "m", {f"{name}/weights": (1, 1) for name in names[:600]})
    other = write_new(tmp_path / "new" / "ckpt-1", {f"{n}/kernel": (f"{n}/kernel", (1, 1)) for n in names[600:]})
    found = run("suggest", one, "--to", other)
    assert found.code == 1
    assert "#   0 sure, 600 doubtful." in found.out
