"""Ways to explain a score, one file each, all called as `explain(verifier, face_a, face_b)`."""
