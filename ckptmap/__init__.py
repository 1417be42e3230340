"""ckptmap: TF1 checkpoints become TF2 checkpoints, with a ledger of every variable."""

from typing import TYPE_CHECKING

from ckptmap.basics.lazy import keep_names, lazy
from ckptmap.version import __version__ as __version__

if TYPE_CHECKING:
    from ckptmap.basics.errors import CkptmapError as CkptmapError
    from ckptmap.checkpoint.reader import open_checkpoint as open_checkpoint
    from ckptmap.diff.compare import diff as diff
    from ckptmap.inspection.inspector import inspect as inspect
    from ckptmap.mapping import load_table as load_table
    from ckptmap.suggest.suggestion import suggest as suggest
    from ckptmap.targets import load_target as load_target
    from ckptmap.tf.verify.engine import verify as verify
    from ckptmap.tf.verify.general.engine import verify_models as verify_models
    from ckptmap.verbs.audit import audit as audit
    from ckptmap.verbs.average import average as average
    from ckptmap.verbs.back import convert_back as convert_back
    from ckptmap.verbs.batch import convert_many as convert_many
    from ckptmap.verbs.conversion import convert as convert
    from ckptmap.verbs.conversion import plan as plan
    from ckptmap.verbs.edit import edit as edit
    from ckptmap.verbs.fleet import catalogue as catalogue
    from ckptmap.verbs.freeze import freeze as freeze

__all__ = [
    "CkptmapError",
    "audit",
    "average",
    "catalogue",
    "convert",
    "convert_back",
    "convert_many",
    "diff",
    "edit",
    "freeze",
    "inspect",
    "load_table",
    "load_target",
    "open_checkpoint",
    "plan",
    "suggest",
    "verify",
    "verify_models",
]

__getattr__ = lazy(
    __name__,
    {
        "ckptmap.basics.errors": ("CkptmapError",),
        "ckptmap.checkpoint.reader": ("open_checkpoint",),
        "ckptmap.diff.compare": ("diff",),
        "ckptmap.inspection.inspector": ("inspect",),
        "ckptmap.mapping.tables": ("load_table",),
        "ckptmap.suggest.suggestion": ("suggest",),
        "ckptmap.targets.load": ("load_target",),
        "ckptmap.tf.verify.engine": ("verify",),
        "ckptmap.tf.verify.general.engine": ("verify_models",),
        "ckptmap.verbs.audit": ("audit",),
        "ckptmap.verbs.average": ("average",),
        "ckptmap.verbs.back": ("convert_back",),
        "ckptmap.verbs.batch": ("convert_many",),
        "ckptmap.verbs.conversion": ("convert", "plan"),
        "ckptmap.verbs.edit": ("edit",),
        "ckptmap.verbs.fleet": ("catalogue",),
        "ckptmap.verbs.freeze": ("freeze",),
    },
)
keep_names(__name__)


def __dir__() -> list[str]:
    """What can be used, for the completion of names: the verbs, not the rooms that they come from."""
    return [*__all__, "__version__"]
