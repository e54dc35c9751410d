import numpy as np
import pytest

from tools.generate_faces import draw_face
from xcos_tf.models.presets import Preset, load_preset

PRESET = "xcos-mobilefacenet-2"


@pytest.fixture(scope="package")
def preset() -> Preset:
    return load_preset(PRESET)


@pytest.fixture(scope="package")
def faces() -> np.ndarray:
    """Drawn faces, float32 (8, 112, 112, 3) in [−1, 1]."""
    drawn = [
        draw_face(np.random.default_rng([1, i // 2]), np.random.default_rng([1, i, 1]))
        for i in range(8)
    ]
    return (np.stack([np.asarray(face) for face in drawn]).astype(np.float32) - 127.5) / 128
