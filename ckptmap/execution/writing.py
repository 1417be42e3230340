"""Execute a plan: bring every value from the source to the new checkpoint, then read back what was written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ckptmap.basics.contributions import contributions
from ckptmap.basics.errors import CheckpointError, VerificationError
from ckptmap.checkpoint.inventory import Span
from ckptmap.checkpoint.object_graph import SAVE_COUNTER, object_path, variable_key
from ckptmap.checkpoint.object_writer import ObjectValue, add_objects, add_values
from ckptmap.checkpoint.reader import Checkpoint, open_checkpoint
from ckptmap.checkpoint.staging import Waiting
from ckptmap.checkpoint.writer import OWN_DATA, BundleWriter, Written, write_state
from ckptmap.execution.behind import Behind
from ckptmap.execution.files import FileForm, Sink, opened_sink, read_file_back
from ckptmap.execution.placing import DataMode, Placement, Stored, place_data, stored_values, unchanged
from ckptmap.planning.ledger import Fill, Form, Plan, TargetRecord
from ckptmap.targets.variables import TargetVariable

Progress = Callable[[int, int], None]

CHECKPOINT_NAME = "ckpt-0"
"""What a checkpoint of objects is called in its folder, as ``tf.train.Checkpoint.save`` numbers them."""
NAMES_NAME = "model.ckpt"
"""What a checkpoint of names is called, as most TF1 code calls its own."""


def checkpoint_name(plan: Plan) -> str:
    """What the new checkpoint is called in its folder."""
    return NAMES_NAME if plan.form is Form.NAMES else CHECKPOINT_NAME


@dataclass(frozen=True, slots=True)
class Staged:
    """What waits to be committed."""

    written: Mapping[str, Written]
    """Size and checksum of each value by its checkpoint key."""
    placement: Placement
    stored: Stored
    """Where the source has the bytes that came unread, copied, linked or cloned."""
    name: str
    """The prefix of the checkpoint, or the name of the file."""
    template: Mapping[str, str] = field(default_factory=dict)
    """The digests of the template, where values of its own were taken."""
    right: Collection[Span] = ()
    """What was read back already, by the place in the last data file that has values."""
    sink: Sink | None = None
    """What took the values, where it is not a checkpoint of TensorFlow."""

    @property
    def nbytes(self) -> int:
        """The bytes of all values."""
        return sum(value.size for value in self.written.values())


def stage_checkpoint(
    plan: Plan,
    checkpoint: Checkpoint,
    staging: Waiting,
    *,
    seed: int,
    data: DataMode = "auto",
    form: FileForm = "target",
    progress: Progress | None = None,
) -> Staged:
    """Write the planned checkpoint and its state file into ``staging``, or the file that ``form`` and target ask for.

    ``progress`` is called with (bytes done, bytes in all); those in linked and cloned files are no work.

    Raises:
        CheckpointError: a value of the source, or one of the template's that is kept, cannot be read.
        OutputError: a file cannot be written.
    """
    with opened_sink(plan, staging, form) as sink:
        if sink is not None:
            return _stage_file(plan, checkpoint, sink, seed, progress)
    wanted: DataMode = data if checkpoint.verify else "copy"
    stored = stored_values(plan, checkpoint, staging, wanted)
    name = checkpoint_name(plan)
    checkpoint.fetch(_through_here(plan, stored))
    with (
        _opened_template(plan) as template,
        Behind(staging.unnamed(OWN_DATA)) as behind,
        BundleWriter(staging, name, behind.wrote) as writer,
    ):
        placement = place_data(writer, plan, stored, wanted, staging)
        report = _counting(progress, _work(plan, stored, placement) if progress is not None else 0)
        inputs = _Inputs(checkpoint, template, stored, placement, seed)
        written = _add_all(writer, plan, inputs, report)
        right = behind.end()
        writer.finish()
        digests = template.digests() if template is not None else {}
    write_state(staging, name)
    return Staged(written, placement, stored, name, digests, right)


def _work(plan: Plan, stored: Stored, placement: Placement) -> int:
    """The bytes that are written."""
    return sum(record.variable.nbytes for record in plan.targets if not _adopted(record, stored, placement))


def _stage_file(plan: Plan, checkpoint: Checkpoint, sink: Sink, seed: int, progress: Progress | None) -> Staged:
    with _opened_template(plan) as template:
        report = _counting(progress, sum(record.variable.nbytes for record in plan.targets))
        inputs = _Inputs(checkpoint, template, {}, Placement(), seed)
        written = {
            record.variable.key: sink.add(record.variable, _counted(_chunks(record, inputs), report))
            for record in plan.targets
        }
        digests = template.digests() if template is not None else {}
    return Staged(written, Placement(), {}, sink.name, digests, sink=sink)


def _through_here(plan: Plan, stored: Stored) -> Iterator[str]:
    """The source variables whose values are read."""
    for record in plan.targets:
        if not (unchanged(record) and record.sources[0] in stored):
            yield from record.sources


def _links(plan: Plan) -> dict[str, str]:
    """Further object paths to what is written: all that the template has, else those that are known of its layers."""
    own = {f"/{way}": f"/{path}" for way, path in plan.optimizer.links.items()} if plan.optimizer else {}
    if plan.template is not None and plan.template.links:
        return {**{f"/{way}": f"/{path}" for way, path in plan.template.links.items()}, **own}
    paths = [record.variable.key for record in plan.targets]
    known = {link: layer for family in contributions() for link, layer in family.further_paths(paths).items()}
    return {**known, **own}


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What values are made of; ``template`` is None where none of its values are kept."""

    checkpoint: Checkpoint
    template: Checkpoint | None
    stored: Stored
    placement: Placement
    seed: int


