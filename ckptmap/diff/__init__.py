"""Compare two checkpoints: by their indexes first, by their values where the indexes differ."""

from ckptmap.diff.compare import diff as diff
from ckptmap.diff.comparison import Delta as Delta
from ckptmap.diff.comparison import Diff as Diff
from ckptmap.diff.comparison import DiffFate as DiffFate
from ckptmap.diff.comparison import DiffRecord as DiffRecord
