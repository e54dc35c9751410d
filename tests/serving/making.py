"""What the tests of serving share: the exported model, and images as files' bytes."""

import io
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from xcos_tf.export.served_model import ServedModel
from xcos_tf.models.preset_threshold import preset_threshold
from xcos_tf.models.presets import load_preset

NAME = "xcos-mobilefacenet"


def export(folder: Path) -> Path:
    """Write the bundled preset to folder/NAME/1; returns the folder."""
    preset = load_preset(NAME)
    model = ServedModel(preset.network, "learned", preset_threshold(preset.config, "learned", 1e-3))
    root = tf.Module()
    root.held = [v.value for v in preset.network.whole.variables]
    root.held += [v.value for v in preset.network.comparisons["learned"].variables]
    tf.saved_model.save(root, str(folder / NAME / "1"), dict(model.named))
    return folder


def png(face: np.ndarray) -> bytes:
    """Return a face as a PNG file's bytes."""
    stream = io.BytesIO()
    Image.fromarray(face).save(stream, "PNG")
    return stream.getvalue()
