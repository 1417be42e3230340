"""Several checkpoints into one model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ckptmap
from ckptmap.basics.errors import CheckpointError, CkptmapError, OutputError, PlanError
from ckptmap.checkpoint.merged import open_sources
from ckptmap.planning.ledger import SourceFate
from tests.convert.conftest import values, write_template, write_tf1

CASES = Path(__file__).resolve().parents[2].parent / "shared" / "cases" / "models"


@pytest.fixture
def halves(tmp_path: Path) -> tuple[Path, Path]:
    """Both have a whole model: the encoder of the first is good, and the decoder of the second."""
    return (
        write_tf1(
            tmp_path / "a" / "model.ckpt",
            {"enc/w": values((2,), 1), "dec/w": values((2,), 9), "global_step": np.array(3, np.int64)},
        ),
        write_tf1(
            tmp_path / "b" / "model.ckpt",
            {"enc/w": values((2,), 8), "dec/w": values((2,), 2), "dec/w/Adam": values((2,), 7)},
        ),
    )


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_template(
        tmp_path / "zoo" / "ckpt-0", extra={"enc/kernel": ("e/kernel", (2,)), "dec/kernel": ("d/kernel", (2,))}
    )


def rules(folder: Path, *lines: str) -> Path:
    path = folder / "rules.yaml"
    own = "".join(f"- {line}\n" for line in lines)
    drops = "- {match: dec/w, reason: no}\n- {match: 'other:enc/w', reason: no}\n"
    inits = "- {match: '{s}', value: initializer, reason: not asked}\n"
    path.write_text(f"where: {{s: path}}\nvariables:\n{own}drop:\n{drops}init:\n{inits}")
    return path


def test_rules_say_which_checkpoint_they_mean(tmp_path: Path, halves: tuple[Path, Path], model: Path) -> None:
    table = rules(tmp_path, "{from: enc/w, to: e/kernel}", "{from: 'other:dec/w', to: d/kernel}")
    report = ckptmap.convert(halves[0], also={"other": halves[1]}, to=model, table=table, output=tmp_path / "o")
    assert {one["name"]: one["fate"] for one in report["source_variables"]} == {
        "enc/w": "mapped",
        "dec/w": "dropped",
        "global_step": "dropped",
        "other:enc/w": "dropped",
        "other:dec/w": "mapped",
        "other:dec/w/Adam": "dropped",
    }
    assert report["source"]["notes"] == [f"other is {halves[1]} (V2 bundle)"]
    assert report["output"]["checksums"]["source"].keys() == {"model.ckpt.index", "other:model.ckpt.index"}
    with ckptmap.open_checkpoint(tmp_path / "o") as checkpoint:
        names = {name: key for key, name in checkpoint.readable_names().items()}
        np.testing.assert_equal(checkpoint.read(names["e/kernel"]), values((2,), 1))
        np.testing.assert_equal(checkpoint.read(names["d/kernel"]), values((2,), 2))


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases that people met (../shared/cases) are not here")
def test_encoder_and_decoder_of_two_checkpoints_in_one_command(tmp_path: Path) -> None:
    case = CASES / "L28"
    report = ckptmap.convert(
        case / "enc", also={"dec": case / "dec"}, to=case / "tf2", table=case / "t.yaml", output=tmp_path / "o"
    )
    assert (report["summary"]["restored"], report["summary"]["missing"], report["findings"]) == (4, 0, [])
    with ckptmap.open_checkpoint(tmp_path / "o") as made:
        names = {name: key for key, name in made.readable_names().items()}
        for half, letter in (("enc", "encoder"), ("dec", "decoder")):
            with ckptmap.open_checkpoint(case / half) as old:
                np.testing.assert_equal(made.read(names[f"{letter}/kernel"]), old.read(f"{letter}/w"))
                np.testing.assert_equal(made.read(names[f"{letter}/bias"]), old.read(f"{letter}/b"))


def test_a_name_without_its_checkpoint_means_the_only_one_that_has_it(tmp_path: Path) -> None:
    one = write_tf1(tmp_path / "a" / "m", {"x/w": values((2,)), "both": values((2,))})
    other = write_tf1(tmp_path / "b" / "m", {"y/w": values((2,)), "both": values((2,))})
    with open_sources(one, {"b": other}) as checkpoint:
        assert checkpoint.inventory.names["b:y/w"] == ("y/w",)
        assert checkpoint.inventory.names["b:both"] == ()
        np.testing.assert_equal(checkpoint.read("b:y/w"), values((2,)))
        with pytest.raises(CheckpointError, match="holds no variable y/v"):
            checkpoint.read("y/v")


def test_moving_averages_belong_to_the_weights_of_their_own_checkpoint(tmp_path: Path, model: Path) -> None:
    one = write_tf1(tmp_path / "a" / "m", {"enc/w": values((2,), 1)})
    other = write_tf1(
        tmp_path / "b" / "m", {"dec/w": values((2,), 2), "dec/w/ExponentialMovingAverage": values((2,), 3)}
    )
    table = tmp_path / "t.yaml"
    table.write_text("variables:\n- {from: enc/w, to: e/kernel}\n- {from: dec/w, to: d/kernel}\n")
    plan = ckptmap.plan(one, also={"b": other}, to=model, table=table, init_missing=True)
    fates = {record.name: record.fate for record in plan.sources}
    assert fates == {
        "enc/w": SourceFate.MAPPED,
        "b:dec/w": SourceFate.SUPERSEDED,
        "b:dec/w/ExponentialMovingAverage": SourceFate.MAPPED,
    }


@pytest.mark.parametrize("label", ["", "a b", "a:b", "1", "a/b"])
def test_names_that_cannot_name_a_checkpoint(
    tmp_path: Path, halves: tuple[Path, Path], model: Path, label: str
) -> None:
    with pytest.raises(CkptmapError, match="cannot name a checkpoint"):
        ckptmap.plan(halves[0], also={label: halves[1]}, to=model)


def test_a_variable_that_is_called_as_one_of_a_named_checkpoint_would_be(
    tmp_path: Path, halves: tuple[Path, Path]
) -> None:
    odd = write_tf1(tmp_path / "odd" / "m", {"other:enc/w": values((2,))})
    with pytest.raises(CkptmapError, match="give that checkpoint another name"):
        open_sources(odd, {"other": halves[1]})


def test_two_checkpoints_that_fill_one_variable(tmp_path: Path, halves: tuple[Path, Path], model: Path) -> None:
    table = rules(tmp_path, "{from: enc/w, to: e/kernel}", "{from: 'other:dec/w', to: e/kernel}")
    with pytest.raises(PlanError, match="both become e/kernel"):
        ckptmap.plan(halves[0], also={"other": halves[1]}, to=model, table=table)


def test_the_folder_of_neither_source_is_written_to(tmp_path: Path, halves: tuple[Path, Path], model: Path) -> None:
    table = rules(tmp_path, "{from: enc/w, to: e/kernel}", "{from: 'other:dec/w', to: d/kernel}")
    with pytest.raises(OutputError, match="holds the source checkpoint"):
        ckptmap.convert(halves[0], also={"other": halves[1]}, to=model, table=table, output=tmp_path / "b", force=True)
