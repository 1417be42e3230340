"""Compare two checkpoints: by their indexes first, by their values where the indexes differ."""

from ckptmap.diff.compare import diff as diff
from ckptmap.diff.model import Delta as Delta
from ckptmap.diff.model import Diff as Diff
from ckptmap.diff.model import DiffFate as DiffFate
from ckptmap.diff.model import DiffRecord as DiffRecord
