"""Names in a GraphDef, and which operations are inputs, training or bookkeeping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

VARIABLES = frozenset({"Variable", "VariableV2", "VarHandleOp", "AutoReloadVariable"})
_PIPELINE = (
    "Queue", "Iterator", "Reader", "OneShotIterator", "ParseExample", "ParseSingleExample",
    "ParseSingleSequenceExample", "ParseSequenceExample", "DecodeRaw", "DecodeCSV", "DecodeJpeg", "DecodePng",
    "DecodeGif", "DecodeBmp", "DecodeImage", "DecodeWav", "DecodeAndCropJpeg", "ReadFile", "RandomShuffleQueue",
    "FIFOQueue", "PaddingFIFOQueue", "PyFunc", "EagerPyFunc", "InfeedDequeue", "TPUReplicatedInput", "LookupTable",
)  # fmt: skip
_PIPELINE_EXACT = frozenset({"Batch", "Unbatch", "Unstage"})
_WRITES = ("Assign", "Scatter", "Apply", "ResourceApply", "SparseApply", "ResourceSparseApply", "ResourceScatter")
_KINDS = (
    ("gradients", lambda node: "gradients" in node.name or node.op.endswith(("Grad", "GradV2", "GradV3"))),
    ("optimizers and assignments", lambda node: node.op.startswith(_WRITES)),
    ("summaries", lambda node: "Summary" in node.op),
    ("saving", lambda node: node.op.startswith(("Save", "Restore", "MergeV2", "ShardedFilename"))),
    ("input pipeline", lambda node: is_pipeline(node.op)),
    ("variables that the outputs do not read", lambda node: node.op in VARIABLES),
)
OTHER = "others"


def base(name: str) -> str:
    """The node that an input such as ``scope/op:1`` or ``^scope/op`` names."""
    return name.removeprefix("^").partition(":")[0]


def place(name: str) -> int:
    """Which output of the node an input names."""
    number = name.partition(":")[2]
    return int(number) if number.isdigit() else 0


def data_inputs(node: Any) -> Iterator[str]:
    """The inputs that carry values."""
    return (name for name in node.input if not name.startswith("^"))


def is_pipeline(op: str) -> bool:
    """Whether an operation brings values from outside: a queue, an iterator, a reader, a decoder."""
    return op in _PIPELINE_EXACT or op.startswith(_PIPELINE)


def kind_of(node: Any) -> str:
    """What a node that was cut is, for people."""
    return next((kind for kind, holds in _KINDS if holds(node)), OTHER)


def in_order(nodes: Iterable[Any]) -> list[Any]:
    """The nodes, each behind those that it takes values of; loops are entered where they go back."""
    by_name = {node.name: node for node in nodes}
    ordered: list[Any] = []
    state: dict[str, bool] = {}
    for start in by_name:
        stack = [(start, False)]
        while stack:
            name, done = stack.pop()
            if done:
                ordered.append(by_name[name])
            elif name in by_name and name not in state:
                state[name] = True
                stack.append((name, True))
                if by_name[name].op != "NextIteration":
                    stack += [(base(one), False) for one in reversed(list(data_inputs(by_name[name])))]
    return ordered
