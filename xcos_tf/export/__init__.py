"""From a preset to files that others run: a SavedModel for servers, TFLite for phones."""
