"""What is known of kinds of models. The rooms below know nothing of any."""
