"""All ways to explain held against all measures of faithfulness; see benchmark_explanations.py."""
