"""TF1 graphs: built, trained, and filled with weights."""
