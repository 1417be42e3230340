"""What ckptmap costs beside what people use today: ``python -m benchmarks``."""
