"""The verifier for phones, and an unlock prototype: neither TensorFlow nor Keras is imported."""
