"""TensorFlow and the Object Detection API, set up so that they run: variables, versions, stand-ins.

The Object Detection API (``tf-models-research-object-detection`` 2.8) was written for TensorFlow 2.8. It runs on
TensorFlow 2.15 (with ``protobuf==3.20.3``) and on 2.19 and later, when Keras is the legacy one (``tf_keras``) and
protobuf is its pure-Python implementation; both must be chosen before the first import.

One process is either a TF2 process (``tf2()``) or a TF1 process (``tf1()``): ``disable_v2_behavior`` cannot be
taken back, and ``object_detection`` picks its classes by it at import.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import os
import sys
import types
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ckptmap.basics.errors import CkptmapError
from ckptmap.basics.extras import install

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST_TENSORFLOW = (2, 15)
_REQUIRED = {"TF_USE_LEGACY_KERAS": "1", "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"}
_MAP_ENTRY = b"8\001"  # MessageOptions.map_entry: true, google/protobuf/descriptor.proto
_OLDEST_GENERATED_CODE_REFUSING_PROTOBUF = (3, 21)


class TensorFlowError(CkptmapError):
    """TensorFlow or the Object Detection API is missing, too old, or was imported with other settings."""


def prepare() -> None:
    """Set what must be set before TensorFlow's first import; check it when TensorFlow is imported already.

    Raises TensorFlowError when TensorFlow is not installed, or was imported with settings under which the Object
    Detection API fails.
    """
    if "tensorflow" in sys.modules:
        _check_imported_tensorflow()
        return
    check_installed()
    os.environ.update(_REQUIRED)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    _check_protobuf()


def check_installed() -> None:
    """Raise TensorFlowError when TensorFlow is not installed; imports nothing."""
    if importlib.util.find_spec("tensorflow") is None:
        raise TensorFlowError("TensorFlow is not installed", hint=f"with Python 3.10 to 3.12: {install('tf')}")


def tf2() -> Any:
    """The module ``tensorflow`` in a TF2 process, ready for ``import object_detection``.

    Raises TensorFlowError as ``keras_2`` does, and when the API is not installed.
    """
    tensorflow = keras_2()
    _import_object_detection()
    return tensorflow


def keras_2() -> Any:
    """The module ``tensorflow`` in a TF2 process whose ``tf.keras`` is Keras 2, ready for tf_slim and code of TF1.

    Raises TensorFlowError as ``prepare`` does, and when this process is a TF1 process.
    """
    prepare()
    tensorflow = _import_tensorflow()
    if not _tf2_enabled():
        raise TensorFlowError("this process runs TensorFlow in TF1 mode", hint="build TF2 models in their own process")
    _stand_in("tensorflow.compat.v1.estimator")
    _alias_moved(tensorflow)
    _alias_dropped()
    return tensorflow


def tf1() -> Any:
    """The module ``tensorflow.compat.v1`` in a TF1 process: V2 behavior off, slim's imports satisfied.

    Raises TensorFlowError as ``prepare`` does, and when ``object_detection`` was imported in TF2 mode already.
    """
    prepare()
    tensorflow = _import_tensorflow()
    if _tf2_enabled():
        if "object_detection" in sys.modules:
            raise TensorFlowError(
                "object_detection is imported in TF2 mode already", hint="build TF1 graphs in their own process"
            )
        tensorflow.compat.v1.logging.set_verbosity(tensorflow.compat.v1.logging.ERROR)
        tensorflow.compat.v1.disable_v2_behavior()
    _stand_in("tensorflow.compat.v1.estimator")
    _alias_moved(tensorflow)
    _alias_dropped()
    _import_object_detection()
    _satisfy_slim()
    return tensorflow.compat.v1


def slim_module(name: str) -> Any:
    """The module ``object_detection.<name>`` of the API's TF1 half; ``tf1()`` or ``tf2()`` prepared the process."""
    _satisfy_slim()
    return import_quietly(f"object_detection.{name}")


def tensorflow_alone() -> Any:
    """The module ``tensorflow`` for frozen graphs and SavedModels, which need neither Keras nor the API.

    Raises TensorFlowError when TensorFlow is not installed.
    """
    if "tensorflow" not in sys.modules:
        prepare()
    return import_quietly("tensorflow")


