import json
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.data.records.sources import write_people
from xcos_tf.data.records.image_check import image_size
from xcos_tf.data.records.reader import PreparedSet
from xcos_tf.data.records.writer import open_source, prepare
from xcos_tf.errors import XcosError


@pytest.fixture
def prepared(tmp_path):
    """(folder, images by position) of 9 faces of 3 people in 4 shards."""
    images = write_people(tmp_path / "people", {"al": 4, "bea": 3, "cy": 2})
    prepare(open_source(tmp_path / "people"), tmp_path / "out", 4)
    return tmp_path / "out", [images[name] for name in sorted(images)]


def test_any_positions_in_any_order(prepared):
    folder, images = prepared
    records = PreparedSet(folder)
    assert len(records) == 9
    positions = np.array([8, 0, 3, 3, 5])
    assert records.read(positions) == [images[i] for i in positions]
    assert records.read(np.array([], int)) == []
    assert records.pairs() is None
    for position in (-1, 9):
        with pytest.raises(IndexError, match=f"Received: position={position}"):
            records.read([position])
    assert records.labels.dtype == np.int32


def test_threads(prepared):
    folder, images = prepared
    records = PreparedSet(folder)
    order = np.random.default_rng(0).integers(0, 9, (200, 10))
    with ThreadPoolExecutor(8) as pool:
        for positions, found in zip(order, pool.map(records.read, order), strict=True):
            assert found == [images[i] for i in positions]


def test_a_face_of_another_size_is_named(prepared):
    folder, images = prepared
    size, _ = image_size(images[0])
    records = PreparedSet(folder)
    records.check_size(size)
    said = f"in {folder} is {size}×{size} pixels and the models take 9×9"
    with pytest.raises(XcosError, match=re.escape(said)):
        records.check_size(9)
    index = json.loads((folder / "index.json").read_text())
    assert index["size"] == [size, size]
    (folder / "index.json").write_text(json.dumps({**index, "size": [9, 9]}))
    PreparedSet(folder).check_size(9)  # nothing more is read
    del index["size"]  # as in sets of an earlier version
    (folder / "index.json").write_text(json.dumps(index))
    PreparedSet(folder).check_size(size)
    with pytest.raises(XcosError, match=re.escape(said)):
        PreparedSet(folder).check_size(9)


@pytest.mark.parametrize("damage", ["missing", "short", "other"])
def test_reading_a_damaged_shard(prepared, damage):
    folder, _ = prepared
    shard = folder / "faces-00000-of-00004.tfrecord"
    size = shard.stat().st_size
    if damage == "missing":
        shard.unlink()
    else:
        shard.write_bytes(b"\xff" * (size if damage == "other" else 20))
    with pytest.raises(XcosError, match=r"faces-00000-of-00004.tfrecord is missing or damaged"):
        PreparedSet(folder).read([0])


@pytest.mark.parametrize("name", ["index.npz", "people.json"])
def test_a_damaged_index(prepared, name):
    folder, _ = prepared
    (folder / name).write_bytes((folder / name).read_bytes()[:-1])
    with pytest.raises(XcosError, match=f"{name} is not what was prepared"):
        PreparedSet(folder)


def test_other_folders(prepared, tmp_path):
    folder, _ = prepared
    with pytest.raises(XcosError, match="is no prepared set; make one with `xcos prepare`"):
        PreparedSet(tmp_path / "nowhere")
    index = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps({**index, "format": 2}))
    with pytest.raises(XcosError, match="is of format 2, and this version reads 1"):
        PreparedSet(folder)
    (folder / "index.json").write_text("{")
    with pytest.raises(XcosError, match=r"index.json is damaged"):
        PreparedSet(folder)
