"""The doubtful choices of a draft, settled by what both models give. All in the one TensorFlow of the tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ckptmap.basics.errors import CkptmapError
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.mapping import apply_table
from ckptmap.suggest import Suggestion, suggest
from ckptmap.suggest.checking import EITHER, NEEDED, PROVEN, Checked
from ckptmap.suggest.layer_values import Matched
from ckptmap.suggest.layers import layers_of
from ckptmap.suggest.new_graph import NewGraph, new_flow, read_new_graph
from ckptmap.suggest.reading import read_new
from ckptmap.suggest.suggestion import loaded
from ckptmap.tf import graph_of
from ckptmap.tf.checking import checked
from ckptmap.tf.checking.trial import Sides
from ckptmap.tf.environment import TensorFlowError, import_quietly, prepare
from ckptmap.tf.verify.general.feeding import make_feeds
from ckptmap.tf.verify.general.pairing import paired
from ckptmap.tf.verify.general.source import find_source
from ckptmap.tf.verify.general.tf1_models import open_graph
from ckptmap.tf.verify.general.tf2_models import open_model
from tests.cli.conftest import Run, run
from tests.tf.checking import nets

__all__ = ["run"]

try:
    prepare()
except TensorFlowError as error:
    pytest.skip(str(error), allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")  # of TensorFlow itself


def here(new: str, runs: int = 600) -> Callable[[str, str, Matched], Checked]:
    """A check whose models run in this process: the new one is what a function of ``nets`` builds."""

    def check(old: str, template: str, matched: Matched) -> Checked:
        tf = import_quietly("tensorflow")
        one = open_graph(tf, replace(find_source(old, "old"), outputs=("verdict/BiasAdd",)))
        other = open_model(tf, find_source(template, "new", f"tests.tf.checking.nets:{new}", 3))
        outputs = paired(one.side.outputs, other.side.outputs, ())
        feeds = make_feeds((one.side, other.side), (), (), 0)
        with open_checkpoint(old) as checkpoint:
            return checked(matched, Sides(matched.old, matched.new, (one, other), feeds, outputs), checkpoint, runs)

    return check


def drafted(old: Path, new: Path, port: str, runs: int = 600) -> Suggestion:
    """The draft without the help of the ``.meta``, which is there for the run alone."""
    hidden = old.with_name("hidden.meta")
    meta = Path(f"{old}.meta")

    def check(one: str, other: str, matched: Matched) -> Checked:
        hidden.rename(meta)
        return here(port, runs)(one, other, matched)

    meta.rename(hidden)
    try:
        return suggest(old, to=new, check=check)
    finally:
        if hidden.exists():
            hidden.rename(meta)


def kernels(found: Suggestion) -> dict[str, str]:
    """What each old kernel becomes."""
    table = loaded(found.text)
    assert table is not None
    names = [name for layer in found.matched.old for name in layer.variables]
    made = apply_table(table, [*names, "global_step"]).assignments
    return {one.sources[0]: one.target for one in made if one.target.endswith("kernel")}


def reasons(found: Suggestion) -> dict[str, str]:
    return {found.matched.old[pair.old].scope: pair.why for pair in found.matched.pairs}


def test_layers_one_after_the_other_are_told_apart_by_what_enters_them(tmp_path: Path) -> None:
    old, new, _ = nets.save(tmp_path / "chain", nets.chain, nets.keras_chain)
    plain = suggest(old.with_name("model.ckpt"), to=new)
    assert kernels(plain)["lens/kernel"] == "ruby/kernel"  # the .meta says it; what follows is without it
    found = drafted(old, new, "keras_chain")
    wanted = {"lens": "ruby", "iris": "onyx", "eye": "opal", "focus": "jade", "verdict": "out"}
    assert kernels(found) == {f"{one}/kernel": f"{other}/kernel" for one, other in wanted.items()}
    why = reasons(found)
    assert [why[name] for name in ("lens", "iris", "eye", "focus")] == [PROVEN] * 4
    assert found.sure
    comment = "proven: this layer: the outputs of both models agree, and do not with the runner-up in its place"
    assert f"  # {comment}\n  - {{from: lens, to: ruby, as: conv}}" in found.text
    assert "with this table their outputs agree." in "\n".join(found.summary)


def test_branches_are_told_apart_by_what_comes_behind_them_and_a_side_branch_is_idle(tmp_path: Path) -> None:
    old, new, _ = nets.save(tmp_path / "branches", nets.branches, nets.keras_branches)
    found = drafted(old, new, "keras_branches")
    assert kernels(found) == {
        "zinc/kernel": "north/kernel",
        "acid/kernel": "south/kernel",
        "verdict/kernel": "out/kernel",
    }
    assert {reasons(found)[name] for name in ("zinc", "acid", "zinc_scale", "acid_scale")} == {PROVEN}
    assert '{match: "aside/{rest}", reason: "left over: no output of the model depends on it"}' in found.text
    assert "doubtful" not in found.text.replace("0 doubtful", "").replace("0 of them doubtful", "")


def test_a_real_saved_model_says_its_data_flow(tmp_path: Path) -> None:
    _, new, model = nets.save(tmp_path / "branches", nets.branches, nets.keras_branches)
    tf = import_quietly("tensorflow")
    function = tf.function(lambda image: model(image, training=False)).get_concrete_function(
        tf.TensorSpec((1, 8, 8, nets.WIDTH), tf.float32, "image")
    )
    model.run = function
    tf.saved_model.save(model, str(tmp_path / "saved"), signatures=function)
    assert sources(new, read_new_graph(tmp_path / "saved")) == BRANCHES


BRANCHES = {
    "north": set(),
    "south": set(),
    "north_norm": {"north"},
    "south_norm": {"south"},
    "out": {"north_norm", "south_norm"},
}


def sources(template: Path, graph: NewGraph) -> dict[str, set[str]]:
    """The layers of a template with those straight before each, as a graph says it."""
    with open_checkpoint(template) as checkpoint:
        layers = layers_of(read_new(template, checkpoint.inventory)[1])
    found = new_flow(graph, layers)
    assert found is not None
    return {
        layer.scope: {layers[one].scope for one in range(len(layers)) if found.direct[at] >> one & 1 and one != at}
        for at, layer in enumerate(layers)
    }


def test_a_live_model_says_its_data_flow(tmp_path: Path) -> None:
    _, new, model = nets.save(tmp_path / "branches", nets.branches, nets.keras_branches)
    assert sources(new, graph_of(model)) == BRANCHES


def test_layers_inside_layers_of_a_live_model_are_followed(tmp_path: Path) -> None:
    model = nets.subclassed()
    new = Path(import_quietly("tensorflow").train.Checkpoint(model=model).save(str(tmp_path / "new")))
    graph = graph_of(model, inputs=[f"image=float32[1,8,8,{nets.WIDTH}]"])
    assert sources(new, graph) == {
        "late/one": {"early/two"},
        "late/two": {"late/one"},
        "early/one": set(),
        "early/two": {"early/one"},
        "head": {"late/two"},
    }


def test_a_live_model_that_does_not_say_what_it_takes_is_refused() -> None:
    with pytest.raises(CkptmapError, match="does not say what it takes"):
        graph_of(nets.subclassed())


def test_the_command_takes_the_data_flow_of_code(run: Run, tmp_path: Path) -> None:
    old, new, _ = nets.save(tmp_path / "chain", nets.chain, nets.keras_chain)
    found = run("suggest", old, "--to", new, "--graph", "tests.tf.checking.nets:keras_chain", "--keras", "3")
    assert (found.code, found.err) == (0, "")
    assert "5 sure, 0 doubtful" in found.out
    ports = {"lens": "ruby", "iris": "onyx", "eye": "opal", "focus": "jade"}
    assert all(f"{{from: {one}, to: {other}, as: conv}}" in found.out for one, other in ports.items())


def test_code_that_is_not_there_is_said_in_the_words_of_the_command(run: Run, tmp_path: Path) -> None:
    old, new, _ = nets.save(tmp_path / "chain", nets.chain, nets.keras_chain)
    found = run("suggest", old, "--to", new, "--graph", "tests.tf.checking.nets:keras_chains")
    assert found.code == 2
    assert "has no function keras_chains" in found.err


def test_layers_that_can_be_exchanged_are_equal_either_way(tmp_path: Path) -> None:
    old, new, _ = nets.save(tmp_path / "twins", nets.twins, nets.keras_twins)
    found = drafted(old, new, "keras_twins")
    why = reasons(found)
    assert (why["one"], why["other"]) == (EITHER, EITHER)
    assert "Equal either way: one, other" in "\n".join(found.summary)
    assert found.sure


def test_what_a_cell_adds_to_its_forget_gate_is_settled_by_its_outputs(tmp_path: Path) -> None:
    old, new, _ = nets.save(tmp_path / "lstm", nets.lstm, nets.keras_lstm)
    found = drafted(old, new, "keras_lstm")
    assert reasons(found)["rnn/basic_lstm_cell"] == NEEDED
    assert "as: lstm_cell_without_forget_bias}" in found.text
    assert found.sure


def test_the_order_of_query_key_and_value_in_one_kernel_is_proven(tmp_path: Path) -> None:
    old, new, _ = nets.save(tmp_path / "attention", nets.attention, nets.keras_attention)
    found = drafted(old, new, "keras_attention")
    assert reasons(found)["c_attn"] == NEEDED
    assert "to: [query/{part}, key/{part}, value/{part}]" in found.text.replace('"', "")
    assert found.sure


def test_another_order_and_layout_of_query_key_and_value_are_found(tmp_path: Path) -> None:
    old, new, _ = nets.save(tmp_path / "by_head", nets.attention_by_head, nets.keras_attention_by_head)
    found = drafted(old, new, "keras_attention_by_head")
    assert reasons(found)["c_attn"] == NEEDED
    assert "to: [key/{part}, query/{part}, value/{part}]" in found.text.replace('"', "")
    assert "ops: [{reshape: [-1, 2, 3, 3]}, {split: {axis: 2, parts: 3}}, {reshape: target}]" in found.text
    assert found.sure


def test_another_model_is_not_proven_and_it_is_said_where_they_part(tmp_path: Path) -> None:
    old, new, _ = nets.save(tmp_path / "other", nets.chain, nets.keras_chain)
    _, _, _ = nets.save(tmp_path / "relu", nets.chain, nets.keras_relu)
    found = drafted(old, new, "keras_relu")
    told = "\n".join(found.summary)
    assert "no table that was tried makes their outputs agree." in told
    assert "is the first that does not" in told
    assert not found.sure
    assert not set(reasons(found).values()) & {PROVEN, NEEDED, EITHER}


def test_when_the_runs_are_used_up_the_rest_stays_doubtful(tmp_path: Path) -> None:
    old, new, _ = nets.save(tmp_path / "short", nets.twins, nets.keras_twins)
    found = drafted(old, new, "keras_twins", runs=1)
    assert "2 doubtful layers; the runs were used up" in "\n".join(found.summary)
    assert not found.sure


@pytest.mark.matrix
def test_the_command_runs_both_models_in_processes_of_their_own(tmp_path: Path) -> None:
    old, new, model = nets.save(tmp_path / "branches", nets.branches, nets.keras_branches)
    model.save(tmp_path / "model.keras")
    table = tmp_path / "table.yaml"
    options = ("--graph", tmp_path / "model.keras", "--check", "--old-output", "verdict/BiasAdd", "-o", table)
    command = [sys.executable, "-W", "ignore", "-m", "ckptmap", "suggest", old, "--to", new, *options]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "with this table their outputs agree." in done.stdout
    assert "  # proven: this layer: " in table.read_text()