def same_kernels() -> None:
    """Let TF1 and TF2 round alike: turn oneDNN off, in this process and in those that it starts.

    oneDNN fuses operations by graph and image size. Measured, a TF1 graph and a ``tf.function`` of the same operations
    then differ by up to 3e-5 of an output's spread at 320 and 640 pixels, and not at all without it. Does nothing once
    TensorFlow is imported: one side alone would make it worse.
    """
    if "tensorflow" not in sys.modules:
        os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"


@contextmanager
def as_written(tensorflow: Any) -> Iterator[None]:
    """Run functions of TF2 on the CPU, operation by operation, nothing fused or folded, as a TF1 session can too.

    A GPU's kernels are picked by how fast they are at the moment, and add in another order each.
    """
    optimizer = tensorflow.config.optimizer
    before = optimizer.get_experimental_options().get("disable_meta_optimizer", False)
    optimizer.set_experimental_options({"disable_meta_optimizer": True})
    try:
        with tensorflow.device("/CPU:0"):
            yield
    finally:
        optimizer.set_experimental_options({"disable_meta_optimizer": before})


def import_quietly(name: str) -> Any:
    """Import a module of TensorFlow's neighborhood without the warnings that its import makes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


def _import_tensorflow() -> Any:
    tensorflow = import_quietly("tensorflow")
    version = tuple(int(part) for part in tensorflow.__version__.split(".")[:2])
    if version < OLDEST_TENSORFLOW:
        raise TensorFlowError(
            f"the Object Detection API does not run on TensorFlow {tensorflow.__version__}",
            hint=f"2.15, or 2.19 and later: {install('tf')}",
        )
    _check_legacy_keras(tensorflow)
    return tensorflow


def _check_imported_tensorflow() -> None:
    _check_protobuf()
    tensorflow = sys.modules["tensorflow"]
    if hasattr(tensorflow, "keras"):
        _check_legacy_keras(tensorflow)


def _check_legacy_keras(tensorflow: Any) -> None:
    """``tf.keras`` is Keras 2: TensorFlow 2.15's own, or tf_keras by TF_USE_LEGACY_KERAS from 2.16 on."""
    try:
        home = str(tensorflow.keras.Model.__module__)
    except (ImportError, AttributeError) as error:
        raise TensorFlowError(f"legacy Keras (tf-keras) cannot be imported: {error}", hint=install("tf")) from error
    if not home.endswith("src.engine.training"):  # Keras 3: keras.src.models.model
        raise TensorFlowError(
            "TensorFlow was imported with Keras 3; the Object Detection API needs Keras 2",
            hint="call ckptmap.tf.environment.prepare() first, or set TF_USE_LEGACY_KERAS=1 before the import",
        )


def _check_protobuf() -> None:
    """Generated code of the Object Detection API is refused by protobuf 3.21 and later, but for the Python one."""
    implementation = import_quietly("google.protobuf.internal.api_implementation").Type()
    version = str(import_quietly("google.protobuf").__version__)
    known = tuple(int(part) for part in version.split(".")[:2])
    if implementation != "python" and known >= _OLDEST_GENERATED_CODE_REFUSING_PROTOBUF:
        raise TensorFlowError(
            f"protobuf {version} was imported with its {implementation} implementation",
            hint="call ckptmap.tf.environment.prepare() before any import of TensorFlow or protobuf, or set "
            "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=python",
        )


def _tf2_enabled() -> bool:
    return bool(importlib.import_module("tensorflow.python.tf2").enabled())


def _import_object_detection() -> None:
    if importlib.util.find_spec("object_detection") is None:
        raise TensorFlowError("the Object Detection API is not installed", hint=install("tf"))
    _mark_map_entries()
    import_quietly("object_detection")
    if importlib.util.find_spec("tensorflow_io"):  # warns about its plug-ins under every TensorFlow but its own
        import_quietly("tensorflow_io")


def _mark_map_entries() -> None:
    """Let protobuf know the map fields of the API's generated code: configs with a map cannot be read without.

    They are marked by an option of their message; since protobuf 4 its Python implementation asks for an argument
    ``is_map_entry``, which code generated before does not give.
    """
    kind = import_quietly("google.protobuf.descriptor").Descriptor
    plain = kind.__init__
    if getattr(plain, "marks_map_entries", False):
        return

    def init(self: Any, *arguments: Any, **options: Any) -> None:
        plain(self, *arguments, **options)
        if options.get("serialized_options") == _MAP_ENTRY:
            self._is_map_entry = True

    init.marks_map_entries = True  # type: ignore[attr-defined]
    kind.__init__ = init


