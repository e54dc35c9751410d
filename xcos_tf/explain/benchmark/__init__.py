"""Methods that explain, all measured on the same pairs, for tools/benchmark_explanations.py."""
