import json

from hypothesis import given
from hypothesis import strategies as st

from ckptmap.report.json_format import to_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def test_a_line_for_each_member_of_a_list() -> None:
    report = {
        "schema": "s/1",
        "summary": {"restored": 1, "names": ["a"]},
        "empty": [],
        "notes": ["one\ntwo", "\udc80"],
        "variables": [{"name": "ä", "shape": [1, 2]}, {"name": "b", "shape": []}],
    }
    assert to_json(report).splitlines() == [
        "{",
        ' "schema": "s/1",',
        ' "summary": {',
        '  "restored": 1,',
        '  "names": [',
        '   "a"',
        "  ]",
        " },",
        ' "empty": [],',
        ' "notes": [',
        '  "one\\ntwo",',
        '  "\\udc80"',
        " ],",
        ' "variables": [',
        '  {"name": "\\u00e4", "shape": [1, 2]},',
        '  {"name": "b", "shape": []}',
        " ]",
        "}",
    ]


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_it_is_the_same_document(report: dict[str, object]) -> None:
    assert json.loads(to_json(report)) == report
    assert to_json(report).isascii()
