"""What ckptmap does: plan and convert one checkpoint or many, and say what a freeze would hold."""
