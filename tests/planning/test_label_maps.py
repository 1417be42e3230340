from pathlib import Path

import pytest

from ckptmap.basics.errors import CkptmapError, ConfigError, ProblemsError
from ckptmap.families.detection.label_files import parse_label_map, read_label_map
from ckptmap.planning.label_maps import Label, compare_label_maps
from ckptmap.request.choices import plan_options

COCO = """\
# the first classes of COCO, its gap at 12 among them
item {
  name: "/m/01g317"
  id: 1
  display_name: "person"
}
item: { name: '/m/0199g', id: 2; display_name: 'bicycle' }
item { name: "/m/01prls" id: 11 display_name: "fire hydrant" }
item { name: "/m/02pv19" id: 13 display_name: "stop sign" }
"""


def test_classes_are_read_with_either_quote_and_comments(tmp_path: Path) -> None:
    path = tmp_path / "label_map.pbtxt"
    path.write_text(COCO)
    found = read_label_map(path)
    assert found.path == str(path)
    assert found.labels == (
        Label(1, "/m/01g317", "person"),
        Label(2, "/m/0199g", "bicycle"),
        Label(11, "/m/01prls", "fire hydrant"),
        Label(13, "/m/02pv19", "stop sign"),
    )
    assert found.num_classes == 13


def test_a_new_label_map_with_more_classes_than_a_model_can_have_is_refused(tmp_path: Path) -> None:
    old, new = tmp_path / "old.pbtxt", tmp_path / "new.pbtxt"
    old.write_text(COCO)
    new.write_text("item { id: 100001 name: 'far' }")
    with pytest.raises(CkptmapError, match="num_classes lies between 1 and 100000, not 100001") as error:
        plan_options({"label_maps": (old, new)})
    assert error.value.problem.where == str(new)


def test_the_background_s_own_item_is_no_class() -> None:
    found = parse_label_map("item { id: 0 name: 'background' } item { id: 2 name: 'b' } item { id: 1 name: 'a' }")
    assert found.labels == (Label(1, "a"), Label(2, "b"))


def test_every_mistake_is_told_with_its_line() -> None:
    text = """\
item { name: 'a' }
item { id: 1 }
item { id: 'two' name: 'b' }
item { id: 0 name: 'c' }
item { id: 3 name: 'd' }
item { id: 3 name: 'e' }
item { id: 4 name: 'd' }
item { id: 99999999990 name: 'f' }
"""
    with pytest.raises(ProblemsError, match="is not a label map") as error:
        parse_label_map(text, "map.pbtxt")
    assert [(problem.where, problem.message) for problem in error.value.problems] == [
        ("map.pbtxt:1", "an item without an id"),
        ("map.pbtxt:2", "class 1 has no name"),
        ("map.pbtxt:3", "'two' is not a class number"),
        ("map.pbtxt:4", "class 'c' has the number 0, the background's"),
        ("map.pbtxt:8", "99999999990 is not a class number"),
        ("map.pbtxt:6", "a second class has the number 3"),
        ("map.pbtxt:7", "a second class has the name 'd'"),
    ]
    assert error.value.problems[6].hint == "the first stands at map.pbtxt:5"


def test_another_file_is_no_label_map(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no item in this file"):
        parse_label_map("model { ssd { } }", "pipeline.config")
    with pytest.raises(ConfigError, match="cannot read the file"):
        read_label_map(tmp_path / "none.pbtxt")


def test_classes_are_shared_by_name_then_by_display_name() -> None:
    new = parse_label_map("item { id: 1 name: 'stop sign' } item { id: 2 name: '/m/0199g' } item { id: 3 name: 'cat' }")
    changes = compare_label_maps(parse_label_map(COCO), new)
    assert [(old.id, new.id) for old, new in changes.pairs] == [(13, 1), (2, 2)]
    assert [label.name for label in changes.new] == ["cat"]
    assert [label.shown for label in changes.dropped] == ["person", "fire hydrant"]


def test_a_display_name_that_two_classes_have_is_no_evidence() -> None:
    old = parse_label_map("item { id: 1 name: 'a' display_name: 'cat' } item { id: 2 name: 'b' display_name: 'cat' }")
    changes = compare_label_maps(old, parse_label_map("item { id: 1 name: 'cat' }"))
    assert changes.pairs == ()
