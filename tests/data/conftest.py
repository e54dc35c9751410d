from pathlib import Path

import pytest

PHOTOS = Path(__file__).parents[1] / "photos"


@pytest.fixture(scope="session")
def aligner():
    """The real aligner, with MTCNN; loading it takes seconds, so once is enough."""
    from xcos_tf.data.aligner import FaceAligner

    return FaceAligner()


@pytest.fixture(scope="session")
def photos():
    """{name: uint8 (H, W, 3)} of the sample photos, each of which shows one main face."""
    from xcos_tf.data.photo import read_photo

    return {name: read_photo(PHOTOS / f"{name}.jpg") for name in ("obama", "obama2", "biden")}
