"""The two verbs of the library: ``plan`` says what would happen, ``convert`` does it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckptmap.basics.collector import collector_paused
from ckptmap.basics.documents import REPORT_NAME
from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.secrets import without_secrets
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.absence import refuse_unless_whole
from ckptmap.checkpoint.inventory import OF_OTHERS, Inventory
from ckptmap.checkpoint.merged import open_sources
from ckptmap.checkpoint.reader import Checkpoint
from ckptmap.checkpoint.store import Place, place_of
from ckptmap.execution.files import FileForm, file_kind
from ckptmap.execution.overwriting import CONVERTED, checkpoint_files, input_files, refuse_holding, refuse_overwriting
from ckptmap.execution.placing import DataMode
from ckptmap.execution.quantization import quantization_ranges
from ckptmap.execution.writing import CHECKPOINT_NAME, Progress
from ckptmap.families.detection.config_files import CONFIG_NAME
from ckptmap.planning.ledger import Plan
from ckptmap.planning.name_matching import match
from ckptmap.planning.optimizer import read_step
from ckptmap.planning.plan import make_plan
from ckptmap.report.conversion_document import Document, document
from ckptmap.report.json_format import json_pieces
from ckptmap.report.shown import Report, Shown
from ckptmap.request.choices import PathLike, PlanChoices, plan_options
from ckptmap.request.destination import Destination
from ckptmap.request.resolve import migration
from ckptmap.request.surroundings import Wish, choose_destination, config_beside
from ckptmap.request.table_likeness import refuse_other_architecture
from ckptmap.verbs.writing import IfExists, Reading, Writing, check_output, opened_staging, report_there, staged

if TYPE_CHECKING:
    from ckptmap.checkpoint.identity import Stamps
    from ckptmap.families.detection.operations import AnchorChoice
    from ckptmap.families.verdict import Prefer
    from ckptmap.planning.choices import EmaChoice, Training


def plan(
    source: PathLike,
    *,
    also: Mapping[str, PathLike] | None = None,
    to: PathLike | None = None,
    table: PathLike | None = None,
    pipeline: PathLike | None = None,
    no_pipeline: bool = False,
    prefer: Prefer = "exact",
    num_classes: int | None = None,
    label_maps: tuple[PathLike, PathLike] | None = None,
    settings: Mapping[str, Any] | None = None,
    ema: EmaChoice | None = None,
    root: str | None = None,
    allow_unused: Sequence[str] = (),
    init_missing: bool = False,
    step: bool = False,
    optimizer: str | None = None,
    learning_rate: float | None = None,
    at_step: int | None = None,
    anchors: AnchorChoice = "api",
) -> ShownPlan:
    """The ledger of converting ``source``: every variable and its fate; reads indexes only, writes nothing.

    It promises nothing of the values: whether the data files are there is not looked at. A dry run of :func:`convert`
    does that.

    Args:
        source: prefix, any file, or directory of a checkpoint; of TF2, readable names are the names of its variables.
        also: further checkpoints to take variables from, by a name; rules call those ``name:variable``, or as they are
            where only one checkpoint has them.
        to: name of a shipped target, or a TF2 checkpoint whose object graph and shapes are the template; None: what
            the config says, else what the checkpoint shows.
        table: shipped table or your own YAML; None: the target's own, and to a template that has none, or from a TF2
            checkpoint, the names on which both sides agree.
        pipeline: the TF1 pipeline.config of the model: its settings decide the target's, and it is migrated too. None:
            the one beside the checkpoint, where it speaks of the same model; the plan's notes say so, or why not.
        no_pipeline: leave a config beside the checkpoint out.
        prefer: where stock TF2 is not equal to the TF1 model: ``exact`` or ``stock`` in the migrated config.
        num_classes: classes of the new model; if the source has another count, the class head is re-initialized.
        label_maps: label map files of the source's classes and of the new ones: what the class heads hold of both is
            carried over.
        settings: settings of the target such as ``use_dropout``, where the source does not show them.
        ema: ``prefer`` moving averages to raw values, ``ignore`` them, or take them ``only``: one that lacks is an
            error. None: ``prefer``, and ``ignore`` with ``optimizer``.
        root: what the new checkpoint is rooted at, ``model`` or ``feature_extractor``; None: the target's own.
        allow_unused: globs of source variables that may stay unused.
        init_missing: fill target variables without a source by their initializers.
        step: carry TF1's ``global_step`` over to ``step`` beside the model.
        optimizer: carry the optimizer's state over, so that training goes on: ``found`` for the optimizer that the
            checkpoint shows, a kind (``sgd``, ``rmsprop``, ``adam``, ``adamw``, ``adagrad``, ``ftrl``, ``adadelta``,
            ``lamb``), or kind and TF1's name where there are several, ``adam:Adam_G``. To a shipped target it becomes
            that of the Object Detection API's trainer, to a template the one that was saved with it.
        learning_rate: that of the next step, which momentum is multiplied by; None: the config's schedule says it.
        at_step: how many steps were done, where there is no ``global_step`` or it is not to count.
        anchors: EfficientDet: the anchors of the new config, ``api``, ``automl`` or ``automl-2020``.

    Raises:
        CkptmapError: the source, table, config or target cannot be used, or they contradict each other.
    """
    choices: PlanChoices = {
        "num_classes": num_classes,
        "label_maps": label_maps,
        "settings": settings or {},
        "ema": ema,
        "root": root,
        "allow_unused": tuple(allow_unused),
        "init_missing": init_missing,
        "step": step,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "at_step": at_step,
        "anchors": anchors,
    }
    with open_sources(os.fspath(source), also or {}) as checkpoint:
        wish = Wish(to, table, pipeline, plan_options(choices), prefer, no_pipeline)
        destination, made = settled(checkpoint.inventory, stepped(wish, checkpoint))
    return ShownPlan(**{one.name: getattr(made, one.name) for one in fields(made)}, destination=destination)


@dataclass(frozen=True, slots=True, repr=False)
class ShownPlan(Shown, Plan):
    """A plan as a notebook shows it, with the way to its report."""

    destination: Destination | None = field(default=None, compare=False)

    def to_document(self) -> Document:
        """The report of a dry run: ``ckptmap.report/1``."""
        config = migration(self.destination, self, None) if self.destination is not None else None
        return document(self, config)


def convert(
    source: PathLike,
    *,
    also: Mapping[str, PathLike] | None = None,
    to: PathLike | None = None,
    output: PathLike | None,
    table: PathLike | None = None,
    pipeline: PathLike | None = None,
    no_pipeline: bool = False,
    prefer: Prefer = "exact",
    seed: int = 0,
    data: DataMode = "auto",
    verify_data: bool = False,
    verify: bool = True,
    ranges: bool = False,
    force: bool = False,
    if_exists: IfExists = "fail",
    dry_run: bool = False,
    index_only: bool = False,
    form: FileForm = "target",
    num_classes: int | None = None,
    label_maps: tuple[PathLike, PathLike] | None = None,
    settings: Mapping[str, Any] | None = None,
    ema: EmaChoice | None = None,
    root: str | None = None,
    allow_unused: Sequence[str] = (),
    init_missing: bool = False,
    step: bool = False,
    optimizer: str | None = None,
    learning_rate: float | None = None,
    at_step: int | None = None,
    anchors: AnchorChoice = "api",
    progress: Progress | None = None,
) -> Report:
    """Convert ``source`` into ``output``/ckpt-0, verify it, and return the report (also in ``output``/report.json).

    What is copied or computed is read back; of a linked or cloned file the checksums of the old index are carried over.
    With a config the migrated one goes to ``output``/pipeline.config. Where the plan has findings, and in a dry run,
    nothing is written and the report's ``output`` is None. Where the target is a file of Keras or of safetensors, a
    file of the same kind is written instead of a checkpoint (``model.weights.h5``, ``model.h5``,
    ``model.safetensors``).

    Args:
        source: as in :func:`plan`, like ``also``, ``to``, ``table``, ``pipeline``, ``no_pipeline`` and ``prefer``.
        also: further checkpoints to take variables from, by a name.
        to: name of a shipped target, a TF2 checkpoint, or a file of Keras or safetensors.
        output: the folder; None is a dry run.
        table: shipped table or your own YAML.
        pipeline: the TF1 pipeline.config of the model.
        no_pipeline: leave a config beside the checkpoint out.
        prefer: where stock TF2 is not equal to the TF1 model: ``exact`` or ``stock`` in the migrated config.
        seed: of the initializers.
        data: how the bytes of unchanged values get there: ``copy``; ``reflink``, the old data file as a copy-on-write
            clone; ``link``, the old data file under a second name, so that whoever writes into the old file later
            changes the new checkpoint; ``auto``: reflink where the file system can, else copy.
        verify_data: compare the bytes of linked and cloned values too.
        verify: compare the checksums of the source's values; without it every value is read and gets a checksum of
            its own, and the report says so.
        ranges: keep the ranges of quantization-aware training, which no TF2 model takes, in the report.
        force: replace what is in ``output``.
        if_exists: where ``output`` holds a checkpoint: ``fail``; ``skip``, leave it and return its report;
            ``replace``, as ``force``.
        dry_run: write nothing; with an ``output`` the report lists the config edits of the real run. Whether the data
            files are there, whole by their sizes, is looked at.
        index_only: of a dry run, do not look at that.
        form: ``target``, or ``safetensors``: such a file for any target, its keys being the readable names.
        num_classes: classes of the new model; if the source has another count, the class head is re-initialized.
        label_maps: label map files of the source's classes and of the new ones: what the class heads hold of both is
            carried over.
        settings: settings of the target such as ``use_dropout``, where the source does not show them.
        ema: ``prefer`` moving averages to raw values, ``ignore`` them, or take them ``only``: one that lacks is an
            error. None: ``prefer``, and ``ignore`` with ``optimizer``.
        root: what the new checkpoint is rooted at, ``model`` or ``feature_extractor``; None: the target's own.
        allow_unused: globs of source variables that may stay unused.
        init_missing: fill target variables without a source by their initializers.
        step: carry TF1's ``global_step`` over to ``step`` beside the model.
        optimizer: carry the optimizer's state over, so that training goes on: ``found`` for the optimizer that the
            checkpoint shows, a kind (``sgd``, ``rmsprop``, ``adam``, ``adamw``, ``adagrad``, ``ftrl``, ``adadelta``,
            ``lamb``), or kind and TF1's name where there are several, ``adam:Adam_G``. To a shipped target it becomes
            that of the Object Detection API's trainer, to a template the one that was saved with it.
        learning_rate: that of the next step, which momentum is multiplied by; None: the config's schedule says it.
        at_step: how many steps were done, where there is no ``global_step`` or it is not to count.
        anchors: EfficientDet: the anchors of the new config, ``api``, ``automl`` or ``automl-2020``.
        progress: called with (bytes done, bytes in all).

    Raises:
        CkptmapError: as :func:`plan`; OutputError where ``output`` cannot be written or is not empty;
            VerificationError where what is read back is not what was written.
    """
    choices: PlanChoices = {
        "num_classes": num_classes,
        "label_maps": label_maps,
        "settings": settings or {},
        "ema": ema,
        "root": root,
        "allow_unused": tuple(allow_unused),
        "init_missing": init_missing,
        "step": step,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "at_step": at_step,
        "anchors": anchors,
    }
    wish = Wish(to, table, pipeline, plan_options(choices), prefer, no_pipeline)
    how = Writing(
        seed=seed,
        data=data,
        verify_data=verify_data,
        verify=verify,
        ranges=ranges,
        force=force,
        if_exists=if_exists,
        dry_run=dry_run or output is None,
        index_only=index_only,
        progress=progress,
        form=form,
    )
    folder = None if output is None else place_of(output)
    return Report(convert_planned(Conversion(os.fspath(source), folder, wish, how, also or {})))


@dataclass(frozen=True, slots=True)
class Conversion:
    """One checkpoint, the folder it goes to (None: nowhere), what the user says of the destination, and how."""

    source: str
    folder: Place | None
    wish: Wish
    how: Writing
    also: Mapping[str, PathLike] = field(default_factory=dict)
    """Further checkpoints to take variables from, by a name."""


def convert_planned(
    asked: Conversion, planned: Callable[[Inventory, Training | None], tuple[Destination, Plan]] | None = None
) -> Document:
    """Do what is ``asked``; :func:`convert` says the rest. ``planned`` makes the plan if there may be one already."""
    folder, how = asked.folder, asked.how
    if how.form != "target" and asked.wish.options.training is not None:
        hint = f"leave {argument('no optimizer')} out"
        raise CkptmapError("a file of weights holds no optimizer", hint=hint)
    if (there := report_there(folder, how)) is not None:
        return there
    if folder is not None and not how.dry_run:
        check_output(folder, [asked.source, *asked.also.values()], force=how.replaces)
    with open_sources(asked.source, asked.also, verify=how.verify) as checkpoint:
        before = checkpoint.stamps()
        if not how.index_only:
            refuse_unless_whole(checkpoint, index_suffices=how.dry_run)
        if folder is not None:
            refuse_holding(folder, "the source checkpoint", checkpoint_files(checkpoint.inventory))
        held = checkpoint.inventory
        wish = stepped(asked.wish, checkpoint)
        destination, made = settled(held, wish) if planned is None else planned(held, wish.options.training)
        learned = quantization_ranges(checkpoint) if how.ranges else None
        # what becomes of the target's variables is in the plan: many take much memory
        destination = replace(destination, target=replace(destination.target, variables=()))
        if folder is not None:
            _refuse_inputs(folder, destination, checkpoint.inventory)
        if made.findings or folder is None or how.dry_run:
            return document(made, migration(destination, made, _prefix(folder, made, how)), ranges=learned)
        return _write(made, destination, checkpoint, folder, how, before, learned)


def stepped(wish: Wish, checkpoint: Checkpoint) -> Wish:
    """The wish with the value of ``global_step``, where an optimizer's state is carried over and it counts.

    Raises:
        CheckpointError: it cannot be read.
    """
    training = wish.options.training
    if training is None or training.given_step is not None:
        return wish
    name = read_step(checkpoint.inventory)
    if name is None:
        return wish
    known = replace(training, step=int(checkpoint.read(name)))
    return replace(wish, options=replace(wish.options, training=known))


def settled(inventory: Inventory, wish: Wish) -> tuple[Destination, Plan]:
    """Where ``inventory`` goes by ``wish`` and by what lies beside it, and the ledger. Raises as :func:`plan`."""
    beside = config_beside(inventory, wish)
    return choose_destination(inventory, wish, beside, plan_to).told(beside)


def plan_to(inventory: Inventory, destination: Destination) -> Plan:
    """The ledger of converting ``inventory`` to ``destination``; names, dtypes and shapes are all that it sees.

    Raises:
        CkptmapError: the inventory is of another architecture, or does not fit.
    """
    with collector_paused():
        matching = match(inventory, destination.table_of(inventory))
        refuse_other_architecture(matching, destination.target)
        return make_plan(matching, destination.target, destination.options)


def _write(
    made: Plan,
    destination: Destination,
    checkpoint: Checkpoint,
    folder: Place,
    how: Writing,
    before: Stamps,
    ranges: Mapping[str, float] | None,
) -> Document:
    config = migration(destination, made, _prefix(folder, made, how))
    with opened_staging(folder, force=how.replaces) as staging:
        output = staged(made, Reading(checkpoint, before, destination.table.digests), staging, how)
        with collector_paused():
            report = document(made, config, output, ranges=ranges)
        staging.write(REPORT_NAME, chain(json_pieces(report), ["\n"]))
        if config is not None:
            staging.write(CONFIG_NAME, config.text)
        staging.commit()
    return report


def _prefix(folder: Place | None, made: Plan, how: Writing) -> str | None:
    """What the migrated config calls the new checkpoint; None where nobody said where it goes, or none is written."""
    if folder is None or file_kind(made, how.form) is not None:
        return None
    return without_secrets((folder / CHECKPOINT_NAME).as_posix())


def _refuse_inputs(folder: Place, destination: Destination, source: Inventory) -> None:
    """Refuse to write over, or beside, what the checkpoint is made from; ``force`` is for an earlier run's output."""
    origin = destination.target.origin
    of_file = destination.target.template is not None and destination.target.template.kind in OF_OTHERS
    template = input_files(origin) if of_file or Path(f"{origin}.index").is_file() else ()
    refuse_holding(folder, "the template checkpoint", template)
    refuse_overwriting(folder, CONVERTED, _read_files(destination, source))


def _read_files(destination: Destination, source: Inventory) -> Iterator[tuple[str, Place]]:
    """What is read, and each of its files; a second name of the source's data is what ``--data link`` makes."""
    own = (path for path in checkpoint_files(source) if str(path) not in source.data_files)
    yield from (("the source checkpoint", path) for path in own)
    if destination.config is not None:
        yield "the config that is migrated", Path(destination.config.path)
    if destination.table.path:
        yield "the mapping table", Path(destination.table.path)
    yield from (("a label map", Path(labels.path)) for labels in destination.options.labels or ())
