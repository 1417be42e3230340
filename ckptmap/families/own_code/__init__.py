"""Models of TF1 that no library has for TF2: their own code goes on, inside Keras."""
