"""tf-slim's classification networks and their counterparts in keras.applications."""
