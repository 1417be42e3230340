"""Transforms of Apache Beam: a path goes in, a typed row comes out, and what fails goes to the dead letters.

Each gives two collections, ``rows`` and ``failed``. Nothing is read or made before a worker begins (``setup``).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apache_beam as beam
from apache_beam.metrics import Metrics

from ckptmap.basics.documents import unforeseen
from ckptmap.basics.errors import BusyError, CkptmapError, OutputError
from ckptmap.beam.rows import Audited, Catalogued, Compared, Converted, Failed, Held
from ckptmap.report.batch_document import failed
from ckptmap.report.conversion_document import Document

if TYPE_CHECKING:
    from ckptmap.checkpoint.store import Place

ROWS, FAILED = "rows", "failed"
_NAMESPACE = "ckptmap"
_PAUSE_SECONDS = 0.2


class _Each(beam.DoFn):  # type: ignore[misc]
    """A path becomes a row, or several, or a dead letter; all are counted."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes = Metrics.counter(_NAMESPACE, "bytes")
        self._failed = Metrics.counter(_NAMESPACE, "failed")

    def process(self, path: Any) -> Iterator[Any]:
        named = path if isinstance(path, str) else " ".join(path)
        try:
            rows = self.rows(path)
        except CkptmapError as error:
            rows = [_letter(failed(named, error))]
        except Exception as error:  # noqa: BLE001  (one file may not stop a fleet)
            rows = [_letter(failed(named, CkptmapError(unforeseen(error), where=named)))]
        for row in rows:
            if isinstance(row, Failed):
                self._failed.inc()
                yield beam.pvalue.TaggedOutput(FAILED, row)
            else:
                self._bytes.inc(row.bytes)
                Metrics.counter(_NAMESPACE, self.counter(row)).inc()
                yield row

    def rows(self, path: Any) -> list[Any]:
        """The rows of a path, or its dead letter."""
        return [self.row(path)]

    def row(self, path: Any) -> Any:
        """The row of a path, or its dead letter, where there is one."""
        raise NotImplementedError

    def counter(self, row: Any) -> str:
        """What a row is counted as."""
        raise NotImplementedError


class _Inspect(_Each):
    def row(self, path: str | tuple[str, str]) -> Catalogued | Failed:
        from ckptmap.verbs.fleet import catalogue_row

        path, name = (path, "") if isinstance(path, str) else path
        found = catalogue_row(path, name)
        if found["problems"]:
            return Failed(path, found["problems"][0], json.dumps(found))
        return Catalogued(**{name: found[name] for name in Catalogued._fields})

    def counter(self, row: Catalogued) -> str:  # noqa: ARG002  (all are counted alike)
        return "inspected"


class _Read(_Each):
    def rows(self, path: str) -> list[Any]:
        from ckptmap.checkpoint.reader import open_checkpoint

        with open_checkpoint(path) as checkpoint:
            held = checkpoint.inventory.variables.values()
            return [Held(path, one.name, str(one.dtype), one.shape, one.nbytes) for one in held]

    def counter(self, row: Held) -> str:  # noqa: ARG002  (all are counted alike)
        return "variables"


class _Audit(_Each):
    def __init__(self, how: Any) -> None:
        super().__init__()
        self._how = how

    def row(self, path: str) -> Audited:
        from ckptmap.verbs.audit import audit

        found = audit(path, **self._how).to_document()
        told = {name: found["summary"][name] for name in ("restored", "reinitialized", "missing", "unused")}
        plain = {name: found[name] for name in ("loads", "passed", "restored_share", "error")}
        whole = json.dumps(found)
        return Audited(
            path=path,
            model=found["model"]["name"],
            bytes=found["checkpoint"]["bytes"],
            document=whole,
            **plain,
            **told,
        )

    def counter(self, row: Audited) -> str:
        return "passed" if row.passed else "findings"


class _Diff(_Each):
    def __init__(self, how: Any) -> None:
        super().__init__()
        self._how = how

    def row(self, path: tuple[str, str]) -> Compared:
        from ckptmap.diff import diff

        a, b = path
        found = diff(a, b, **self._how).to_document()
        told = {name: found["summary"][name] for name in ("only_in_a", "only_in_b", "shape", "dtype", "changed")}
        size = found["a"]["bytes"] + found["b"]["bytes"]
        return Compared(a=a, b=b, equal=found["equal"], bytes=size, document=json.dumps(found), **told)

    def counter(self, row: Compared) -> str:
        return "equal" if row.equal else "findings"


