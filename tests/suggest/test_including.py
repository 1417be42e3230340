"""Parts of a draft that a shipped table makes."""

from pathlib import Path

from tests.suggest.conftest import write_new, write_old

FIXTURE = Path(__file__).parents[2] / "fixtures" / "ssd_mobilenet_v2_depthwise"
NORM = ("beta", "gamma", "moving_mean", "moving_variance")


def resnet(depths=(2, 2)):
    """A ResNet of slim below a scope of one's own, and the same with the names of keras.applications."""
    old, new = {"global_step": (), "mine/head/weights": (40, 7)}, {"head/kernel": (40, 7)}

    def add(before, after, kernel):
        old.update({f"{before}/weights": kernel, **{f"{before}/BatchNorm/{leaf}": kernel[-1:] for leaf in NORM}})
        new.update({f"{after}_conv/kernel": kernel, **{f"{after}_bn/{leaf}": kernel[-1:] for leaf in NORM}})

    add("mine/body/conv1", "conv1", (7, 7, 3, 8))
    width = 8
    for block, depth in enumerate(depths, 1):
        for unit in range(1, depth + 1):
            scope, name = f"mine/body/block{block}/unit_{unit}/bottleneck_v1", f"conv{block + 1}_block{unit}"
            inner, outer = 10 * block + unit, 20 * block
            if unit == 1:
                add(f"{scope}/shortcut", f"{name}_0", (1, 1, width, outer))
            add(f"{scope}/conv1", f"{name}_1", (1, 1, width, inner))
            add(f"{scope}/conv2", f"{name}_2", (3, 3, inner, inner))
            add(f"{scope}/conv3", f"{name}_3", (1, 1, inner, outer))
            width = outer
    return old, new


def written(tmp_path, old, new):
    one = write_old(tmp_path / "old" / "m", old)
    return one, write_new(tmp_path / "new" / "ckpt-1", {name: (name, shape) for name, shape in new.items()})


def test_a_known_backbone_below_a_scope_of_ones_own_is_included(run, tmp_path):
    one, other = written(tmp_path, *resnet())
    table = tmp_path / "table.yaml"
    found = run("suggest", one, "--to", other, "-o", table)
    assert found.code == 0, found.out
    assert "30 layers by shipped tables: backbones/resnet_v1." in found.out
    lines = table.read_text().splitlines()
    at = lines.index("  - {table: backbones/resnet_v1, from: mine/body}")
    assert lines[at - 1] == "  # 30 layers: ResNet V1 of any depth"
    assert [line for line in lines if " as: " in line] == ["  - {from: mine/head, to: head, as: conv}"]
    assert run("rules", "check", table).code == 0
    dry = run("convert", one, "--to", other, "--table", table, "--dry-run")
    assert dry.code == 0, dry.err


def test_the_new_scope_is_said_where_names_are_below_one(run, tmp_path):
    old, new = resnet()
    one, other = written(tmp_path, old, {f"net/{name}": shape for name, shape in new.items()})
    found = run("suggest", one, "--to", other)
    assert "  - {table: backbones/resnet_v1, from: mine/body, to: net}" in found.out.splitlines()


def test_a_table_that_makes_anything_else_than_the_draft_is_not_included(run, tmp_path):
    old, new = resnet()
    swapped = {"conv2_block2_2_conv": "conv2_block2_2_other_conv"}
    renamed = {}
    for name, shape in new.items():
        scope, _, leaf = name.rpartition("/")
        renamed[f"{swapped.get(scope, scope)}/{leaf}"] = shape
    one, other = written(tmp_path, old, renamed)
    assert "backbones/" not in run("suggest", one, "--to", other).out


def test_a_table_is_not_included_for_what_is_doubtful(run, tmp_path):
    old, new = resnet()
    spare = {"mine/other/weights": old["mine/body/block1/unit_1/bottleneck_v1/conv2/weights"]}
    one, other = written(tmp_path, {**old, **spare}, new)
    found = run("suggest", one, "--to", other)
    assert found.code == 1
    assert "backbones/" not in found.out
    assert "doubtful" in found.out


def test_the_heads_of_a_known_model_are_included(run, tmp_path):
    found = run("suggest", FIXTURE, "--to", "ssd_mobilenet_v2")
    assert found.code == 0
    assert "  - table: heads/multi_resolution_feature_maps" in found.out.splitlines()
