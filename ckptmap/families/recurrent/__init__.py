"""TF1's recurrent cells, in whatever model they lie."""
