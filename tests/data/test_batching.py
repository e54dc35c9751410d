from pathlib import Path

import numpy as np
from PIL import Image

from xcos_tf.data.batching import batches_by_size, read_ahead
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


def test_mixed_sizes_fill_batches():
    photos = [(i, blank(20 + i % 3)) for i in range(24)]
    batches = list(batches_by_size(photos, 4))
    assert [len(batch) for batch in batches] == [4] * 6
    for batch in batches:
        assert len({photo.shape for _, photo in batch}) == 1
    assert sorted(i for batch in batches for i, _ in batch) == list(range(24))


def test_leftovers_come_at_the_end():
    batches = list(batches_by_size([(i, blank(20 + i % 2)) for i in range(5)], 16))
    assert sorted(len(batch) for batch in batches) == [2, 3]


def test_waiting_is_bounded():
    sizes = [20, 20, 20, 21, 22, 23, 24]
    taken = []

    def photos():
        for i, size in enumerate(sizes):
            taken.append(i)
            yield i, blank(size)

    batches = batches_by_size(photos(), 16, most_waiting=5)
    assert [i for i, _ in next(batches)] == [0, 1, 2]
    assert len(taken) == 6
    assert sorted(i for batch in batches for i, _ in batch) == [3, 4, 5, 6]
    # 600 pixels each: the second is one too many.
    batches = batches_by_size([(0, blank(20)), (1, blank(20, 31))], 16, most_pixels=700)
    assert [[i for i, _ in batch] for batch in batches] == [[1], [0]]
