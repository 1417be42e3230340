"""The TF2 model's variables, and where they come from: shipped specs, or any TF2 checkpoint as the template."""
