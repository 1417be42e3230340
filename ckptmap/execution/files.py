"""Files of weights that are no checkpoint of TensorFlow: who takes the bytes of the values one after the other.

The values are made as for a checkpoint. A file of Keras is the template's with other values in it, written in place; a
safetensors file is a header and the bytes.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ckptmap.basics.errors import CheckpointError, OutputError, VerificationError
from ckptmap.basics.text import plural
from ckptmap.checkpoint.crc import crc32c
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.files import CHUNK_SIZE
from ckptmap.checkpoint.hdf5 import datasets, dtype_of, hdf5_errors, open_hdf5, rows_together
from ckptmap.checkpoint.inventory import OF_OTHERS, Kind
from ckptmap.checkpoint.keras import is_keras_3
from ckptmap.checkpoint.reader import open_checkpoint
from ckptmap.checkpoint.safetensors import header
from ckptmap.checkpoint.staging import output_errors
from ckptmap.checkpoint.values import decode, element_count
from ckptmap.checkpoint.wire import FormatError
from ckptmap.checkpoint.writer import Written

if TYPE_CHECKING:
    from pathlib import Path

    from ckptmap.checkpoint.staging import Waiting
    from ckptmap.planning.ledger import Plan
    from ckptmap.targets.variables import TargetVariable

FileForm = Literal["target", "safetensors"]
"""What is written: the target's own kind, or a safetensors file with readable names as keys."""


class Sink(Protocol):
    """A file that takes values; leaving its context closes it."""

    name: str
    """What the file is called in the output folder."""

    def add(self, variable: TargetVariable, chunks: Iterable[bytes]) -> Written:
        """Takes the bytes of a value as a V2 bundle stores them, in the order of the plan."""

    def key(self, variable: TargetVariable) -> str:
        """What ``open_checkpoint`` calls the variable in the file."""


def file_kind(plan: Plan, form: FileForm) -> Kind | None:
    """What kind of file of others is written; None where a checkpoint of TensorFlow is."""
    if form == "safetensors":
        return Kind.SAFETENSORS
    kind = plan.template.kind if plan.template is not None else None
    return kind if kind in OF_OTHERS else None


@contextmanager
def opened_sink(plan: Plan, staging: Waiting, form: FileForm) -> Iterator[Sink | None]:
    """The file to write; None where a checkpoint of TensorFlow is.

    Raises:
        OutputError: it cannot be written, or cannot hold the values.
    """
    kind = file_kind(plan, form)
    if kind is Kind.SAFETENSORS:
        sink: SafetensorsSink | KerasSink = SafetensorsSink(plan, staging)
    elif kind is Kind.KERAS and plan.template is not None:
        sink = KerasSink(plan.template.path, [record.variable.key for record in plan.targets], staging)
    else:
        yield None
        return
    try:
        yield sink
    finally:
        sink.close()


class KerasSink:
    """A copy of the template with other values; what no variable of the plan is, stays: an optimizer's, for one."""

    def __init__(self, template: str, keys: Iterable[str], staging: Waiting) -> None:
        self.name = "model.weights.h5" if is_keras_3(dict.fromkeys(keys)) else "model.h5"
        self._path = staging.new(self.name)
        with output_errors(self._path):
            shutil.copyfile(template, self._path)
        self._template = template
        self._file: Any = open_hdf5(template, str(self._path), "r+")
        self._datasets = datasets(template, self._file)

    def add(self, variable: TargetVariable, chunks: Iterable[bytes]) -> Written:
        """Writes the value over the template's, by rows."""
        dataset = self._datasets.get(variable.key)
        if dataset is None or (dtype_of(dataset), tuple(dataset.shape)) != (variable.dtype, variable.shape):
            raise CheckpointError(f"{variable.key} is not what it was when the plan was made", where=self._template)
        with hdf5_errors(str(self._path)):
            return _filled(dataset, variable, chunks)

    def key(self, variable: TargetVariable) -> str:
        """As in the template."""
        return variable.saved

    def close(self) -> None:
        """Closes the file, with which all of it is on its way to the disk."""
        with hdf5_errors(str(self._path)):
            self._file.close()


