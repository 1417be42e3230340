"""Mapping tables: which source variable becomes which target variable, as data."""

from typing import TYPE_CHECKING

from ckptmap.basics.lazy import lazy

if TYPE_CHECKING:
    from ckptmap.mapping.apply import apply_table as apply_table
    from ckptmap.mapping.apply import inits as inits
    from ckptmap.mapping.apply import unused_rules as unused_rules
    from ckptmap.mapping.ops import execute as execute
    from ckptmap.mapping.ops import infer as infer
    from ckptmap.mapping.rule_ref import RuleRef as RuleRef
    from ckptmap.mapping.table import Assignment as Assignment
    from ckptmap.mapping.table import Drop as Drop
    from ckptmap.mapping.table import Init as Init
    from ckptmap.mapping.table import MappingResult as MappingResult
    from ckptmap.mapping.table import PerClass as PerClass
    from ckptmap.mapping.table import Table as Table
    from ckptmap.mapping.tables import check_tables as check_tables
    from ckptmap.mapping.tables import list_tables as list_tables
    from ckptmap.mapping.tables import load_table as load_table

__getattr__ = lazy(
    __name__,
    {
        "ckptmap.mapping.apply": ("apply_table", "inits", "unused_rules"),
        "ckptmap.mapping.table": ("Assignment", "Drop", "Init", "MappingResult", "PerClass", "Table"),
        "ckptmap.mapping.rule_ref": ("RuleRef",),
        "ckptmap.mapping.ops": ("execute", "infer"),
        "ckptmap.mapping.tables": ("check_tables", "list_tables", "load_table"),
    },
)
