"""The target specs of ``mappings/targets``, generated from live TF2 models."""
