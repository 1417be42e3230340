"""Which detector a checkpoint is of, told from names and shapes."""
