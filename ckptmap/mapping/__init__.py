"""Mapping tables: which source variable becomes which target variable, as data."""

from ckptmap.mapping.apply import apply_table as apply_table
from ckptmap.mapping.apply import inits as inits
from ckptmap.mapping.model import Assignment as Assignment
from ckptmap.mapping.model import Drop as Drop
from ckptmap.mapping.model import Init as Init
from ckptmap.mapping.model import MappingResult as MappingResult
from ckptmap.mapping.model import PerClass as PerClass
from ckptmap.mapping.model import RuleRef as RuleRef
from ckptmap.mapping.model import Table as Table
from ckptmap.mapping.ops import execute as execute
from ckptmap.mapping.ops import infer as infer
from ckptmap.mapping.tables import check_tables as check_tables
from ckptmap.mapping.tables import list_tables as list_tables
from ckptmap.mapping.tables import load_table as load_table
