"""The description in a .tflite file is read, or one sentence says what is wrong with it."""

import hashlib
import json
import math
import tracemalloc
import zipfile

import pytest

from xcos_tf.errors import XcosError
from xcos_tf.runtime.model_file import ModelFile

GOOD = {
    "format": 1,
    "model": "embed",
    "variant": "float32",
    "preset": "mine",
    "preset_sha256": "0" * 64,
    "attention": "learned",
    "inputs": [],
    "outputs": [],
    "thresholds": {"0.001": 0.5},
    "model_sha256": hashlib.sha256(b"model").hexdigest(),
}


def write(path, content, name="xcos.json"):
    path.write_bytes(b"model")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, content)


def test_reads_what_was_appended(tmp_path):
    path = tmp_path / "a.tflite"
    write(path, json.dumps(GOOD))
    assert ModelFile.read(path).metadata == GOOD


@pytest.mark.parametrize(
    "content, words",
    [
        ("{", "is damaged"),
        ("[]", "not of format 1"),
        (json.dumps(GOOD | {"format": 2}), "not of format 1"),
        *[
            (
                json.dumps({key: GOOD[key] for key in GOOD if key != missing}),
                f"proper {missing!r}",
            )
            for missing in GOOD
            if missing != "format"
        ],
        *[
            (json.dumps(GOOD | {"thresholds": thresholds}), "proper 'thresholds'|not finite")
            for thresholds in (
                0.5,
                {"0.001": math.nan},
                {"0.001": math.inf},
                {"0.001": "0.5"},
                {"0.001": None},
                {"0.001": [0.5]},
                {"0.001": True},
                {"often": 0.5},
                {"2": 0.5},
                {"nan": 0.5},
            )
        ],
        ("[" * 100_000, "is damaged"),
        (json.dumps(GOOD | {"deep": eval("[" * 50 + "]" * 50)}), "is damaged"),
        (json.dumps(GOOD | {"long": "x" * 2**20}), "is damaged|no model with"),
    ],
)
def test_bad_description(tmp_path, content, words):
    path = tmp_path / "a.tflite"
    write(path, content)
    with pytest.raises(XcosError, match=f"{words}.*export it again"):
        ModelFile.read(path)


def test_no_description(tmp_path):
    path = tmp_path / "a.tflite"
    with pytest.raises(XcosError, match=r"the model .* is missing"):
        ModelFile.read(path)
    path.write_bytes(b"model")
    with pytest.raises(XcosError, match="no model with a description"):
        ModelFile.read(path)
    write(path, "{}", name="other.json")
    with pytest.raises(XcosError, match=r"has no xcos.json"):
        ModelFile.read(path)
    with pytest.raises(XcosError, match="cannot be read"):
        ModelFile.read(tmp_path)


def test_damaged_archive(tmp_path):
    path = tmp_path / "a.tflite"
    write(path, json.dumps(GOOD))
    content = path.read_bytes()
    place = content.index(b'"preset"')
    path.write_bytes(content[:place] + b"X" + content[place + 1 :])
    with pytest.raises(XcosError, match="export it again"):
        ModelFile.read(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_that_unpacks_to_much_takes_little_memory(tmp_path, method):
    path = tmp_path / "a.tflite"
    path.write_bytes(b"model")
    with zipfile.ZipFile(path, "a", method) as archive:
        archive.writestr("xcos.json", bytes(2**27))
    assert_refused_in_little_memory(path)


def test_an_archive_of_many_files_takes_little_memory(tmp_path):
    path = tmp_path / "a.tflite"
    write(path, json.dumps(GOOD))
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(60_000):
            archive.writestr(str(number), b"")
    assert_refused_in_little_memory(path)


def test_a_file_without_end_is_not_read():
    with pytest.raises(XcosError, match="is not a regular file"):
        ModelFile.read("/dev/zero")


def assert_refused_in_little_memory(path):
    tracemalloc.start()
    try:
        with pytest.raises(XcosError, match="export it again"):
            ModelFile.read(path)
        assert tracemalloc.get_traced_memory()[1] < 32 * 2**20
    finally:
        tracemalloc.stop()
