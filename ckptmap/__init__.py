"""ckptmap: TF1 checkpoints become TF2 checkpoints, with a ledger of every variable."""

from typing import TYPE_CHECKING

from ckptmap.basics.lazy import lazy
from ckptmap.version import __version__ as __version__

if TYPE_CHECKING:
    from ckptmap.basics.errors import CkptmapError as CkptmapError
    from ckptmap.checkpoint.reader import open_checkpoint as open_checkpoint
    from ckptmap.inspection.inspector import inspect as inspect
    from ckptmap.mapping import load_table as load_table
    from ckptmap.suggest.suggestion import suggest as suggest
    from ckptmap.targets import load_target as load_target
    from ckptmap.verbs.average import average as average
    from ckptmap.verbs.back import convert_back as convert_back
    from ckptmap.verbs.batch import convert_many as convert_many
    from ckptmap.verbs.conversion import convert as convert
    from ckptmap.verbs.conversion import plan as plan
    from ckptmap.verbs.edit import edit as edit
    from ckptmap.verbs.freeze import freeze as freeze

__getattr__ = lazy(
    __name__,
    {
        "ckptmap.verbs.average": ("average",),
        "ckptmap.verbs.back": ("convert_back",),
        "ckptmap.verbs.batch": ("convert_many",),
        "ckptmap.checkpoint.reader": ("open_checkpoint",),
        "ckptmap.verbs.conversion": ("convert", "plan"),
        "ckptmap.basics.errors": ("CkptmapError",),
        "ckptmap.verbs.edit": ("edit",),
        "ckptmap.verbs.freeze": ("freeze",),
        "ckptmap.inspection.inspector": ("inspect",),
        "ckptmap.mapping.tables": ("load_table",),
        "ckptmap.suggest.suggestion": ("suggest",),
        "ckptmap.targets.load": ("load_target",),
    },
)
