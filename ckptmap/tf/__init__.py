"""Everything that imports TensorFlow. The core (inspect, plan, convert) never imports this package."""
