"""The report on an evaluation: one HTML file that shows everything and needs nothing else."""
