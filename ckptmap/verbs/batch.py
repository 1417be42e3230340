"""``convert_many``: several checkpoints to one target, side by side; one that fails never stops the others."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckptmap.basics.documents import unforeseen
from ckptmap.basics.errors import CkptmapError, OutputError
from ckptmap.basics.wording import argument
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.remote import is_remote
from ckptmap.checkpoint.staging import output_errors
from ckptmap.checkpoint.store import Place, StorePath, place_of, write_place
from ckptmap.execution.files import FileForm
from ckptmap.execution.overwriting import refuse_circle
from ckptmap.execution.placing import DataMode
from ckptmap.report.batch_document import SCHEMA as BATCH_SCHEMA
from ckptmap.report.batch_document import batch_document, converted, failed
from ckptmap.report.conversion_document import Document
from ckptmap.report.json_format import json_pieces
from ckptmap.report.shown import Report
from ckptmap.request.batch_list import output_names
from ckptmap.request.choices import PathLike, PlanChoices, plan_options
from ckptmap.request.search import searched
from ckptmap.request.surroundings import Wish, config_beside
from ckptmap.verbs.batch_plans import Learned, Plans
from ckptmap.verbs.conversion import Conversion, convert_planned
from ckptmap.verbs.lanes import Lane, LaneEndedError, Progress, can_fork, cores, forked, side_by_side, worth
from ckptmap.verbs.resuming import earlier_report, kept_report, read_report, wish_digest, with_config
from ckptmap.verbs.writing import IfExists, Writing, report_there

if TYPE_CHECKING:
    from ckptmap.families.detection.operations import AnchorChoice
    from ckptmap.families.verdict import Prefer
    from ckptmap.planning.choices import EmaChoice

_LEAST_JOBS = 4
"""Also on fewer cores: while one waits for the disk, another computes."""
_SECONDS_EACH, _BYTES_PER_SECOND = 0.02, 500e6
"""What a conversion takes, for its names and for its values, where the disk is fast: processes are worth it or not."""

OVERALL = "batch.json"
"""The report of all, in the output folder."""
_Item = tuple[str, "Place | None"]
"""A checkpoint, and the folder that it goes to."""


def convert_many(
    sources: Iterable[PathLike],
    *,
    to: PathLike | None = None,
    output: PathLike | None,
    jobs: int | None = None,
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
    resume: bool = False,
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
    """Convert each of ``sources`` as :func:`ckptmap.convert` does, and return one report of all (``ckptmap.batch/1``).

    A folder that holds no checkpoint stands for all those below it. Each goes to a folder of its own below ``output``,
    named as the source is below the folder that all sources share: ``zoo/a/model.ckpt`` and ``zoo/b/model.ckpt`` become
    ``output/a/model.ckpt`` and ``output/b/model.ckpt``. Its full report is the ``report.json`` there; that of all is
    also ``output``/batch.json, where anything was written. Checkpoints with the same names, shapes and dtypes share one
    plan, where the configs beside them say the same too; without ``to`` and ``pipeline`` each is converted to what it
    shows to be. Interrupted (Ctrl-C), those that run are finished, and the report says which have not begun.

    Args:
        sources: checkpoints, and folders of them.
        to: as in :func:`ckptmap.convert`, like the arguments from ``table`` on that are not named here.
        output: the folder; None is a dry run.
        jobs: how many are converted at a time, at most; None: one a core, and four at least. Each has a process of its
            own where that is faster and no other thread runs here (Linux), and threads where a source or the output is
            remote.
        table: shipped table or your own YAML.
        pipeline: the TF1 pipeline.config of all models.
        no_pipeline: leave the configs beside the checkpoints out.
        prefer: ``exact`` or ``stock`` in the migrated configs.
        seed: of the initializers.
        data: ``auto``, ``copy``, ``reflink`` or ``link``.
        verify_data: compare the bytes of linked and cloned values too.
        verify: compare the checksums of the sources' values.
        ranges: keep the ranges of quantization-aware training in the reports.
        force: replace what is in the folders.
        if_exists: where its folder holds a checkpoint: ``fail``; ``skip``, leave it and count it as kept;
            ``replace``, as ``force``.
        dry_run: write nothing.
        index_only: of a dry run, do not check whether the data files exist.
        form: ``target`` or ``safetensors``.
        resume: what an earlier run made stays as it is where its source, the wishes and the result are what they were,
            and is made again where not.
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
        progress: called with (checkpoints done, checkpoints in all).

    Raises:
        CkptmapError: the target, table or config cannot be used, or the sources do not lead to outputs of their own.
            What is wrong with one checkpoint is in the report.
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
        form=form,
    )
    return Report(convert_all(sources, output, wish, how, jobs=jobs, resume=resume, progress=progress))