def _stand_in(name: str, package: bool = False, **attributes: Any) -> types.ModuleType:
    """The module ``name`` if it can be imported, else an empty one with ``attributes``, known to its parent."""
    try:
        return importlib.import_module(name)
    except ImportError:
        module = types.ModuleType(name, "Stand-in made by ckptmap.tf.environment.")
    module.__dict__.update(attributes)
    if package:
        module.__path__ = []
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    setattr(importlib.import_module(parent), child, module)
    return module


def _satisfy_slim() -> None:
    """What slim's networks import, under today's names."""
    _stand_in_for_contrib()
    _alias_legacy_layers()
    _alias_nets()


class HParams:
    """The part of ``tf.contrib.training.HParams`` that slim's NASNet uses: values as attributes."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def set_hparam(self, name: str, value: Any) -> None:
        """Replace one value."""
        setattr(self, name, value)

    def values(self) -> dict[str, Any]:
        """All values by name."""
        return dict(self.__dict__)


def _stand_in_for_contrib() -> None:
    """``tensorflow.contrib`` is imported without a guard by the bipartite matcher and by NASNet and PNASNet."""
    _stand_in("tensorflow.contrib", package=True)
    for name in ("image", "image.python", "image.python.ops"):
        _stand_in(f"tensorflow.contrib.{name}", package=True)
    _stand_in("tensorflow.contrib.image.python.ops.image_ops")
    _stand_in("tensorflow.contrib.training", HParams=HParams)


def _alias_dropped() -> None:
    """What the API, slim and lvis ask NumPy and Pillow for under names that these have dropped since."""
    _alias_numpy_types()
    _alias_font_size()


def _alias_numpy_types() -> None:
    """``np.int`` and its like, gone since NumPy 1.24: slim's MobileNet V3, the API's metrics and lvis ask for them."""
    import numpy as np

    for name, kind in {"int": int, "float": float, "bool": bool, "object": object, "str": str}.items():
        if name not in np.__dict__:
            setattr(np, name, kind)


def _alias_font_size() -> None:
    """``getsize`` of fonts, gone since Pillow 10; the API labels the boxes that it draws in evaluation by it.

    It is what Pillow 9 gave: the width of the ink, and the height from the top of the line to the end of the ink.
    """
    fonts = import_quietly("PIL.ImageFont")

    def getsize(font: Any, text: str) -> tuple[int, int]:
        left, _, right, bottom = font.getbbox(text)
        return math.ceil(right - left), math.ceil(bottom)

    for kind in (fonts.ImageFont, fonts.FreeTypeFont):
        if not hasattr(kind, "getsize"):
            kind.getsize = getsize


def _alias_legacy_layers() -> None:
    """``tensorflow.python.layers`` looks for batch normalization in ``(tf_)keras.legacy_tf_layers``.

    Keras 2.13 and later keep it in ``keras.src``; TensorFlow 2.15 has Keras 2.15 itself, later ones tf_keras.
    """
    home = "tf_keras.src" if importlib.util.find_spec("tf_keras") else "keras.src"
    for package in ("tf_keras", "keras"):
        sys.modules.setdefault(
            f"{package}.legacy_tf_layers.normalization", import_quietly(f"{home}.legacy_tf_layers.normalization")
        )


def _alias_moved(tensorflow: Any) -> None:
    """tf_slim's batch norm of rank 2 and its decoder of examples look for names where TensorFlow had them once."""
    homes = {"framework.ops": ("Tensor",), "ops.control_flow_ops": ("case", "cond", "while_loop")}
    for home, names in homes.items():
        module: Any = importlib.import_module(f"tensorflow.python.{home}")
        for name in names:
            if not hasattr(module, name):
                setattr(module, name, getattr(tensorflow.compat.v1, name))


def _alias_nets() -> None:
    """Slim's networks import each other as ``nets.…``; the package ships them in ``object_detection/nets``."""
    if importlib.util.find_spec("object_detection.nets"):
        sys.modules.setdefault("nets", importlib.import_module("object_detection.nets"))
