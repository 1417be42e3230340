"""The verb ``audit``: what restoring a checkpoint into a model would do, and whether that is as demanded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from ckptmap.audit import Thresholds
from ckptmap.audit import audit as audit_for

if TYPE_CHECKING:
    from ckptmap.audit import Audit
    from ckptmap.request.choices import PathLike


def audit(
    checkpoint: PathLike,
    *,
    to: PathLike | None = None,
    like: PathLike | None = None,
    pipeline: PathLike | None = None,
    kind: Literal["full", "detection", "classification"] | None = None,
    num_classes: int | None = None,
    settings: Mapping[str, Any] | None = None,
    min_restored: float = 0.0,
    require: Sequence[str] = (),
    fail_on: Sequence[str] = ("missing",),
    allow: Sequence[str] = (),
    index_only: bool = False,
    elsewhere: bool = False,
) -> Audit:
    """What restoring ``checkpoint`` into a model would do; ``passed`` says whether it is as demanded.

    Args:
        checkpoint: prefix, any file, or directory.
        to: the model by the name of a shipped target.
        like: the model by a TF2 checkpoint that has its variables; with ``pipeline`` for the config's model.
        pipeline: the model, the API's version and the type of restore by a pipeline.config.
        kind: without ``pipeline``, what is restored of a detection model: ``full``, ``detection``, ``classification``.
        num_classes: classes of the target ``to``.
        settings: settings and lengths of the target ``to`` that nothing else says.
        min_restored: the least share of the model's variables that is restored, 0 to 1.
        require: globs of variables that must be restored.
        fail_on: fates that no variable may meet: ``missing``, ``unused``, ``reinitialized``.
        allow: globs of variables that ``fail_on`` passes over.
        index_only: judge by the index alone, where the data files are elsewhere.
        elsewhere: the config is for another machine: nothing is said of its paths that are not here.

    Raises:
        CkptmapError: the checkpoint, the target or the config cannot be read, a data file of the checkpoint is not
            whole, or nothing names the model.
    """
    given = {**(settings or {}), **({"num_classes": num_classes} if num_classes else {})}
    demanded = Thresholds(min_restored, tuple(require), tuple(fail_on), tuple(allow))
    return audit_for(
        checkpoint,
        to=to,
        like=like,
        pipeline=pipeline,
        kind=kind,
        given=given,
        thresholds=demanded,
        index_only=index_only,
        elsewhere=elsewhere,
    )
