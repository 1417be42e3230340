"""The core works without TensorFlow: no module outside ckptmap.tf imports it, none but ckptmap.beam imports Beam."""

from __future__ import annotations

import subprocess
import sys

IMPORT_ALL = """
import importlib, pkgutil, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"tensorflow", "tf_keras", "tf_slim", "object_detection", "keras"}:
            raise ModuleNotFoundError(f"{name} is not part of the core")

sys.meta_path.insert(0, Refuse())
import ckptmap
names = [found.name for found in pkgutil.walk_packages(ckptmap.__path__, "ckptmap.", onerror=lambda name: None)
         if not found.name.startswith(("ckptmap.tf.", "ckptmap.beam", "ckptmap.__main__"))]
for name in names:
    importlib.import_module(name)
for name in dir(ckptmap):
    getattr(ckptmap, name)
print(len(names))
"""


def test_every_module_of_the_core_imports_without_tensorflow() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert int(done.stdout) > 100
