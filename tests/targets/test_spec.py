"""Spec files read, and damaged ones refused with the file's name."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from ckptmap.basics.errors import TargetError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.targets.choose import Setting
from ckptmap.targets.dims import parse_dim
from ckptmap.targets.solve import Unknown
from ckptmap.targets.spec import has_keys, load_spec
from ckptmap.targets.spec_compression import compress
from ckptmap.targets.variables import Initializer, SpecVariable

from .conftest import SPEC


def test_load(tmp_path: Path) -> None:
    path = tmp_path / "toy.json"
    path.write_text(json.dumps(SPEC), encoding="utf-8")
    target = load_spec(path)
    assert (target.name, target.table, target.root, target.origin) == ("toy", "toy", "model", "by hand")
    assert target.settings[1] == Setting("num_layers", (1, 2), 2, "feature_extractor.num_layers")
    assert target.unknowns["box_code_size"] == Unknown("box_code_size", "numbers in a box encoding", 4)
    assert target.excluded == ({"use_dropout": (True,), "norm": ("none",)},)
    assert len(target.variables) == 6
    assert target.variables[2] == SpecVariable(
        key="_feature_extractor/maps/1/kernel",
        name="toy_extractor/FeatureMaps/layer_1_1x1_{width_32}_conv/kernel",
        dtype=DType.FLOAT32,
        dims=tuple(parse_dim(dim) for dim in (1, 1, "width_32", "2*width_32")),
        initializer=Initializer("zeros"),
        part="neck",
        when={"num_layers": (2,)},
    )
    assert target.variables[0].initializer == Initializer("truncated_normal", {"mean": 0.0, "stddev": 0.03})
    assert target.variables[1].trainable is False


def test_which_keys_a_target_can_have(tmp_path: Path) -> None:
    path = tmp_path / "toy.json"
    keys = {item["key"] for item in SPEC["variables"]}
    one = "_feature_extractor/maps/1/kernel"
    assert one in keys
    for variables in (SPEC["variables"], compress(SPEC["variables"])):
        path.write_text(json.dumps({**SPEC, "variables": variables}), encoding="utf-8")
        assert has_keys(path, keys)
        assert has_keys(path, {one})
        assert has_keys(path, set())
        assert not has_keys(path, {one, "_feature_extractor/maps/9/kernel"})
        assert not has_keys(path, {one, "_feature_extractor/maps/1/bias"})
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"schema": SPEC["schema"], "name": "other", "same_as": "toy"}), encoding="utf-8")
    assert has_keys(other, keys)
    assert not has_keys(other, {"net/kernel"})
    path.write_text(json.dumps({**SPEC, "variables": [{"key": one}]})[:-1], encoding="utf-8")
    with pytest.raises(TargetError, match="the target spec cannot be read"):
        has_keys(path, {one})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "the target spec cannot be read"),
        ("[]", "no target spec of schema ckptmap.target/1"),
        ('{"schema": "ckptmap.target/2"}', "no target spec of schema ckptmap.target/1"),
        ('{"schema": "ckptmap.target/1"}', "the target spec is damaged"),
    ],
)
def test_what_is_no_spec(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TargetError, match=message) as error:
        load_spec(path)
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize(("field", "value"), [("dims", ["a-b"]), ("dtype", "float31"), ("initializer", "none")])
def test_a_damaged_variable(tmp_path: Path, field: str, value: object) -> None:
    spec = copy.deepcopy(SPEC)
    spec["variables"][0][field] = value
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(spec), encoding="utf-8")
    with pytest.raises(TargetError, match="the target spec is damaged"):
        load_spec(path)


def test_a_folded_spec_and_one_that_has_its_variables(tmp_path: Path) -> None:
    plain, folded, same = (tmp_path / f"{name}.json" for name in ("toy", "folded", "same"))
    plain.write_text(json.dumps(SPEC), encoding="utf-8")
    folded.write_text(json.dumps({**SPEC, "variables": compress(SPEC["variables"]), "root": ""}), encoding="utf-8")
    same.write_text(json.dumps({"schema": SPEC["schema"], "name": "same", "same_as": "folded"}), encoding="utf-8")
    wanted, other = load_spec(plain).variables, load_spec(same)
    assert load_spec(folded).variables == other.variables == wanted
    assert (other.name, other.table, other.root) == ("same", "same", "")
    keys = {variable.key for variable in wanted}
    assert has_keys(folded, keys)
    assert has_keys(same, keys)
    assert not has_keys(same, {*keys, "net/other"})


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="cannot be read"):
        load_spec(tmp_path / "none.json")
