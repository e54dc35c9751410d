"""What computes for the `Verifier`: LiteRT or Keras, behind one small interface."""
