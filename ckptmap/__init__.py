"""ckptmap: TF1 checkpoints become TF2 checkpoints, with a ledger of every variable."""

from ckptmap.checkpoint.reader import open_checkpoint as open_checkpoint
from ckptmap.conversion import convert as convert
from ckptmap.conversion import plan as plan
from ckptmap.errors import CkptmapError as CkptmapError
from ckptmap.mapping import load_table as load_table
from ckptmap.targets import load_target as load_target
from ckptmap.version import __version__ as __version__
