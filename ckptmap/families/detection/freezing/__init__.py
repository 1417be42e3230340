"""Which variables a training run leaves as they are: TF1's patterns, what they match, and what that is in TF2."""
