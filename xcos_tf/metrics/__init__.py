"""What scores of pairs are worth: error rates, curves and intervals, in NumPy alone."""
