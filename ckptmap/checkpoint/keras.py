"""Keras' own files as checkpoints: ``.weights.h5`` and ``.keras`` of Keras 3, ``.h5`` of Keras 2.

Keras 3 (keras/src/saving/saving_lib.py) keeps the variables of an object in ``<its path>/vars/<number>``, and the name
of the object as an attribute of ``vars``. Keras 2 (tf_keras/src/saving/legacy/hdf5_format.py) keeps those of a layer in
a group of its name, and their names in the attribute ``weight_names``; in the file of a whole model all that is below
``model_weights``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CheckpointError
from ckptmap.checkpoint.dtypes import DType
from ckptmap.checkpoint.files import LocalFiles, damage
from ckptmap.checkpoint.hdf5 import (
    attribute,
    attributes,
    datasets,
    dtype_of,
    hdf5_errors,
    open_hdf5,
    read_rows,
    rows_together,
)
from ckptmap.checkpoint.inventory import Inventory, Kind, Variable
from ckptmap.checkpoint.keras_archive import Window, open_member
from ckptmap.checkpoint.names import shortened
from ckptmap.checkpoint.naming import distinct, renamed
from ckptmap.checkpoint.values import element_count, encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

    from ckptmap.checkpoint.data_files import Located
    from ckptmap.checkpoint.files import Files

_VARS = "/vars/"
_WHOLE_MODEL = "model_weights"
OPTIMIZER_GROUPS = ("optimizer/", "optimizer_weights/")
"""Where Keras 3 and Keras 2 keep the variables of the optimizer."""


class KerasSource:
    """The variables of a file of Keras: by readable names where the file has such, by their place in it otherwise.

    Raises:
        CheckpointError: h5py is not installed, or the file is damaged, or no such file.
    """

    def __init__(self, files: Files, found: Located) -> None:
        self._path = found.path
        self._packed: Any = None
        self._file: Any = None
        try:
            self._file = self._opened(files, found.path)
            with damage(found.path):
                self._datasets = datasets(found.path, self._file)
                inventory = self._inventory(found)
        except BaseException:
            self.close()
            raise
        self.inventory, self._places = inventory

    def _opened(self, files: Files, path: str) -> Any:
        if files.read(path, 0, 2) == b"PK":
            self._packed = open_member(files, path)
            return open_hdf5(path, self._packed)
        if isinstance(files, LocalFiles):
            return open_hdf5(path, path)
        self._packed = Window(files, path, 0, files.size(path) or 0)
        return open_hdf5(path, self._packed)

    def _inventory(self, found: Located) -> tuple[Inventory, dict[str, str]]:
        variables = {place: _variable(place, dataset) for place, dataset in self._datasets.items()}
        if not variables:
            raise CheckpointError("holds no value", where=shortened(found.path))
        plain = Inventory(Kind.KERAS, found.path, variables, (found.path,), notes=found.notes)
        with hdf5_errors(found.path):
            return renamed(plain, distinct(_names(self._file, variables)))

    def place(self, name: str) -> str:
        """Where the dataset of a variable is in the file."""
        return self._places[name]

    def value(self, variable: Variable) -> np.ndarray:
        """The whole value."""
        return self._read(variable, ())

    def rows(self, variable: Variable, axis: int, start: int, stop: int) -> np.ndarray:
        """The indices ``start <= i < stop`` of one axis."""
        return self._read(variable, (*((slice(None),) * axis), slice(start, stop)))

    def chunks(self, variable: Variable, size: int) -> Iterator[bytes]:
        """The bytes of the value as a V2 bundle stores them, by rows."""
        if not variable.shape or variable.nbytes <= size:
            yield encode(variable.dtype, self.value(variable))
            return
        row = variable.nbytes // max(variable.shape[0], 1)
        step = rows_together(self._datasets[self._places[variable.name]], size // max(row, 1))
        for start in range(0, variable.shape[0], step):
            part = encode(variable.dtype, self.rows(variable, 0, start, min(start + step, variable.shape[0])))
            yield from (part[at : at + size] for at in range(0, len(part), size))

    def close(self) -> None:
        """Closes the file."""
        for each in (self._file, self._packed):
            if each is not None:
                each.close()

    def _read(self, variable: Variable, box: tuple[slice, ...]) -> np.ndarray:
        with hdf5_errors(self._path):
            return read_rows(self._datasets[self._places[variable.name]], box)


def is_keras_3(places: Mapping[str, object]) -> bool:
    """Whether the datasets are numbered as in a file of Keras 3."""
    return any(_VARS in f"/{place}" for place in places)


def _variable(place: str, dataset: Any) -> Variable:
    dtype = dtype_of(dataset) or DType.FLOAT32  # it was looked at
    shape = tuple(dataset.shape)
    return Variable(place, dtype, shape, element_count(shape) * (dtype.itemsize or 0))


def _names(file: Any, places: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """What each dataset is called, the most readable name first and its place last."""
    if is_keras_3(places):
        return {place: _numbered_names(file, place) for place in places}
    saved = dict(_layer_names(file))
    return {place: (saved.get(place, ""), place) for place in places}


def _numbered_names(file: Any, place: str) -> tuple[str, ...]:
    """``bi/forward/cell/0`` by the names of the objects, ``layers/bidirectional/forward/cell/0`` by their paths."""
    above, _, number = f"/{place}".rpartition(_VARS)
    if not above or place.startswith(OPTIMIZER_GROUPS):
        return (place,)
    parts = above[1:].split("/")
    chain = [_object_name(file, "/".join(parts[: at + 1])) for at in range(len(parts))]
    readable = "/".join([*filter(None, chain), number]) if chain[-1] else ""
    return readable, f"{above[1:]}/{number}", place


def _object_name(file: Any, path: str) -> str:
    group = file.get(f"{path}/vars")
    name = attribute(group, "name") if group is not None else None
    return name if isinstance(name, str) else ""


def _layer_names(file: Any) -> Iterator[tuple[str, str]]:
    """The place and the readable name of each weight in a file of Keras 2."""
    below = f"{_WHOLE_MODEL}/" if _WHOLE_MODEL in file else ""
    base = file[_WHOLE_MODEL] if below else file
    for layer in attributes(base, "layer_names"):
        if layer in base:
            for weight in attributes(base[layer], "weight_names"):
                yield f"{below}{layer}/{weight}", weight.removesuffix(":0")
