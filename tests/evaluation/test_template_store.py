import json
import os

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from xcos_tf.errors import XcosError
from xcos_tf.evaluation.templates import (
    FORMAT,
    METADATA,
    TemplateInfo,
    _sha256,
    open_templates,
    write_templates,
)
from xcos_tf.evaluation.verification_set import Skipped

NAMES = ["Ann/1.jpg", "Ann/2.jpg", "Zoë/“1”.jpg", os.fsdecode(b"Zo\xeb/\xff.jpg"), "Zoë/3.jpg"]
INFO = TemplateInfo(
    preset="some-preset",
    weights="ab" * 32,
    faces="cd" * 32,
    people=["Ann", "Zoë"],
    names=NAMES,
    skipped=[Skipped("Zoë/notes.txt", "no image")],
    labels=np.array([0, 0, 1, 1, 1], np.int32),
)


@pytest.fixture(params=[(7, 7, 32), (192,)])
def features(request, random):
    return random.normal(size=(5, *request.param)).astype(np.float32)


@pytest.fixture
def path(tmp_path, features):
    path = tmp_path / "some.templates"
    write_templates(path, INFO, features.shape[1:], [features[:2], features[2:2], features[2:]])
    return path


def test_what_is_written_is_read(path, features):
    store = open_templates(path)
    assert len(store) == 5 and store.shape == features.shape[1:]
    for name in ("preset", "weights", "faces", "people", "names", "skipped"):
        assert getattr(store.info, name) == getattr(INFO, name)
    assert store.info.skipped[0].reason == "no image"
    np.testing.assert_array_equal(store.labels, INFO.labels)
    assert store.labels.dtype == np.int32
    for start, stop in ((0, 5), (0, 2), (1, 4), (3, 99)):
        block = store.read(start, stop)
        assert block.dtype == np.float32
        np.testing.assert_array_equal(block, features[start:stop])
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_file_is_safetensors(path, features):
    arrays = load_file(path)
    assert sorted(arrays) == ["features", "labels"]
    np.testing.assert_array_equal(arrays["features"], features)
    np.testing.assert_array_equal(arrays["labels"], INFO.labels)
    with open(path, "rb") as stream:
        assert int.from_bytes(stream.read(8), "little") % 8 == 0  # so that arrays are aligned


def test_features_stay_on_disk(path):
    # A file that changes under an open store gives changed features: they were not in memory.
    store = open_templates(path)
    with open(path, "r+b") as stream:
        header = int.from_bytes(stream.read(8), "little")
        stream.seek(8 + header)
        stream.write(np.float32(42).tobytes())
    assert store.read(0, 1).ravel()[0] == 42


def test_a_damaged_file(path, random):
    whole = path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    damaged = [b"", b"\x00" * 8, whole[:100], whole[:-1], whole + b"\0", random.bytes(4096)]
    # A bit of the first and last feature, of a label, of a name and of a hash.
    places = [header, len(whole) - 21, len(whole) - 4, whole.index(b"Ann/2"), whole.index(b"abab")]
    damaged += [whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :] for i in places]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(XcosError, match=r"is damaged.*; delete it and make it again"):
            open_templates(path)


def rewrite(path, known, **arrays):
    save_file({**load_file(path), **arrays}, path, metadata={METADATA: json.dumps(known)})


def test_metadata_of_other_programs(path):
    with safe_open(path, framework="numpy") as file:
        known = json.loads(file.metadata()[METADATA])
    rewrite(path, known)
    assert len(open_templates(path)) == 5  # as it was, so that what follows is not for nothing
    rewrite(path, {**known, "format": FORMAT + 1})
    with pytest.raises(XcosError, match="is of format 2 and this xcos_tf reads up to 1; upgrade"):
        open_templates(path)
    for wrong in ([], 7, {}, {**known, "names": 5}, {**known, "skipped": [["a"]]}):
        rewrite(path, wrong)
        with pytest.raises(XcosError, match="is damaged"):
            open_templates(path)
    for key in known:
        rewrite(path, {name: value for name, value in known.items() if name != key})
        with pytest.raises(XcosError, match="is damaged"):
            open_templates(path)
    rewrite(path, known, labels=INFO.labels.astype(np.int64))
    with pytest.raises(XcosError, match="is damaged"):
        open_templates(path)
    save_file({"features": np.zeros(3, np.float32)}, path)
    with pytest.raises(XcosError, match="is no file of templates; give one that xcos_tf made"):
        open_templates(path)


def forge(path, known=None, **arrays):
    """Write arrays and metadata with the hash that is right for them."""
    content = load_file(path) | arrays
    if known is None:
        with safe_open(path, framework="numpy") as file:
            known = json.loads(file.metadata()[METADATA])
    known.pop("content", None)
    known["content"] = _sha256([content["features"]], content["labels"], known)
    rewrite(path, known, **arrays)


def test_what_does_not_belong_together_is_refused_whatever_its_hash(path, features):
    whole = path.read_bytes()
    with safe_open(path, framework="numpy") as file:
        known = json.loads(file.metadata()[METADATA])
    forge(path)
    assert len(open_templates(path)) == 5  # as it was
    not_finite = features.copy()
    not_finite[-1, ..., 0] = np.nan
    for arrays in (
        {"features": not_finite},
        {"features": features[:4]},
        {"features": np.ascontiguousarray(features.reshape(5, -1, 1))},
        {"features": features.astype(np.float64)},
        {"labels": INFO.labels + 1000},
        {"labels": INFO.labels - 1000},
        {"labels": INFO.labels[:4]},
        {"labels": INFO.labels[:, np.newaxis]},
    ):
        path.write_bytes(whole)
        forge(path, **arrays)
        with pytest.raises(XcosError, match=r"is damaged \(.*; delete it and make it again"):
            open_templates(path)
    for key, odd in (("names", INFO.names[:4]), ("names", [1] * 5), ("people", [])):
        path.write_bytes(whole)
        forge(path, {**known, key: odd})
        with pytest.raises(XcosError, match="is damaged"):
            open_templates(path)
    path.write_bytes(whole)
    save_file(load_file(path), path, metadata={METADATA: "[" * 100_000})
    with pytest.raises(XcosError, match=r"is damaged .*make it again"):
        open_templates(path)


def test_no_file(tmp_path):
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(XcosError, match="there is no file of templates"):
            open_templates(path)


def test_templates_of_another_preset_or_folder(path):
    store = open_templates(path)
    store.check_preset({"name": "some-preset", "weights": {"sha256": "ab" * 32}})
    store.check_faces("folder", "cd" * 32)
    with pytest.raises(XcosError, match=r"other weights \(preset 'some-preset'\) than those of"):
        store.check_preset({"name": "newer", "weights": {"sha256": "ef" * 32}})
    with pytest.raises(XcosError, match="of other faces than folder has now"):
        store.check_faces("folder", "ef" * 32)
