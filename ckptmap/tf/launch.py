"""Run a program of the Object Detection API with the slim-exact feature extractors known to it.

    python -m ckptmap.tf.launch model_main_tf2 --pipeline_config_path=new/pipeline.config --model_dir=train
    python -m ckptmap.tf.launch exporter_main_v2 --pipeline_config_path=new/pipeline.config \\
        --trained_checkpoint_dir=train --output_directory=exported

The first argument is the module ``object_detection.<program>``, the others are the program's own. Before it runs, the
launcher does three things that ``python -m object_detection.model_main_tf2`` does not: it sets what the API needs on
today's TensorFlow, NumPy and Pillow (``ckptmap.tf.environment``), it registers the extractor types that a migrated
``pipeline.config`` may name (``ckptmap.tf.exact.register``), and it lets evaluation take moving averages.
"""

from __future__ import annotations

import importlib.util
import runpy
import sys
from typing import Any

from ckptmap.basics.errors import CkptmapError
from ckptmap.tf.environment import import_quietly, tf2
from ckptmap.tf.exact import register

_USAGE = "python -m ckptmap.tf.launch PROGRAM [its arguments]; PROGRAM is for instance model_main_tf2, exporter_main_v2"


def launch(program: str, arguments: list[str]) -> None:
    """Run ``object_detection.<program>`` as the main module, with ``arguments`` as its command line.

    Raises CkptmapError when there is no such program, TensorFlowError when TensorFlow or the API is missing.
    """
    tensorflow = tf2()
    module = f"object_detection.{program}"
    if not program.isidentifier() or importlib.util.find_spec(module) is None:
        raise CkptmapError(f"the Object Detection API has no program {program!r}", hint=_USAGE)
    register()
    swap_anywhere(tensorflow)
    sys.argv = [program, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def swap_anywhere(tensorflow: Any) -> None:
    """Let ``swap_weights`` of the moving averages' optimizer run outside a strategy's scope.

    ``model_lib_v2.eval_continuously`` calls it there under ``eval_config.use_moving_averages``, and
    ``official.modeling.optimization`` raises ValueError.
    """

    def swap_weights(optimizer: Any) -> None:
        tensorflow.distribute.get_strategy().run(optimizer._swap_weights)

    module = import_quietly("official.modeling.optimization.ema_optimizer")
    module.ExponentialMovingAverage.swap_weights = swap_weights


def main() -> None:
    """Read the command line; print mistakes of the user without a traceback."""
    if len(sys.argv) < 2:
        sys.exit(_USAGE)
    try:
        launch(sys.argv[1], sys.argv[2:])
    except CkptmapError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
