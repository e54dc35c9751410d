"""What the TFLite variants cost and what they save."""
