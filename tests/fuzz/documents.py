"""Seeds of the fuzzer of reports: one short document of each kind."""

from __future__ import annotations

import json
from typing import Any

from tests.report.conftest import report, target
from tests.report.test_verify_models_sheet import LARGER
from tests.report.test_verify_sheet import differing

_CHECKPOINT = {"path": "a/model.ckpt", "kind": "V2 bundle", "variables": 3, "bytes": 40, "notes": ["a note"]}


def _conversion() -> dict[str, Any]:
    targets = [target("block_1/kernel", "restored", [8, 3], rule="t.yaml:3"), target("extra/bias", "missing", [5])]
    targets[0]["source"] = ["old/a", "old/b"]
    targets[0]["operations"] = [
        {"operation": "transpose", "perm": [1, 0]},
        {"operation": "concat", "axis": 0},
        {"operation": "slice", "axis": 0, "start": 1, "stop": None},
        {"operation": "cast", "dtype": "float32"},
        {"operation": "scale", "values": [2, 0.5], "axis": -1},
        {"operation": "classes", "axis": -1, "block": 1, "old": 3, "slots": [0, -1, 2]},
    ]
    sources = [
        {"name": "old/a", "fate": "mapped", "reason": None, "rule": "t.yaml:3"},
        {"name": "old/lost", "fate": "unused", "reason": None, "rule": None},
    ]
    return report(
        targets,
        sources,
        findings=[{"message": "1 target variable is missing", "where": "t.yaml:7", "hint": "map it"}],
        verdict={
            "kind": "close",
            "equal": False,
            "presumed": True,
            "extractor_type": "ssd_mobilenet_v2_keras",
            "differences": [{"outputs": "all", "reason": "max pooling", "remains": True}],
            "advice": "take the exact extractor",
        },
        config={
            "edits": [{"path": "model.ssd", "old": "1", "new": "2", "reason": "renamed", "line": 3}],
            "notes": [{"path": "train_config", "text": "never read", "line": 4}],
        },
        output={
            "checkpoint": "new/ckpt-0",
            "bytes": 40,
            "verified": 2,
            "data": "copy",
            "kept": 0,
            "notes": ["so"],
            "checksums": {side: {"a": "0" * 64} for side in ("source", "table", "output")},
        },
    )


def _returning() -> dict[str, Any]:
    """A conversion that can go back: what was joined, split and re-initialized, with the shapes of the sources."""
    targets = [target(name, "restored", [2, 3]) for name in ("a", "b", "c", "d")]
    targets[0] |= {"source": ["x", "y"], "operations": [{"operation": "concat", "axis": 0}]}
    for take, item in enumerate(targets[1:3]):
        split = {"operation": "split", "axis": 0, "parts": 2, "sizes": [], "take": take}
        item |= {"source": "z", "operations": [{"operation": "transpose", "perm": [1, 0]}, split]}
    targets[3] |= {"fate": "reinitialized", "source": None}
    targets[3]["counterpart"] = {"source": "w", "operations": [{"operation": "squeeze", "axes": [0]}]}
    shapes = {"x": [1, 3], "y": [1, 3], "z": [3, 4], "w": [1, 2, 3], "w/ExponentialMovingAverage": [1, 2, 3]}
    sources = [
        {"name": name, "fate": "mapped", "reason": None, "rule": None, "shape": shape, "dtype": "float32"}
        for name, shape in shapes.items()
    ]
    return report(targets, sources)


def _difference() -> dict[str, Any]:
    sides = {"a": {"dtype": "float32", "shape": [8]}, "b": {"dtype": "float32", "shape": [8]}}
    figures = {"different": 3, "max_delta": 0.25, "rms": 1e-3, "cosine": 0.99, "incomparable": 0}
    no_figures = dict.fromkeys(figures)
    fates = ("only_in_a", "only_in_b", "shape", "dtype", "changed", "within_tolerance", "expected", "equal")
    return {
        "schema": "ckptmap.diff/1",
        "generator": "ckptmap 1.2.3",
        "a": _CHECKPOINT,
        "b": _CHECKPOINT,
        "options": {"read": False, "values": True, "tolerance": 0.0, "match": ["**/Conv/**"], "map": None},
        "equal": False,
        "summary": {fate: int(fate == "changed") for fate in fates},
        "notes": ["the object graphs differ"],
        "variables": [
            {"name": "Conv/w", "fate": "changed", "sources": ["b"], "operations": ["squeeze [0]"], **sides, **figures,
             "reason": None},
            {"name": "x", "fate": "equal", "sources": [], "operations": [], **sides, **no_figures, "reason": "so"},
        ],
    }  # fmt: skip


