"""The images that both models see: files, decoded once, or seeded random ones."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.extras import install
from ckptmap.basics.regular import open_regular
from ckptmap.tf import outputs
from ckptmap.tf.environment import TensorFlowError

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif")
RANDOM_IMAGES = 4
_RANDOM_SIZE = (320, 320)
_FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "GIF")
"""Pillow's names for what has these endings: it also knows formats that it hands to other programs."""
_MOST_PIXELS = 1 << 26
"""Of one image; a pixel takes 15 bytes while it is read. A few bytes of a file can claim any number."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image, not yet read: a file, or a random one of a seed and a size (height, width) in pixels."""

    name: str
    file: Path | None = None
    seed: int = 0
    size: tuple[int, int] = _RANDOM_SIZE

    def pixels(self) -> Array:
        """The image as [1, height, width, 3], float32, whole numbers in 0 to 255. Raises CkptmapError."""
        if self.file is None:
            return outputs.random_image(*self.size, seed=self.seed)
        import numpy as np

        library = pillow()
        try:
            with warnings.catch_warnings():
                # Pillow warns of some images that are too large, and raises for larger ones; here all are refused
                warnings.simplefilter("ignore", library.DecompressionBombWarning)
                with open_regular(self.file) as raw, library.open(raw, formats=_FORMATS) as opened:
                    _refuse_large(self.file, *opened.size)
                    return np.asarray(opened.convert("RGB"), np.float32)[None]
        except (OSError, ValueError, SyntaxError, library.DecompressionBombError) as error:
            raise CkptmapError(f"cannot be read as an image: {error}", where=str(self.file)) from error


def _refuse_large(file: Path, width: int, height: int) -> None:
    """Refuses an image before it is decoded. Raises CkptmapError."""
    if width * height > _MOST_PIXELS:
        hint = f"an image can have {_MOST_PIXELS:,} pixels: make it smaller"
        raise CkptmapError(f"has {width:,} x {height:,} pixels, which are too many", where=str(file), hint=hint)


def find_images(path: Path | str, limit: int | None = None) -> tuple[Image, ...]:
    """The images of a directory (not of those in it), by name, or the one that ``path`` is; at most ``limit``.

    Raises CkptmapError where there are none.
    """
    place = Path(path)
    if place.is_file():
        return (Image(place.name, place),)
    if not place.is_dir():
        raise CkptmapError("is not a directory with images", where=str(place))
    files = sorted(file for file in place.iterdir() if file.suffix.lower() in ENDINGS and file.is_file())
    if not files:
        raise CkptmapError(
            "there are no images in this directory", where=str(place), hint=f"known: {', '.join(ENDINGS)}"
        )
    return tuple(Image(file.name, file) for file in files[:limit])


def random_images(count: int, size: tuple[int, int] | None, seed: int) -> tuple[Image, ...]:
    """``count`` random images of the size that a model resizes to, or of 320 x 320 pixels."""
    return tuple(
        Image(f"random image {number}", seed=number, size=size or _RANDOM_SIZE) for number in range(seed, seed + count)
    )


def pillow() -> Any:
    """The module ``PIL.Image``. Raises TensorFlowError where Pillow is not installed."""
    try:
        return import_module("PIL.Image")
    except ImportError as error:
        raise TensorFlowError("Pillow is not installed", hint=install("tf")) from error
