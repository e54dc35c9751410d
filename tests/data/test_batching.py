from pathlib import Path

import numpy as np
from PIL import Image

from xcos_tf.data.batching import batches, read_ahead
from xcos_tf.errors import XcosError


def blank(height, width=30):
    return np.zeros((height, width, 3), np.uint8)


def test_read_ahead_keeps_order_and_reasons(tmp_path):
    paths = []
    for i in range(20):
        paths.append(tmp_path / f"{i}.png")
        if i % 5 != 3:
            Image.fromarray(np.full((25, 25, 3), i, np.uint8)).save(paths[-1])
    found = list(read_ahead(paths))
    assert [path for path, _ in found] == paths
    for i, (_, photo) in enumerate(found):
        if i % 5 == 3:
            assert isinstance(photo, XcosError)
            assert "there is no file" in str(photo)
        else:
            assert (photo == i).all()


def test_read_ahead_reads_only_a_little_ahead():
    asked = []

    def paths():
        for i in range(100):
            asked.append(i)
            yield Path(f"nowhere/{i}.jpg")

    reader = read_ahead(paths())
    next(reader)
    assert len(asked) < 10
    reader.close()


def keys(found):
    return [[key for key, _ in batch] for batch in found]


def test_batches_keep_the_order():
    photos = [(i, blank(20 + i % 3)) for i in range(6)]
    assert keys(batches(photos, 4)) == [[0, 1, 2, 3], [4, 5]]
    assert keys(batches(photos, 3)) == [[0, 1, 2], [3, 4, 5]]
    assert list(batches([], 3)) == []


def test_a_batch_of_large_photos_has_few():
    photos = [(0, blank(20)), (1, blank(20, 31)), (2, blank(3)), (3, blank(1)), (4, blank(99))]
    # Of 600, 620, 90, 30 and 2,970 pixels.
    assert keys(batches(photos, 16, most=720)) == [[0], [1, 2], [3], [4]]
