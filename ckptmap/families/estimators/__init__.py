"""TensorFlow's canned Estimators: DNN, Linear and both together."""
