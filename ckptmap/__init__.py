"""ckptmap: TF1 checkpoints become TF2 checkpoints, with a ledger of every variable."""