def convert_all(
    sources: Iterable[PathLike],
    output: PathLike | None,
    wish: Wish,
    how: Writing,
    *,
    jobs: int | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> Document:
    """What :func:`convert_many` does, for one ``wish`` of all and one way to write. Raises as that does."""
    paths = _outside(output, [os.fspath(source) for source in sources])
    top = None if output is None else place_of(output)
    if isinstance(top, Path) and os.path.isfile(top):  # noqa: PTH113  (names too long)
        raise OutputError(f"{top} is a file", hint=f"give a directory to write to with {argument('output')}")
    folders = [None if top is None else top / name for name in output_names(paths)]
    refuse_circle([folder for folder in folders if folder is not None], paths)
    plans = Plans(wish, wish.destination() if wish.names_the_target else None)
    overall = None if top is None or how.dry_run else top / OVERALL
    if overall is not None:
        _refuse_other_document(overall)
    digest = "" if how.dry_run else wish_digest(wish, how.seed, how.form, how.ranges, how.verify)

    def one(item: _Item) -> Document:
        path, folder = item
        try:
            return convert_one(path, folder, wish, how, digest, plans, resume=resume)
        except CkptmapError as error:
            return failed(path, error)
        except Exception as error:  # noqa: BLE001  (whatever one file brings up, the others are converted)
            return failed(path, CkptmapError(unforeseen(error), where=path))

    items = list(zip(paths, folders, strict=True))
    most = jobs or max(cores(), _LEAST_JOBS)
    with _parents(() if how.dry_run else folders):
        done = _all(items, one, plans, most, progress)
        findings = tuple(plans.findings())
        report = batch_document(plans.targets, plans.tables, done, jobs=most, plans=plans.made, findings=findings)
        if overall is not None and any(one["checkpoint"] is not None for one in done):
            write_place(overall, "".join((*json_pieces(report), "\n")).encode("utf-8", "surrogateescape"))
    return report


def _outside(output: PathLike | None, sources: Sequence[str]) -> list[str]:
    """The checkpoints; of those below a folder, not what an earlier run wrote to ``output`` in it."""
    found = searched(sources)
    if output is None or is_remote(os.fspath(output)):
        return found
    own = os.path.join(os.path.abspath(output), "")  # noqa: PTH100, PTH118  (links are not followed: as is searched)
    named = frozenset(sources)
    outside = [path for path in found if path in named or not os.path.abspath(path).startswith(own)]  # noqa: PTH100
    return outside or found


def convert_one(
    path: str, folder: Place | None, wish: Wish, how: Writing, digest: str, plans: Plans, *, resume: bool
) -> Document:
    """What became of one checkpoint, for the report of all; ``digest`` is the wish's. Raises as ``ckptmap.convert``."""
    if (there := report_there(folder, how)) is not None:
        return converted(path, there, kept=True)
    own = _own_digest(path, digest, wish)
    if resume and folder is not None and (earlier := kept_report(folder, path, own)) is not None:
        plans.keep(earlier["target"]["name"], earlier["table"])
        return converted(path, earlier, kept=True)
    if not (resume or how.replaces or how.dry_run):
        _refuse_earlier(folder)
    replaced = how.replaces or (resume and folder is not None and earlier_report(folder) is not None)
    report = convert_planned(Conversion(path, folder, wish, replace(how, wish=own, force=replaced)), plans)
    return converted(path, report)


def _refuse_earlier(folder: Place | None) -> None:
    """Raises OutputError where an earlier run has converted a checkpoint to this folder of this machine."""
    if isinstance(folder, Path) and earlier_report(folder) is not None:
        hint = f"add {argument('resume')} to keep what has not changed, or {argument('force')} to replace it"
        raise OutputError(f"{folder} is not empty: an earlier run has written it", hint=hint)


def _all(
    items: Sequence[_Item], one: Lane[_Item, Document], plans: Plans, most: int, progress: Progress | None
) -> list[Document]:
    """The outcome of each item, in their order."""

    def elsewhere(item: _Item) -> tuple[Document, Learned]:
        return one(item), plans.learned()

    def ended(item: _Item, error: LaneEndedError) -> tuple[Document, Learned]:
        return failed(item[0], _died(error)), Learned()

    def not_begun(item: _Item) -> tuple[Document, Learned]:
        return failed(item[0], _not_begun()), Learned()

    processes, threads = _shares(items, most)
    with forked(elsewhere, processes - 1) as helpers:
        lanes = [elsewhere] * threads + helpers
        done = side_by_side(items, lanes, ended=ended, not_begun=not_begun, progress=progress)
    plans.learn(learned for _, learned in done)
    return [document for document, _ in done]


def _shares(items: Sequence[_Item], most: int) -> tuple[int, int]:
    """In how many processes, and in how many threads of this one.

    What is remote is waited for in threads; otherwise a second thread would only stand in the way of the first.
    """
    most = max(1, min(most, len(items)))
    if any(is_remote(path) or isinstance(folder, StorePath) for path, folder in items):
        return 1, most
    if most == 1 or not can_fork():
        return 1, 1
    return worth(_seconds([path for path, _ in items]), most), 1


def _seconds(paths: Sequence[str]) -> float:
    """About what converting the checkpoints takes one process, by their number and by what lies in their folders."""
    folders = {path if os.path.isdir(path) else os.path.dirname(path) or "." for path in paths}  # noqa: PTH112, PTH120
    return len(paths) * _SECONDS_EACH + sum(map(_bytes_in, folders)) / _BYTES_PER_SECOND


def _bytes_in(folder: str) -> int:
    try:
        with os.scandir(folder) as entries:
            return sum(entry.stat().st_size for entry in entries if entry.is_file())
    except (OSError, ValueError):  # what is wrong with it is said when its turn comes
        return 0


def _own_digest(path: str, digest: str, wish: Wish) -> str:
    """The digest of the wish for one checkpoint; none where nothing is written."""
    if not digest:
        return ""
    with open_checkpoint(path) as checkpoint:
        return with_config(digest, config_beside(checkpoint.inventory, wish))


def _refuse_other_document(path: Place) -> None:
    """Raises OutputError where the report of all would replace something else than an earlier one."""
    there = path.exists() if isinstance(path, Path) else path.size() is not None
    if not there:
        return
    try:
        known = read_report(path)["schema"] == BATCH_SCHEMA
    except CkptmapError:
        known = False
    if not known:
        raise OutputError("is not a report of ckptmap: that of this run would replace it", where=str(path))


def _died(error: LaneEndedError) -> CkptmapError:
    message = f"the process that converted it died (exit code {error.code})"
    return CkptmapError(message, hint=f"if memory is short, use fewer {argument('jobs')}; then {argument('resume')}")


def _not_begun() -> CkptmapError:
    return CkptmapError("was not started: the run was interrupted", hint=f"run it again with {argument('resume')}")


@contextmanager
def _parents(folders: Iterable[Place | None]) -> Iterator[None]:
    """The folders above the outputs, made before all and removed after all where nothing came of them.

    Each conversion makes and removes its own; those that several share would vanish under another's feet.
    """
    wanted = {above for folder in folders if isinstance(folder, Path) for above in folder.parents}
    made = sorted((folder for folder in wanted if not folder.exists()), key=lambda folder: len(folder.parts))
    for folder in made:
        with output_errors(folder):
            folder.mkdir(exist_ok=True)
    try:
        yield
    finally:
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()