def _filled(dataset: Any, variable: TargetVariable, chunks: Iterable[bytes]) -> Written:
    if not variable.shape:
        raw = b"".join(chunks)
        dataset[()] = _stored(variable.dtype, (), raw)
        return Written(len(raw), crc32c(raw))
    row = element_count(variable.shape[1:]) * (variable.dtype.itemsize or 0)
    together = rows_together(dataset, CHUNK_SIZE // row if row else 1)
    waiting, at, size, crc = bytearray(), 0, 0, 0
    for chunk in chunks:
        waiting += chunk
        size, crc = size + len(chunk), crc32c(chunk, crc)
        left = variable.shape[0] - at
        while row and left and len(waiting) >= min(together, left) * row:
            rows = min(together, left)
            part = bytes(waiting[: rows * row])
            del waiting[: rows * row]
            dataset[at : at + rows] = _stored(variable.dtype, (rows, *variable.shape[1:]), part)
            at, left = at + rows, left - rows
    return Written(size, crc)


def _stored(dtype: DType, shape: tuple[int, ...], raw: bytes) -> Any:
    """The values as Keras keeps them in HDF5, which knows no bfloat16."""
    values = decode(dtype, shape, raw)
    return values.view("V2") if dtype is DType.BFLOAT16 else values


class SafetensorsSink:
    """A file of its own; keys are the template's, else readable names where those are distinct, else object paths."""

    def __init__(self, plan: Plan, staging: Waiting) -> None:
        self.name = "model.safetensors"
        self._keys = _keys(plan)
        variables = {self._keys[v.key]: (v.dtype, v.shape) for v in (record.variable for record in plan.targets)}
        self._path = staging.new(self.name)
        try:
            head = header(variables)
        except FormatError as error:
            raise OutputError(str(error), where=self.name, hint="write a checkpoint instead") from error
        with output_errors(self._path):
            self._file = self._path.open("wb")
            self._file.write(head)

    def add(self, variable: TargetVariable, chunks: Iterable[bytes]) -> Written:
        """Appends the value."""
        size = crc = 0
        for chunk in chunks:
            size, crc = size + len(chunk), crc32c(chunk, crc)
            with output_errors(self._path):
                self._file.write(chunk)
        if size != variable.nbytes:
            raise ValueError(f"{plural(size, 'byte')} cannot make {variable.name} of shape {list(variable.shape)}")
        return Written(size, crc)

    def key(self, variable: TargetVariable) -> str:
        """The key of the variable in the file."""
        return self._keys[variable.key]

    def close(self) -> None:
        """Closes the file."""
        with output_errors(self._path):
            self._file.close()


def _keys(plan: Plan) -> dict[str, str]:
    """The key of each variable of the plan by its object path."""
    variables = [record.variable for record in plan.targets]
    count = Counter(variable.name for variable in variables)
    paths = {variable.key for variable in variables}
    return {
        v.key: v.name if count[v.name] == 1 and (v.name == v.key or v.name not in paths) else v.key.lstrip("/")
        for v in variables
    }


def read_file_back(path: Path, plan: Plan, sink: Sink, written: Mapping[str, Written]) -> dict[str, str]:
    """Reads every value of a file and compares it with what was ``written``; returns the digests of the file.

    Raises:
        VerificationError: a value is missing or is not what was written.
    """
    try:
        with open_checkpoint(path) as checkpoint:
            for record in plan.targets:
                size = crc = 0
                for chunk in checkpoint.chunks(sink.key(record.variable)):
                    size, crc = size + len(chunk), crc32c(chunk, crc)
                if Written(size, crc) != written[record.variable.key]:
                    raise VerificationError(f"{record.variable.name} is not what was written", where=str(path))
            return checkpoint.digests()
    except CheckpointError as error:
        raise VerificationError(error.problem.message, where=str(path)) from error
