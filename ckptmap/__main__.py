"""``python -m ckptmap`` is the command ``ckptmap``."""

from ckptmap.cli import main

main()
