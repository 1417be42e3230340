"""``doctor``: what is installed here, what of ckptmap works with it, and what to install for the rest."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.extras import install, installed_from
from ckptmap.version import __version__

SCHEMA = "ckptmap.doctor/1"
NEEDED = ("cramjam", "crc32c", "ml-dtypes", "numpy", "pyyaml", "rich", "typer")
"""What the core imports."""
EXTRAS = {
    "keras": ("h5py",),
    "remote": ("fsspec",),
    "pandas": ("pandas", "pyarrow"),
    "tf": (
        *("tensorflow", "tf-keras", "tf-models-official", "tf-models-research-object-detection", "tf-slim", "pillow"),
    ),
    "beam": ("apache-beam",),
}
"""Those that a user may want, and the packages that each brings by name; pyproject.toml has the versions."""
_BESIDE = ("keras", "protobuf", "gcsfs", "s3fs", "aiohttp")
"""Packages that are told too where they are there."""
_TF_PYTHONS = ((3, 10), (3, 12))
_TOLD = 2
"""Packages whose versions stand beside what they are for; all stand at the end."""
_PATIENCE_SECONDS = 300
_PROBE = (
    "from ckptmap.tf.environment import tf2\n"
    "tf = tf2()\n"
    "import tf_keras\n"
    "from object_detection.builders import model_builder\n"
    "print(tf.__version__, tf_keras.__version__)\n"
)
"""What verify and export begin with: TensorFlow, legacy Keras and the Object Detection API in one process."""


@dataclass(frozen=True, slots=True)
class Ability:
    """Something that ckptmap can do: whether it ``works`` here, why or why not, and how to make it work.

    ``works`` is None where nobody can tell. ``broken`` is something that ought to work and does not.
    """

    name: str
    works: bool | None
    note: str = ""
    hint: str = ""
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """What ``doctor`` found. ``packages`` has the versions of what is installed, by name; None: it is not."""

    ckptmap: str
    source: str
    python: str
    system: str
    packages: dict[str, str | None] = field(default_factory=dict)
    abilities: tuple[Ability, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether nothing is broken; an extra that is not installed is not."""
        return not any(one.broken for one in self.abilities)

    def to_document(self) -> dict[str, Any]:
        """All of it as plain JSON values."""
        return {"schema": SCHEMA, "healthy": self.healthy, **asdict(self), "abilities": [*map(asdict, self.abilities)]}


