"""Every public config is migrated or refused as ``migrations.txt`` says, line by line."""

from __future__ import annotations

from pathlib import Path

from ckptmap.families.detection.pipeline.config import parse_config, read_config
from ckptmap.families.detection.pipeline.migrate import Refusal, migrate
from ckptmap.families.detection.pipeline.training import Checkpoint

EXPECTED = Path(__file__).with_name("migrations.txt")
ALWAYS = {"type", "fine_tune_checkpoint", "fine_tune_checkpoint_type", "fine_tune_checkpoint_version"}


def expected() -> dict[str, str]:
    lines = EXPECTED.read_text(encoding="utf-8").splitlines()
    return dict(line.split(" | ", 1) for line in lines if not line.startswith("#"))


def outcome(path: Path) -> str:
    made = migrate(read_config(path), checkpoint=Checkpoint("new/ckpt-0"))
    if isinstance(made, Refusal):
        return f"refused | {made.why.value}"
    edits = {edit.path.rpartition(".")[2] for edit in made.edits}
    assert edits >= ALWAYS
    others = ", ".join(sorted(edits - ALWAYS))
    return f"{made.verdict.kind.value} | {made.verdict.extractor_type} | {others}".rstrip(" ")


def test_every_public_config(configs) -> None:
    found = {f"{p.parent.name}/{p.name.removesuffix('.config')}": outcome(p) for p in sorted(configs.glob("*/*"))}
    assert found == expected()
    assert sum(name.startswith("samples_tf1/") for name in found) == 64


def test_migrated_configs_keep_every_other_line(configs) -> None:
    for path in sorted(configs.glob("*/*")):
        config = read_config(path)
        made = migrate(config, checkpoint=Checkpoint("new/ckpt-0"))
        if isinstance(made, Refusal):
            continue
        old, new = config.document.text.splitlines(), made.text.splitlines()
        touched = {line for edit in made.edits for line in range(edit.line, edit.line + lines_of(config, edit.path))}
        kept = [line for number, line in enumerate(old, 1) if number not in touched]
        assert is_subsequence(kept, new), path.name
        assert ("\r\n" in config.document.text) == ("\r\n" in made.text)
        again = parse_config(made.text)
        assert again.unreadable == ()
        assert again.extractor_type == made.verdict.extractor_type
        assert isinstance(migrate(again), Refusal)


def lines_of(config, path: str) -> int:
    """How many lines the field takes in the original."""
    *parents, name = path.split(".")
    view = config.root
    for parent in parents:
        view = view.child(parent)
    field = view.field(name) if name in view.type.fields else None
    return config.document.text.count("\n", field.start, field.end) + 1 if field else 1


def is_subsequence(part: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(line in rest for line in part)