def _add_all(writer: BundleWriter, plan: Plan, inputs: _Inputs, report: Callable[[int], None]) -> Mapping[str, Written]:
    """Every value as the plan's form has it."""
    values = ((record.variable.key, _value(record, inputs, report)) for record in plan.targets)
    if plan.form is Form.OBJECTS:
        return add_objects(writer, plan.root, values, links=_links(plan), copied=report)
    return add_values(writer, values, copied=report)


@contextmanager
def _opened_template(plan: Plan) -> Iterator[Checkpoint | None]:
    """The template, where the plan keeps values of it; it may not change meanwhile."""
    kept = [record.variable for record in plan.targets if record.fill is Fill.TEMPLATE]
    if plan.template is None or not kept:
        yield None
        return
    with open_checkpoint(plan.template.path) as template:
        before = template.stamps()
        for variable in kept:
            _refuse_other(template, variable)
        yield template
        template.refuse_changed(before)


def _refuse_other(template: Checkpoint, variable: TargetVariable) -> None:
    found = template.inventory.variables.get(variable.saved)
    if found is None or (found.shape, found.dtype) != (variable.shape, variable.dtype):
        raise CheckpointError(
            f"{variable.saved} is not what it was when the plan was made", where=template.inventory.path
        )


@dataclass(frozen=True, slots=True)
class ReadBack:
    """A new checkpoint as it was read again: how many of its values, and its ``Checkpoint.digests``."""

    values: int
    digests: dict[str, str]


