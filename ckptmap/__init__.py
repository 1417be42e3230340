"""ckptmap: TF1 checkpoints become TF2 checkpoints, with a ledger of every variable."""

from typing import TYPE_CHECKING

from ckptmap.lazy import lazy
from ckptmap.version import __version__ as __version__

if TYPE_CHECKING:
    from ckptmap.batch import convert_many as convert_many
    from ckptmap.checkpoint.reader import open_checkpoint as open_checkpoint
    from ckptmap.conversion import convert as convert
    from ckptmap.conversion import plan as plan
    from ckptmap.errors import CkptmapError as CkptmapError
    from ckptmap.freezing.freeze import freeze as freeze
    from ckptmap.inspection.inspector import inspect as inspect
    from ckptmap.mapping import load_table as load_table
    from ckptmap.targets import load_target as load_target

__getattr__ = lazy(
    __name__,
    {
        "ckptmap.batch": ("convert_many",),
        "ckptmap.checkpoint.reader": ("open_checkpoint",),
        "ckptmap.conversion": ("convert", "plan"),
        "ckptmap.errors": ("CkptmapError",),
        "ckptmap.freezing.freeze": ("freeze",),
        "ckptmap.inspection.inspector": ("inspect",),
        "ckptmap.mapping.tables": ("load_table",),
        "ckptmap.targets.load": ("load_target",),
    },
)