class _Convert(_Each):
    def __init__(self, to: str | None, table: str | None, output: str, below: str, wait: float, choices: Any) -> None:
        super().__init__()
        self._given = (to, table, output, below, wait)
        self._choices = choices

    def setup(self) -> None:
        from ckptmap.request.choices import plan_options
        from ckptmap.request.surroundings import Wish
        from ckptmap.verbs.batch_plans import Plans
        from ckptmap.verbs.resuming import wish_digest
        from ckptmap.verbs.writing import Writing

        to, table, *_ = self._given
        self._wish, self._how = (
            Wish(to, table, None, plan_options(self._choices), "exact", no_pipeline=False),
            Writing(),
        )
        self._plans = Plans(self._wish, self._wish.destination() if self._wish.names_the_target else None)
        how = self._how
        self._digest = wish_digest(self._wish, how.seed, how.form, how.ranges, how.verify)

    def row(self, path: str) -> Converted | Failed:
        document = self._converted(path, self._folder(path))
        if document["checkpoint"] is None:
            return _letter(document)
        return Converted(path, *(document[name] for name in Converted._fields[1:]))

    def counter(self, row: Converted) -> str:
        return row.fate

    def _folder(self, path: str) -> Place:
        from ckptmap.checkpoint.data_files import prefix_of
        from ckptmap.checkpoint.remote import is_remote
        from ckptmap.checkpoint.store import place_of

        _, _, output, below, _ = self._given
        path = prefix_of(path)
        if is_remote(path):
            inner = path.removeprefix(below.rstrip("/") + "/")
            inside = inner != path and ".." not in inner.split("/")
        else:
            inside = Path(path).is_relative_to(below)
            inner = Path(path).relative_to(below).as_posix() if inside else ""
        if not inside:
            raise OutputError(f"is not below {below}", where=path, hint="below names the folder of all")
        return place_of(output) / inner

    def _converted(self, path: str, folder: Place) -> Document:
        """Another worker may have the same path: what it makes meanwhile is waited for, and kept."""
        from ckptmap.verbs.batch import convert_one

        end, looked = time.monotonic() + self._given[-1], False
        while True:
            try:
                return convert_one(path, folder, self._wish, self._how, self._digest, self._plans, resume=True)
            except BusyError:
                if time.monotonic() > end:
                    raise
            except OutputError:
                if looked:  # full, but not of the other worker's making
                    raise
                looked = True
            time.sleep(_PAUSE_SECONDS)


def _letter(document: Document) -> Failed:
    error = document["error"]
    told = error["message"] if error else "; ".join(one["message"] for one in document["findings"])
    return Failed(document["source"], told, json.dumps(document))


class _Transform(beam.PTransform):  # type: ignore[misc]
    _row: Any

    def _dofn(self) -> _Each:
        raise NotImplementedError

    def expand(self, paths: Any) -> Any:
        """``rows`` and ``failed``, two collections."""
        # equal paths stay apart: work that fails or is slow is begun anew by the engine without all that came before it
        spread = paths | "Spread" >> beam.Reshuffle()
        found = spread | "Each" >> beam.ParDo(self._dofn()).with_outputs(FAILED, main=ROWS)
        return {
            ROWS: found[ROWS] | "Rows" >> beam.Map(lambda row: row).with_output_types(self._row),
            FAILED: found[FAILED] | "Failed" >> beam.Map(lambda row: row).with_output_types(Failed),
        }


class InspectCheckpoints(_Transform):
    """Paths of checkpoints become rows of the catalogue; those with problems become dead letters.

    In place of a path there may be a pair of it and a name, which tells its commands from those of other checkpoints.
    """

    _row = Catalogued

    def _dofn(self) -> _Each:
        return _Inspect()


class ReadInventories(_Transform):
    """Paths of checkpoints become a row for each variable; nothing but indexes is read."""

    _row = Held

    def _dofn(self) -> _Each:
        return _Read()


class AuditCheckpoints(_Transform):
    """Paths of checkpoints become rows of what restoring each into a model would do; findings are rows, too.

    Args:
        how: the arguments of ``ckptmap.audit``: ``to``, ``pipeline``, ``min_restored``, ``fail_on``, ...
    """

    _row = Audited

    def __init__(self, **how: Any) -> None:
        super().__init__()
        self._how = how

    def _dofn(self) -> _Each:
        return _Audit(self._how)


class DiffCheckpoints(_Transform):
    """Pairs of paths become rows of how the two checkpoints differ.

    Args:
        how: the arguments of ``ckptmap.diff``: ``values``, ``tolerance``, ``match``, ``mapping``, ``read``.
    """

    _row = Compared

    def __init__(self, **how: Any) -> None:
        super().__init__()
        self._how = how

    def _dofn(self) -> _Each:
        return _Diff(self._how)


class ConvertCheckpoints(_Transform):
    """Paths of checkpoints are converted, each once however often it comes; what is not converted is a dead letter.

    Args:
        to: as in ``ckptmap.convert``, like ``table`` and the ``choices``.
        output: a folder that all workers share, or a URL; each checkpoint has a folder of its own in it.
        below: the folder that all paths are below: what follows it names the folder in ``output``.
        table: shipped table or your own YAML, which all workers can read.
        wait: seconds for which another worker that is at the same path is waited for.
        choices: ``num_classes``, ``ema``, ``allow_unused``, ``init_missing`` and what else decides a plan.
    """

    _row = Converted

    def __init__(
        self,
        *,
        output: str,
        below: str,
        to: str | None = None,
        table: str | None = None,
        wait: float = 600,
        **choices: Any,
    ) -> None:
        super().__init__()
        self._given = (to, table, output, below, wait, choices)

    def _dofn(self) -> _Each:
        return _Convert(*self._given)
