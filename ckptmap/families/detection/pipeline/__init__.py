"""Reading, checking and migrating pipeline.config, without TensorFlow or protobuf."""
