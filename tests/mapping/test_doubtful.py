from pathlib import Path

from ckptmap.mapping.doubtful import doubtful_names
from ckptmap.mapping.locate import mappings_root

TABLE = """\
include: [{table: kinds/slim}]
kinds:
  mine:
    weights: kernell
    bises?: bais
layers:
  - {from: net/conv, to: Conv1, as: mine}
variables:
  - {from: a/wieghts, to: b/kernel}
  - {from: c/lookup_table, to: d/weight}
"""


def test_a_leaf_that_is_nearly_a_known_one_is_doubted(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(TABLE)
    assert [str(doubt) for doubt in doubtful_names(path)] == [
        f'{path.as_posix()}:4: no shipped kind has a leaf "kernell" (did you mean "kernel"?)',
        f'{path.as_posix()}:5: no shipped kind has a leaf "bises" (did you mean "biases"?)',
        f'{path.as_posix()}:5: no shipped kind has a leaf "bais" (did you mean "bias"?)',
        f'{path.as_posix()}:9: no shipped kind has a leaf "wieghts" (did you mean "weights"?)',
    ]


def test_no_shipped_table_is_doubted() -> None:
    assert doubtful_names(mappings_root()) == ()
