"""The directory that a verification leaves: its report as JSON, Markdown and HTML, and pictures of four images."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from ckptmap.basics.documents import REPORT_NAME, read_document
from ckptmap.basics.errors import CkptmapError, OutputError
from ckptmap.checkpoint.staging import write_whole
from ckptmap.execution.overwriting import VERIFIED, PathLike, input_files, refuse_overwriting
from ckptmap.report.depth import Depth, depth_picture
from ckptmap.report.formats import Format, render
from ckptmap.tf.verify.general.models_document import SCHEMA as MODELS_SCHEMA
from ckptmap.tf.verify.general.models_document import models_document
from ckptmap.tf.verify.measuring import ROUNDING
from ckptmap.tf.verify.pictures import draw_pair
from ckptmap.tf.verify.verify_document import SCHEMA, verify_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from ckptmap.tf.verify.general.model_verification import ModelVerification
    from ckptmap.tf.verify.verification import Verification

MOST_PICTURES = 4
LAYERS = "layers.svg"
_REPORTS = {REPORT_NAME: Format.JSON, "report.md": Format.MARKDOWN, "report.html": Format.HTML}


def check_folder(folder: Path, inputs: Iterable[PathLike | None] = ()) -> None:
    """Refuse a directory that holds anything but an earlier verification, which is replaced.

    Raises OutputError, also where a file of ``inputs``, or what a link leads to, would be replaced with it.
    """
    files = chain.from_iterable(input_files(path) for path in inputs if path is not None)
    refuse_overwriting(folder, VERIFIED, (("what is verified", file) for file in files))
    try:
        if not folder.exists() or not any(folder.iterdir()):
            return
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror or error}", where=str(folder)) from error
    try:
        schema = read_document(folder / REPORT_NAME)["schema"]
    except CkptmapError:
        schema = None
    if schema not in (SCHEMA, MODELS_SCHEMA):
        raise OutputError(
            "is not empty, and holds no earlier verification", where=str(folder), hint="choose another directory"
        )
    for place in folder.iterdir():
        if VERIFIED.fullmatch(place.name) and place.is_symlink():
            raise OutputError("is a link: what it leads to would be replaced", where=str(place), hint="remove it")


def write_folder(folder: Path, found: Verification, min_score: float, names: Mapping[int, str]) -> dict[str, Any]:
    """Write reports and pictures, those of an earlier verification replaced; the document.

    ``names`` are the classes' names by number, for the pictures. Raises OutputError.
    """

    def make() -> dict[str, Any]:
        return verify_document(found, min_score, dict(_draw(folder, found, min_score, names)))

    return write_reports(folder, make)


def write_reports(folder: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Write the reports of the document that ``make`` makes, and its pictures; an earlier verification is replaced.

    Raises OutputError.
    """
    check_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for place in range(1, MOST_PICTURES + 1):
            (folder / _picture(place)).unlink(missing_ok=True)
        (folder / LAYERS).unlink(missing_ok=True)
        document = make()
        for name, form in _REPORTS.items():
            write_whole(folder / name, render(document, form))
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror or error}", where=str(folder)) from error
    return document


def write_models(folder: Path, found: ModelVerification) -> dict[str, Any]:
    """Write the reports of any two models, and the picture of their layers where they differ. Raises OutputError."""

    def make() -> dict[str, Any]:
        steps = found.explanation.steps if found.explanation is not None else ()
        if not steps:
            return models_document(found)
        layers = [Depth(step.name, step.relative) for step in steps]
        write_whole(folder / LAYERS, depth_picture(layers, ROUNDING).encode())
        return models_document(found, LAYERS)

    return write_reports(folder, make)


def _draw(folder: Path, found: Verification, min_score: float, names: Mapping[int, str]) -> Iterator[tuple[str, str]]:
    """Draw the worst images; their names with those of the files."""
    shown = list(zip(found.images, found.matches(min_score), strict=True))[:MOST_PICTURES]
    for place, (seen, matches) in enumerate(shown, 1):
        titles = f"TF1: {seen.image.name}", "TF2"
        draw_pair(folder / _picture(place), seen.image.pixels(), matches, titles, names)
        yield seen.image.name, _picture(place)


def _picture(place: int) -> str:
    return f"picture-{place}.png"
