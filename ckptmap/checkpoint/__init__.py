"""Checkpoint formats in and out: no TensorFlow, no NumPy before a value is read."""
