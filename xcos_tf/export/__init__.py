"""From a preset to files that others run: a SavedModel for servers, TFLite for phones."""

EXPORTED_ATTENTION = "learned"
"""The one that an exported model scores by; so it is the presets' default."""
