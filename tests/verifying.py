"""What the tests of verification share: an xCos preset that nobody had to train."""

from pathlib import Path

from tensorflow import keras

from xcos_tf.models.builder import build_network
from xcos_tf.models.network import XCos
from xcos_tf.models.presets import load_preset, save_preset

ATTENTIONS = ("patched", "correlated", "learned")
MODEL = {
    "backbone": {"kind": "mobilefacenet", "batch_norm": False},
    "xcos": {"channels": 32, "cell_affine": True, "batch_norm": False},
}
THRESHOLDS = {"0.01": 0.3, "0.001": 0.4, "0.0001": 0.5}


def untrained_network() -> XCos:
    """Return the bundled backbone under a grid head and an attention with random weights."""
    keras.utils.set_random_seed(20211)
    network = build_network(MODEL)
    published = load_preset("mobilefacenet").network.backbone
    network.backbone.set_weights(published.get_weights())
    # Not measured yet, it weighs all cells alike, which would hide mistakes.
    correlation = network.comparisons["correlated"].get_layer("correlated_attention").correlation
    correlation.assign(keras.random.uniform(correlation.shape))
    return network


def untrained_preset(base: Path) -> Path:
    """Return a preset folder in `base`, made on the first call."""
    folder = base / "untrained-xcos"
    if not folder.exists():
        thresholds = dict.fromkeys(ATTENTIONS, THRESHOLDS)
        config = {"name": "untrained-xcos", "model": MODEL, "thresholds": thresholds}
        save_preset(folder, config, untrained_network())
    return folder
