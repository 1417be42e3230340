"""A plan carried out: data files placed, values computed, the checkpoint written and read back."""
