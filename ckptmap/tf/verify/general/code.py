"""Code of the user's: the function that builds a model. It is run, and nothing else of its module is asked for."""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.nearest import did_you_mean
from ckptmap.tf.verify.general.source import parse_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from ckptmap.tf.verify.general.source import Source


def build(source: Source) -> Any:
    """What the user's function returns. Raises CkptmapError with its own error, where it was raised."""
    function = find(source)
    try:
        return function()
    except Exception as error:
        raise CkptmapError(f"{source.code} raised {_said(error)}", where=_where(error)) from error


def find(source: Source) -> Callable[[], Any]:
    """The function that ``source.code`` names, of a module in the current directory or an installed one."""
    name, function = parse_code(source.code, source.end)
    sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise CkptmapError(f"importing {name} raised {_said(error)}", where=_where(error)) from error
        hint = f"looked for in {Path.cwd()} and among the installed packages"
        raise CkptmapError(f"there is no module {error.name}", where=source.code, hint=hint) from error
    except Exception as error:
        raise CkptmapError(f"importing {name} raised {_said(error)}", where=_where(error)) from error
    found = getattr(module, function, None)
    if not callable(found):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise CkptmapError(f"{name} has no function {function}", hint=did_you_mean(function, known))
    return found


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _where(error: BaseException) -> str:
    """File and line of the user's code that raised it: the innermost frame outside installed packages."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"  # no frame is in a file that does not compile
    own = str(Path(__file__).parents[3])
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [
        frame for frame in frames if not frame.filename.startswith((own, "<")) and "site-packages" not in frame.filename
    ]
    return f"{theirs[-1].filename}:{theirs[-1].lineno}" if theirs else ""
