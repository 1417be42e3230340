"""What a checkpoint is, from its index alone: kind, model, training state, variables."""