def read_back(prefix: Path, plan: Plan, staged: Staged, source: Checkpoint, *, everything: bool = False) -> ReadBack:
    """Compare every checksum of the new index, and read every value but the adopted ones.

    Args:
        prefix: the new checkpoint.
        plan: what it was made by.
        staged: what was written.
        source: where it came from: a wrong checksum of copied bytes is the source's fault where it has it too.
        everything: read the adopted values as well.

    Raises:
        VerificationError: a value is missing or is not what was written.
        CheckpointError: bytes of the source are not those that were saved.
    """
    if staged.sink is not None:
        digests = read_file_back(prefix, plan, staged.sink, staged.written)
        return ReadBack(len(staged.written), digests)
    with open_checkpoint(str(prefix)) as checkpoint:
        variables = checkpoint.inventory.variables
        for key, wanted in staged.written.items():
            found = variables.get(key)
            if found is None or found.span is None or found.span.crc32c != wanted.crc32c:
                raise VerificationError(f"{key} is not in the index as it was written", where=str(prefix))
        count, own = 0, len(staged.placement.shards)
        if everything:
            source.fetch(record.sources[0] for record in plan.targets if _in_the_store(record, staged))
        for record in plan.targets:
            if everything or not _adopted(record, staged.stored, staged.placement):
                key = _key(plan, record)
                span = variables[key].span
                if span is not None and _in_the_store(record, staged):
                    _read(source, record.sources[0])  # what the store will copy
                elif span is None or span.file != own or span._replace(file=0) not in staged.right:
                    _compare(checkpoint, key, source, _unread(record, staged.stored))
                count += 1
        if plan.form is Form.OBJECTS:
            _compare(checkpoint, variable_key(SAVE_COUNTER), source, None)
            count += 1
        return ReadBack(count, checkpoint.digests())


def _compare(checkpoint: Checkpoint, key: str, source: Checkpoint, copied: str | None) -> None:
    try:
        _read(checkpoint, key)
    except CheckpointError as error:
        if copied is not None:
            _read(source, copied)
        raise VerificationError(error.problem.message, where=checkpoint.inventory.path) from error


def _read(checkpoint: Checkpoint, name: str) -> None:
    for _ in checkpoint.chunks(name):
        pass


def _adopted(record: TargetRecord, stored: Stored, placement: Placement) -> bool:
    place = stored.get(record.sources[0]) if unchanged(record) else None
    return place is not None and place[0] in placement.shards


def _in_the_store(record: TargetRecord, staged: Staged) -> bool:
    return staged.placement.mode == "store" and _adopted(record, staged.stored, staged.placement)


def _unread(record: TargetRecord, stored: Stored) -> str | None:
    """The source variable whose bytes came unread; None where they were read."""
    return record.sources[0] if unchanged(record) and record.sources[0] in stored else None


def _key(plan: Plan, record: TargetRecord) -> str:
    if plan.form is not Form.OBJECTS:
        return record.variable.key
    return variable_key(object_path(plan.root, record.variable.key))


def _value(record: TargetRecord, inputs: _Inputs, report: Callable[[int], None]) -> ObjectValue:
    variable, stored, placement = record.variable, inputs.stored, inputs.placement
    kept = stored.get(record.sources[0]) if unchanged(record) else None
    if kept is not None:
        path, span = kept
        shard = placement.shards.get(path)
        if shard is not None:
            return ObjectValue(variable.name, variable.dtype, variable.shape, (), None, None, (shard, span))
        return ObjectValue(variable.name, variable.dtype, variable.shape, stored=(path, span))
    chunks = _counted(_chunks(record, inputs), report)
    known = _known_checksum(record, inputs.checkpoint)
    return ObjectValue(variable.name, variable.dtype, variable.shape, chunks, known)


def _known_checksum(record: TargetRecord, checkpoint: Checkpoint) -> int | None:
    known = checkpoint.verify and unchanged(record)
    span = checkpoint.inventory.variables[record.sources[0]].span if known else None
    return span.crc32c if span is not None else None


def _chunks(record: TargetRecord, inputs: _Inputs) -> Iterator[bytes]:
    if unchanged(record):
        return inputs.checkpoint.chunks(record.sources[0])
    from ckptmap.execution.computing import computed, fresh

    if not record.from_sources:
        return fresh(record, inputs.template, inputs.seed)
    return computed(record, inputs.checkpoint, inputs.template, inputs.seed)


def _counted(chunks: Iterator[bytes], report: Callable[[int], None]) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk
        report(len(chunk))


def _counting(progress: Progress | None, total: int) -> Callable[[int], None]:
    done = 0

    def report(size: int) -> None:
        nonlocal done
        done += size
        if progress is not None:
            progress(done, total)

    return report
