"""What the tests of the phone's verifier share: the verifier, and aligned faces."""

import numpy as np
import pytest

from xcos_tf.data.photo import read_photo
from xcos_tf.export.tflite.int8 import SHIPPED
from xcos_tf.mobile.lite_verifier import LiteVerifier


@pytest.fixture(scope="session")
def lite(lite_models) -> LiteVerifier:
    return LiteVerifier.from_folder(lite_models)


@pytest.fixture(scope="session")
def portraits() -> dict[str, np.ndarray]:
    """{name: uint8 (112, 112, 3)}: obama and obama2, who are one, and biden."""
    return {path.stem: read_photo(path) for path in SHIPPED.glob("*.png")}
