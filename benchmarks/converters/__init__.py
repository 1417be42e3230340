"""Converters of other people, each for one family of models, against ckptmap on the same files."""
