"""What is written has the template's object graph: every path to a shared variable, none through an optimizer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import ckptmap
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.inventory import OBJECT_GRAPH_KEY
from ckptmap.checkpoint.object_graph import Child, Node, ObjectGraph, SavedTensor, variable_key
from ckptmap.checkpoint.object_graph_writing import format_object_graph
from ckptmap.checkpoint.object_writer import ObjectValue, add_objects
from ckptmap.checkpoint.staging import Staging
from ckptmap.checkpoint.values import encode, join_strings
from ckptmap.checkpoint.writer import BundleWriter
from tests.convert.conftest import values, write_tf1


def zeros(name: str) -> ObjectValue:
    return ObjectValue(name, DType.FLOAT32, (2,), [bytes(8)])


def write_graph(prefix: Path, nodes: dict[str, tuple[dict[str, str], str]]) -> Path:
    """A checkpoint of objects: each its children, and the key and readable name where it is a variable."""
    numbers = {name: at for at, name in enumerate(nodes)}
    graph = []
    with Staging(prefix.parent) as staging:
        with BundleWriter(staging, prefix.name) as writer:
            for children, saved in nodes.values():
                key, _, name = saved.partition(" ")
                tensors = (SavedTensor("VARIABLE_VALUE", name, variable_key(key)),) if key else ()
                graph.append(Node(tuple(Child(one, numbers[other]) for one, other in children.items()), tensors))
                if key:
                    shape = () if key.endswith("_iterations") else (2,)
                    writer.add(variable_key(key), DType.FLOAT32, shape, [bytes(8 if shape else 4)])
            text = format_object_graph(ObjectGraph(tuple(graph)))
            writer.add(OBJECT_GRAPH_KEY, DType.STRING, (), [join_strings([text])])
            writer.finish()
        staging.commit()
    return prefix


def test_tied_embeddings_arrive_under_every_path(tmp_path: Path) -> None:
    links = {"encoder/embedding/table": "decoder/table", "words": "decoder/table", "also": "encoder"}
    with Staging(tmp_path / "t") as staging:
        with BundleWriter(staging, "ckpt") as writer:
            held = {"decoder/table": zeros("t"), "encoder/dense/kernel": zeros("k")}
            add_objects(writer, "model", held.items(), links=links)
            writer.finish()
        staging.commit()
    source = write_tf1(tmp_path / "m", {"t": values((2,), 1), "k": values((2,), 5)})
    ckptmap.convert(source, to=tmp_path / "t" / "ckpt", output=tmp_path / "o")
    with ckptmap.open_checkpoint(tmp_path / "o") as checkpoint:
        graph = checkpoint.object_graph()
        assert graph is not None
        paths = ("model/decoder/table", "model/encoder/embedding/table", "model/words", "model/also/embedding/table")
        keys = {graph.key(path) for path in paths}
        assert len(keys) == 1
        np.testing.assert_equal(checkpoint.read(next(key for key in keys if key)), values((2,), 1))
        assert graph.key("model/also/dense/kernel") == graph.key("model/encoder/dense/kernel") is not None


def test_a_template_that_names_its_weights_by_the_optimizer(tmp_path: Path) -> None:
    """As Keras 3 does: the weights are there, under the model's own paths, and nothing of the optimizer is."""
    template = write_graph(
        tmp_path / "t" / "ckpt",
        {
            "root": ({"model": "model", "optimizer": "opt"}, ""),
            "model": ({"_operations": "ops", "optimizer": "opt"}, ""),
            "opt": ({"_variables": "all", "_trainable_variables": "train", "_iterations": "step"}, ""),
            "ops": ({"0": "dense"}, ""),
            "all": ({"0": "step", "1": "slot"}, ""),
            "train": ({"0": "kernel"}, ""),
            "dense": ({"_kernel": "kernel", "bias": "bias"}, ""),
            "step": ({}, "optimizer/_iterations adam/iteration"),
            "slot": ({}, "optimizer/_variables/1 adam/dense_kernel_momentum"),
            "kernel": ({}, "optimizer/_trainable_variables/0 dense/kernel"),
            "bias": ({}, "model/_operations/0/bias dense/bias"),
        },
    )
    source = write_tf1(tmp_path / "m", {"dense/kernel": values((2,), 1), "dense/bias": values((2,), 3)})
    report = ckptmap.convert(source, to=template, output=tmp_path / "o")
    assert (report["target"]["root"], report["summary"]["restored"]) == ("model", 2)
    with ckptmap.open_checkpoint(tmp_path / "o") as checkpoint:
        graph = checkpoint.object_graph()
        assert graph is not None
        assert graph.root_names == ("model", "save_counter")
        key = graph.key("model/_operations/0/_kernel")
        assert key == variable_key("model/_operations/0/_kernel")
        np.testing.assert_equal(checkpoint.read(key), values((2,), 1))
        assert (
            encode(DType.FLOAT32, checkpoint.read(variable_key("model/_operations/0/bias")))
            == values((2,), 3).tobytes()
        )
    back = ckptmap.plan(template, to=tmp_path / "o" / "ckpt-0")
    assert {record.name for record in back.sources if record.fate.value == "mapped"} == {"dense/kernel", "dense/bias"}
    assert back.findings == ()


def test_rules_take_readable_names_paths_and_keys_of_a_tf2_source(tmp_path: Path) -> None:
    held = {"a/kernel": zeros("one/kernel"), "b/kernel": zeros("two/kernel"), "c/kernel": zeros("three/kernel")}
    with Staging(tmp_path / "t") as staging:
        with BundleWriter(staging, "ckpt") as writer:
            add_objects(writer, "model", held.items())
            writer.finish()
        staging.commit()
    table = tmp_path / "t.yaml"
    key = variable_key("model/c/kernel")
    table.write_text(
        "variables:\n- {from: one/kernel, to: a/kernel}\n- {from: model/b/kernel, to: b/kernel}\n"
        f"- {{from: {key}, to: c/kernel}}\n"
    )
    plan = ckptmap.plan(tmp_path / "t" / "ckpt", to=tmp_path / "t" / "ckpt", table=table)
    assert [record.sources for record in plan.targets] == [("one/kernel",), ("two/kernel",), ("three/kernel",)]
    below = tmp_path / "below.yaml"
    below.write_text("where: {x: a|b|c}\nvariables:\n- {from: '{x}/kernel', to: '{x}/kernel'}\n")
    again = ckptmap.plan(tmp_path / "t" / "ckpt", to=tmp_path / "t" / "ckpt", table=below)
    assert [record.sources for record in again.targets] == [("one/kernel",), ("two/kernel",), ("three/kernel",)]