def _audit() -> dict[str, Any]:
    variable = {"name": "Conv/w", "reason": "not in the checkpoint", "shape": [3, 8], "dtype": "float32"}
    return {
        "schema": "ckptmap.audit/1",
        "generator": "ckptmap 1.2.3",
        "checkpoint": _CHECKPOINT,
        "model": {
            "name": "ssd", "api": "tf1", "architecture": "ssd", "type": "detection", "config": "pipeline.config",
            "variables": 1, "settings": {"use_dropout": False}, "num_classes": 3,
        },
        "loads": True,
        "error": None,
        "hint": None,
        "passed": False,
        "restored_share": 0.5,
        "summary": {"restored": 0, "reinitialized": 0, "missing": 1, "read": 0, "unused": 1},
        "findings": [{"level": "error", "message": "nothing is restored", "where": None, "hint": "accept it"}],
        "target_variables": [{**variable, "key": "Conv/w", "part": "backbone", "fate": "missing", "source": None}],
        "checkpoint_variables": [{**variable, "fate": "unused"}],
    }  # fmt: skip


def _batch() -> dict[str, Any]:
    summary = dict.fromkeys(("restored", "reinitialized", "missing", "mapped", "superseded", "dropped", "unused"), 3)
    return {
        "schema": "ckptmap.batch/1",
        "generator": "ckptmap 1.2.3",
        "target": "ssd",
        "table": "ssd",
        "jobs": 2,
        "plans": 1,
        "summary": {"converted": 1, "planned": 0, "findings": 0, "failed": 1},
        "exit_code": 2,
        "conversions": [
            {
                "source": "a", "fate": "converted", "exit_code": 0, "checkpoint": "out/a/ckpt-0",
                "report": "out/a/report.json", "bytes": 40, "data": "link", "summary": summary,
                "findings": [{"message": "one", "where": None, "hint": None}], "notes": ["a note"], "error": None,
            },
            {
                "source": "b", "fate": "failed", "exit_code": 2, "checkpoint": None, "report": None, "bytes": None,
                "data": None, "summary": None, "findings": [], "notes": [], "error": {
                    "message": "no", "where": "b", "hint": "look", "problems": ["one"],
                },
            },
        ],
    }  # fmt: skip


def _inspection() -> dict[str, Any]:
    variable = {"dtype": "float32", "shape": [2, 3], "bytes": 24}
    return {
        "schema": "ckptmap.inspect/1",
        "generator": "ckptmap 1.2.3",
        "path": "old/model.ckpt",
        "kind": "V2 bundle",
        "object_based": False,
        "written_by": "TensorFlow 1.15.0",
        "data_files": [{"path": "old/model.ckpt.data-00000-of-00001", "bytes": None, "problem": "is missing"}],
        "notes": ["a note"],
        "total": {"variables": 2, "bytes": 48, "weights": 1, "parameters": 6},
        "architecture": None,
        "training": {
            "step": 7, "step_from": "file name", "optimizers": ["Adam"], "slots": 1, "averages": 0, "quantization": 0,
        },
        "config": {
            "path": "old/pipeline.config", "type": "ssd_mobilenet_v2", "agrees": False, "note": None,
            "differences": [{"what": "num_classes", "config": "3", "checkpoint": "90"}],
        },
        "convert": {"command": "ckptmap convert old/model.ckpt --to x -o new", "note": "look"},
        "variables": [
            {**variable, "name": "w", "slices": 0, "role": "weight", "owner": None, "readable_name": "x/w"},
            {**variable, "name": "w/Adam", "slices": 2, "role": "slot", "owner": "w", "readable_name": None},
        ],
    }  # fmt: skip


