"""Any two models: each becomes a TensorFlow graph in a process of its own, of which any tensor can be fetched by name.

``side.py`` says what a model is here, as plain values that need no TensorFlow: its inputs, outputs, variables and the
nodes of its graph; ``Running.run`` feeds and fetches. Nothing else has to be known of how a model was made, so that a
walk from inputs to outputs is the same for a frozen graph of 2016 and a Keras 3 model.
"""
