"""Networks made smaller by fine-tuning: pruned, weight-clustered, and int8."""

COMPRESSED = ("pruned", "clustered", "qat")
"""The variants."""
