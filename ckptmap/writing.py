"""Execute a plan: stream every value from the source to the new checkpoint, then read it all back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ckptmap.checkpoint.object_writer import ObjectValue, add_objects
from ckptmap.checkpoint.reader import Checkpoint, open_checkpoint
from ckptmap.checkpoint.staging import Staging
from ckptmap.checkpoint.writer import BundleWriter, Written, write_state
from ckptmap.errors import VerificationError
from ckptmap.ledger import Plan, TargetFate, TargetRecord

if TYPE_CHECKING:
    import numpy as np

Progress = Callable[[int, int], None]

CHECKPOINT_NAME = "ckpt-0"


def stage_checkpoint(
    plan: Plan, checkpoint: Checkpoint, staging: Staging, *, seed: int, progress: Progress | None = None
) -> dict[str, Written]:
    """Write the planned checkpoint and its state file into ``staging``; sizes and checksums by checkpoint key.

    ``progress`` is called with (bytes done, bytes in all).
    """
    total = sum(record.variable.nbytes for record in plan.targets)
    report = _counting(progress, total)
    values = {record.variable.key: _value(record, checkpoint, seed, report) for record in plan.targets}
    with BundleWriter(staging, CHECKPOINT_NAME) as writer:
        written = add_objects(writer, plan.root, values)
        writer.finish()
    write_state(staging, CHECKPOINT_NAME)
    return written


def read_back(prefix: Path, written: dict[str, Written]) -> int:
    """Read every value of the new checkpoint from disk and compare its checksum; the number compared.

    Raises:
        VerificationError: a value is missing or is not what was written.
    """
    with open_checkpoint(str(prefix)) as checkpoint:
        variables = checkpoint.inventory.variables
        for key, wanted in written.items():
            found = variables.get(key)
            if found is None or found.span is None or found.span.crc32c != wanted.crc32c:
                raise VerificationError(f"{key} is not in the index as it was written", where=str(prefix))
            for _ in checkpoint.chunks(key):
                pass
    return len(written)


def _value(record: TargetRecord, checkpoint: Checkpoint, seed: int, report: Callable[[int], None]) -> ObjectValue:
    variable = record.variable
    expected = None
    if record.fate is not TargetFate.RESTORED:
        chunks = _fresh(record, seed)
    elif record.ops:
        chunks = _computed(record, checkpoint)
    else:
        span = checkpoint.inventory.variables[record.sources[0]].span
        expected = span.crc32c if span is not None else None
        chunks = checkpoint.chunks(record.sources[0])
    return ObjectValue(variable.name, variable.dtype, variable.shape, _counted(chunks, report), expected)


def _counted(chunks: Iterator[bytes], report: Callable[[int], None]) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk
        report(len(chunk))


def _computed(record: TargetRecord, checkpoint: Checkpoint) -> Iterator[bytes]:
    from ckptmap.mapping.ops import execute

    yield _encoded(record, execute(record.ops, [checkpoint.read(name) for name in record.sources]))


def _fresh(record: TargetRecord, seed: int) -> Iterator[bytes]:
    from ckptmap.targets.initializers import initial_value

    yield _encoded(record, initial_value(record.variable, seed, record.init.value if record.init else "initializer"))


def _encoded(record: TargetRecord, array: np.ndarray) -> bytes:
    from ckptmap.checkpoint.values import encode

    return encode(record.variable.dtype, array)


def _counting(progress: Progress | None, total: int) -> Callable[[int], None]:
    done = 0

    def report(size: int) -> None:
        nonlocal done
        done += size
        if progress is not None:
            progress(done, total)

    return report