def _freezing() -> dict[str, Any]:
    variable = {"part": "backbone", "shape": [2, 3], "parameters": 6, "layer": None, "key": None}
    side = {"variables": 1, "parameters": 6}
    parts = [{"part": "backbone", "frozen": side, "trainable": side}]
    return {
        "schema": "ckptmap.freeze/1",
        "generator": "ckptmap 1.2.3",
        "subject": "old/model.ckpt",
        "trainer": "train",
        "passed": False,
        "patterns": [{"pattern": "x", "field": "--pattern", "where": None, "matches": [], "nearest": "Conv/.*"}],
        "parts": parts,
        "stages": [
            {"stage": "heads", "patterns": ["Conv/.*"], "parts": parts, "trainable": ["a/w"], "frozen": ["b/w"]}
        ],
        "remarks": [{"level": "error", "message": "x matches nothing", "where": "p.config:3", "hint": None}],
        "variables": [{**variable, "name": "a/w", "frozen": False}, {**variable, "name": "b/w", "frozen": True}],
    }


def _targets() -> dict[str, Any]:
    verdicts = ("equal", "", "different") * 3
    targets = [
        {"name": f"ssd_{number}", "verdict": verdict, "extractor_type": "ssd_keras", "differences": ["max pooling"]}
        for number, verdict in enumerate(verdicts)
    ]
    return {"schema": "ckptmap.targets/1", "generator": "ckptmap 1.2.3", "targets": targets}


def _catalogue() -> dict[str, Any]:
    row = {
        "path": "a/m", "kind": "V2 bundle", "object_based": False, "architecture": "ssd", "classes": 3, "step": 7,
        "optimizer": "Adam", "averages": 2, "variables": 9, "bytes": 40, "target": "ssd_mobilenet_v2",
        "verdict": "equal", "command": "ckptmap convert a/m", "note": None, "problems": [],
    }  # fmt: skip
    lost = {**dict.fromkeys(row), "path": "b/m", "problems": ["no such file"]}
    return {"schema": "ckptmap.catalogue/1", "generator": "ckptmap 1.2.3", "exit_code": 1, "checkpoints": [row, lost]}


def _suggestion() -> dict[str, Any]:
    pair = {
        "old": "net/conv1", "new": "conv2d", "sure": True, "proven": False, "why": "the names say it",
        "rival_old": None, "rival_new": None,
        "variables": [{"old": ["net/conv1/w"], "new": ["conv2d/kernel"], "operations": "[{squeeze: [0]}]"}],
    }  # fmt: skip
    doubtful = {**pair, "old": "net/conv2", "sure": False, "why": "not told apart", "rival_new": "conv2d_2"}
    left = [{"layer": "net/fc", "variables": ["net/fc/w"]}]
    counts = dict.fromkeys(("old_layers", "new_layers", "pairs", "sure", "proven", "doubtful"), 2)
    return {
        "schema": "ckptmap.suggest/1", "generator": "ckptmap 1.2.3", "old": "old/m", "new": "new/ckpt-1",
        "passed": False, "exact": True, "trusted": False, "looks_like": ["ssd_mobilenet_v2"], "gap": "net/fc",
        "coverage": {"old": 0.5, "new": 1.0}, "counts": {**counts, "rules": 1, "doubtful_rules": 1},
        "includes": [{"table": "heads/fpn", "from": "net", "to": "", "layers": 3}],
        "pairs": [pair, doubtful], "left_old": left, "left_new": [], "summary": ["A draft"], "table": "layers: []",
    }  # fmt: skip


def report_seeds() -> dict[str, bytes]:
    """A document of each kind of report, as JSON."""
    made = {
        "conversion": _conversion(),
        "returning": _returning(),
        "difference": _difference(),
        "audit": _audit(),
        "batch": _batch(),
        "verification": differing(),
        "two models": LARGER,
        "inspection": _inspection(),
        "freezing": _freezing(),
        "targets": _targets(),
        "catalogue": _catalogue(),
        "suggestion": _suggestion(),
    }
    return {name: json.dumps(document).encode() for name, document in made.items()}
