"""What ``ckptmap verify`` takes of a large model: memory of all its processes together, time, and what it says.

``python -m benchmarks.verifying`` makes VGG16 with random weights (550 MB), as a SavedModel of Keras 2 and a ``.keras``
file of Keras 3, and verifies one against the other. It needs Linux and the ``tf`` extra.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

_PAUSE = 0.05
_MAKE = """
import sys
import keras, numpy, tensorflow, tf_keras
folder, fault = sys.argv[1], sys.argv[2]
old = tf_keras.applications.VGG16(weights=None, classifier_activation=None)
random = numpy.random.default_rng(0)
def value(shape):
    fan = max(1, int(numpy.prod(shape[:-1])))
    return random.normal(0, (2 / fan) ** 0.5 if len(shape) > 1 else 0.1, shape).astype(numpy.float32)
for one in old.weights:
    one.assign(value(one.shape))
tensorflow.saved_model.save(old, f"{folder}/old")
new = keras.applications.VGG16(weights=None, classifier_activation=None)
for one, other in zip(new.weights, old.weights, strict=True):
    one.assign(other.numpy())
if fault:
    new.get_layer(fault).bias.assign(0 * new.get_layer(fault).bias)
new.save(f"{folder}/new.keras")
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make both models, verify them, and print what that took; the exit code is that of ``ckptmap verify``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verifying", description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder for the models, 1.1 GB; default: a temporary one")
    parser.add_argument("--fault", default="", help="a layer of VGG16 whose bias is zeroed, such as block3_conv2")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=asked.data) as folder:
        subprocess.run([sys.executable, "-W", "ignore", "-c", _MAKE, folder, asked.fault], check=True)
        size = sum(file.stat().st_size for file in (Path(folder) / "old").rglob("*") if file.is_file())
        print(f"the SavedModel has {size / 1e6:.0f} MB")
        command = [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "ckptmap",
            "verify",
            f"{folder}/old",
            f"{folder}/new.keras",
            "-v",
        ]
        start = time.perf_counter()
        with subprocess.Popen(command) as process:
            most, single = watched(process)
        print(f"exit code {process.returncode} after {time.perf_counter() - start:.0f} s")
        print(f"at most {most / 2**30:.2f} GiB in all processes together, {single / 2**30:.2f} GiB in one")
        return process.returncode


def watched(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """The most bytes that a process and those that it starts hold together while it runs, and that one of them holds.

    A page that several share is counted once (the kernel's proportional set size).
    """
    most = single = 0
    while process.poll() is None:
        held = [_held(number) for number in _family(process.pid)]
        most, single = max(most, sum(held)), max(single, *held, 0)
        time.sleep(_PAUSE)
    return most, single


def _family(root: int) -> set[int]:
    """The numbers of a process and of all below it."""
    parents: dict[int, int] = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                parents[int(place.name)] = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = {root}
    while True:
        more = {number for number, parent in parents.items() if parent in found} - found
        if not more:
            return found
        found |= more


def _held(number: int) -> int:
    try:
        lines = Path(f"/proc/{number}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(main())