def doctor(*, deep: bool = False, folder: Path | None = None) -> Health:
    """Look what works here. Imports nothing heavy: versions are those that the packages' own records state.

    Args:
        deep: import TensorFlow, legacy Keras and the Object Detection API in a process of their own, which may take a
            minute.
        folder: the folder whose file system is asked whether it clones; None: the working directory.

    Raises:
        CkptmapError: there is no such folder.
    """
    if folder is not None and not os.path.isdir(folder):  # noqa: PTH112  (names that no folder can have)
        raise CkptmapError("is no folder", where=str(folder), hint="name one that is there")
    names = (*NEEDED, *dict.fromkeys(name for packages in EXTRAS.values() for name in packages), *_BESIDE)
    packages = {name: _version(name) for name in names}
    return Health(
        __version__,
        installed_from(),
        platform.python_version(),
        f"{platform.system()} {platform.machine()}",
        packages,
        tuple(_abilities(packages, deep, folder or Path.cwd())),
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _abilities(packages: dict[str, str | None], deep: bool, folder: Path) -> Iterator[Ability]:
    yield _core(packages)
    yield _tables()
    yield _extra("files of Keras (.h5, .keras)", "keras", EXTRAS["keras"], packages)
    yield _remote(packages)
    yield _extra("DataFrames and Parquet", "pandas", EXTRAS["pandas"], packages)
    yield _beam(packages)
    yield _extra("run frozen graphs and SavedModels (verify)", "tf", ("tensorflow", "pillow"), packages)
    yield _extra("legacy Keras (tf-keras)", "tf", ("tensorflow", "tf-keras"), packages)
    yield _detectors(packages)
    yield from _mismatch(packages)
    if deep:
        yield _deep(packages)
    yield _cloning(folder)


def _core(packages: dict[str, str | None]) -> Ability:
    name = "inspect, convert, diff, audit, edit, average, suggest"
    lacking = [one for one in NEEDED if packages[one] is None]
    if not lacking:
        return Ability(name, True)
    return Ability(name, False, f"{_and(lacking)} missing", f"pip install {' '.join(lacking)}", broken=True)


def _tables() -> Ability:
    from ckptmap.mapping.locate import all_tables
    from ckptmap.targets import list_targets

    try:
        note = f"{len(all_tables())} tables, {len(list_targets())} targets"
    except CkptmapError as error:
        return Ability("shipped tables and targets", False, error.problem.message, error.problem.hint, broken=True)
    return Ability("shipped tables and targets", True, note)


def _extra(name: str, extra: str, wanted: Sequence[str], packages: dict[str, str | None]) -> Ability:
    """What an extra is for: it works where its packages are there."""
    lacking = [one for one in wanted if packages[one] is None]
    if lacking:
        return Ability(name, False, f"{_and(lacking)} not installed", _hint(extra))
    return Ability(name, True, ", ".join(f"{one} {packages[one]}" for one in wanted[:_TOLD]))


def _hint(extra: str) -> str:
    if extra != "tf" or _TF_PYTHONS[0] <= sys.version_info[:2] <= _TF_PYTHONS[1]:
        return install(extra)
    return f"with Python 3.10 to 3.12: {install(extra)}"


def _remote(packages: dict[str, str | None]) -> Ability:
    found = _extra("checkpoints behind URLs", "remote", EXTRAS["remote"], packages)
    if not found.works:
        return found
    parts = {"gs://": "gcsfs", "s3://": "s3fs", "https://": "aiohttp"}
    lacking = [f"{package} for {scheme}" for scheme, package in parts.items() if packages[package] is None]
    there = [scheme for scheme, package in parts.items() if packages[package] is not None]
    return Ability(found.name, True, ", ".join((*found.note.split(", "), *there)), ", ".join(lacking))


def _beam(packages: dict[str, str | None]) -> Ability:
    """Beam wants another protobuf than TensorFlow: one environment rarely has both."""
    found = _extra("fleets on Apache Beam (fleet audit, fleet convert)", "beam", EXTRAS["beam"], packages)
    if found.works or packages["tensorflow"] is None:
        return found
    return replace(found, hint=f"in an environment without TensorFlow: {found.hint}")


def _detectors(packages: dict[str, str | None]) -> Ability:
    return _extra("run and export detectors (verify, export)", "tf", EXTRAS["tf"], packages)


def _mismatch(packages: dict[str, str | None]) -> Iterator[Ability]:
    """Legacy Keras is made for one minor version of TensorFlow; with another it fails on import."""
    ours, theirs = packages["tf-keras"], packages["tensorflow"]
    if ours is None or theirs is None or _minor(ours) == _minor(theirs):
        return
    hint = f"pip install 'tf-keras~={_minor(theirs)}.0'"
    note = f"tf-keras {ours} is not for TensorFlow {theirs}"
    yield Ability("TensorFlow and legacy Keras fit", False, note, hint, broken=True)


def _minor(text: str) -> str:
    return ".".join(text.split(".")[:2])


def _deep(packages: dict[str, str | None]) -> Ability:
    name = "TensorFlow, legacy Keras and the API can be imported"
    if any(packages[one] is None for one in EXTRAS["tf"]):
        return Ability(name, None, "not tried: not all of them are installed")
    try:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", _PROBE], capture_output=True, text=True, check=False, timeout=_PATIENCE_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Ability(name, False, str(error), broken=True)
    if done.returncode == 0:
        return Ability(name, True, "TensorFlow {}, tf-keras {}".format(*done.stdout.split()[-2:]))
    last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
    return Ability(name, False, last[0], _hint("tf"), broken=True)


def _cloning(folder: Path) -> Ability:
    """Whether the file system under ``folder`` clones: then unchanged data costs no time and no room."""
    from ckptmap.checkpoint.cloning import duplicate

    name = "files are cloned (convert --data reflink)"
    with suppress(OSError), tempfile.TemporaryDirectory(dir=folder, prefix=".ckptmap-doctor-") as place:
        first = Path(place, "a")
        first.write_bytes(b"ckptmap")
        try:
            duplicate(first, Path(place, "b"), "reflink")
        except OSError:
            return Ability(name, False, f"not by the file system of {folder}: bytes are copied", "")
        return Ability(name, True, f"by the file system of {folder}")
    return Ability(name, None, f"{folder} cannot be written to")


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
