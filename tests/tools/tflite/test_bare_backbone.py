"""What `verify` is timed against is the baseline itself."""

import numpy as np
from PIL import Image

from tools.tflite.bare_backbone import PRESET, bare_backbone, running
from xcos_tf.export.tflite.representative import SHIPPED
from xcos_tf.verifier import Verifier


def test_it_gives_the_baselines_embedding():
    face = np.asarray(Image.open(SHIPPED / "obama.png"))[np.newaxis]
    found = running(bare_backbone(), face, threads=1)()["embedding"][0]
    expected = Verifier.from_preset(PRESET).embed(face)[0]
    cosine = found @ expected / np.linalg.norm(found) / np.linalg.norm(expected)
    assert 1 - cosine < 1e-5
