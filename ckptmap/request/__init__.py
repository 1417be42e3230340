"""What the user asks for, made into values: target, table, options, the checkpoints of a batch."""
