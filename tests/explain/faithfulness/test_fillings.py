import numpy as np
import pytest

from xcos_tf.errors import XcosError
from xcos_tf.explain.faithfulness.fillings import FILLINGS, filling_of


def test_black_is_black_and_blur_keeps_tones_without_detail(random):
    face = random.integers(0, 256, (112, 112, 3), np.uint8)
    black, blur = (filling_of(face, name) for name in FILLINGS)
    assert black.shape == blur.shape == face.shape
    assert black.dtype == blur.dtype == np.uint8
    assert not black.any()
    assert blur.mean() == pytest.approx(face.mean(), abs=2)
    assert blur.std() < face.std() / 10


def test_other_fillings_are_refused():
    with pytest.raises(XcosError, match="no filling 'pink'; use one of black, blur"):
        filling_of(np.zeros((2, 2, 3), np.uint8), "pink")
