"""How well ``ckptmap suggest`` drafts, measured over true pairs: ``python -m benchmarks.suggest``."""
