"""How far an explanation is true to the verifier it explains, one measure a file."""
