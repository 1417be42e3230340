"""Everything that imports TensorFlow. The core (inspect, plan, convert) never imports this package."""

from typing import TYPE_CHECKING

from ckptmap.basics.lazy import lazy

if TYPE_CHECKING:
    from ckptmap.tf.freeze import apply_freeze as apply_freeze
    from ckptmap.tf.live_graph import graph_of as graph_of

__getattr__ = lazy(__name__, {"ckptmap.tf.freeze": ("apply_freeze",), "ckptmap.tf.live_graph": ("graph_of",)})
