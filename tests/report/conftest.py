from typing import Any

import pytest

HOSTILE = (
    "</script><script>alert(1)</script>",
    '=HYPERLINK("http://evil.example")',
    "-1+1|a|b`c`",
    "line\n::error file=a,line=1::injected",
    "escape\x1b[31m]]>",
    "broken\udc80utf8",
    "@someone #12 **bold** <b>",
)
"""Names that a format could take for something else."""


def target(
    name: str, fate: str, shape: list[int], reason: str | None = None, rule: str | None = None
) -> dict[str, Any]:
    restored = fate == "restored"
    return {
        "key": f"model/{name.lower()}",
        "name": name,
        "part": "backbone",
        "fate": fate,
        "source": f"old/{name}" if restored else None,
        "operations": [{"operation": "squeeze", "axes": [0, 1]}] if restored else [],
        "reason": reason,
        "rule": rule,
        "shape": shape,
        "dtype": "float32",
        "fill": "initializer" if fate == "reinitialized" else None,
    }


def report(targets: list[dict[str, Any]], sources: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    fates = ["restored", "reinitialized", "missing", "mapped", "superseded", "dropped", "unused"]
    met = [item["fate"] for item in (*targets, *sources)]
    document = {
        "schema": "ckptmap.report/1",
        "generator": "ckptmap 1.2.3",
        "source": {
            "path": "old/model.ckpt",
            "kind": "V2 bundle",
            "variables": len(sources),
            "bytes": 1000,
            "notes": [],
        },
        "target": {
            "name": "ssd_mobilenet_v2",
            "root": "model",
            "variables": len(targets),
            "settings": {"use_dropout": False},
            "assumed": [{"setting": "use_dropout", "value": False, "hint": "give it with --set use_dropout=true"}],
            "dimensions": {"num_classes": 3, "width_96": 96},
        },
        "table": "ssd_mobilenet_v2",
        "classes": None,
        "summary": {fate: met.count(fate) for fate in fates},
        "findings": [],
        "verdict": None,
        "config": None,
        "output": None,
        "target_variables": targets,
        "source_variables": sources,
    }
    return {**document, **more}


@pytest.fixture
def conversion() -> dict[str, Any]:
    """Two restored variables of two layers, a class head, one missing; one unused source: two findings."""
    targets = [
        target("block_1/kernel", "restored", [1, 1, 3, 8], rule="t.yaml:3"),
        target("block_2/kernel", "restored", [1, 1, 8, 8], rule="t.yaml:3"),
        target(
            "head/kernel", "reinitialized", [8, 4], "class head: the source has 90 classes, the target 3", "t.yaml:9"
        ),
        target("extra/bias", "missing", [5]),
    ]
    sources = [
        {"name": "old/block_1/kernel", "fate": "mapped", "reason": None, "rule": "t.yaml:3"},
        {"name": "old/block_2/kernel", "fate": "mapped", "reason": None, "rule": "t.yaml:3"},
        {"name": "old/head/kernel", "fate": "dropped", "reason": "class head", "rule": "t.yaml:9"},
        {"name": "old/lost", "fate": "unused", "reason": None, "rule": None},
    ]
    findings = [
        {"message": "1 source variable is unused", "where": "tables/t.yaml:7", "hint": "map it"},
        {"message": "1 target variable is missing", "where": "extra/bias", "hint": None},
    ]
    return report(targets, sources, findings=findings)


@pytest.fixture
def hostile() -> dict[str, Any]:
    """Every hostile text as a name, a reason and a rule of a missing variable, and in the findings."""
    targets = [target(text, "missing", [1], rule=text) for text in HOSTILE]
    findings = [{"message": text, "where": text, "hint": text} for text in HOSTILE]
    made = report(targets, [], findings=findings)
    made["source"]["path"] = made["target"]["name"] = "".join(HOSTILE)
    return made
