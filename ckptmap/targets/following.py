"""A target that has the source's own variables: TF1 code that goes on inside Keras, whose names stay.

TensorFlow's shim (``track_tf1_style_variables``; tf_keras/src/legacy_tf_layers/variable_scope_shim.py) keeps them in a
dictionary ``_vars`` of the attribute ``_tf1_style_var_store``, by their TF1 names.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ckptmap.mapping.roles import roles
from ckptmap.targets.dims import Dim
from ckptmap.targets.template import is_trained, usual_initializer
from ckptmap.targets.variables import SpecVariable

if TYPE_CHECKING:
    from ckptmap.checkpoint.inventory import Inventory, Variable
    from ckptmap.targets.target import Target

_STORE = "_tf1_style_var_store/_vars"


def following(target: Target, inventory: Inventory) -> Target:
    """``target`` with a variable for each weight of ``inventory``: slots, averages and bookkeeping are left out."""
    aside = roles(inventory)
    kept = (variable for name, variable in inventory.variables.items() if name not in aside)
    return replace(target, variables=tuple(map(_variable, kept)), follows_source=False)


def _variable(variable: Variable) -> SpecVariable:
    leaf = variable.name.rpartition("/")[2]
    return SpecVariable(
        f"{_STORE}/{variable.name.replace('.', '..').replace('/', '.S')}",
        variable.name,
        variable.dtype,
        tuple(Dim(length) for length in variable.shape),
        is_trained(leaf),
        usual_initializer(leaf),
        "model",
    )
