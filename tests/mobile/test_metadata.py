"""The description in a .tflite file is read, or one sentence says what is wrong with it."""

import json
import zipfile

import pytest

from xcos_tf.errors import XcosError
from xcos_tf.mobile.metadata import read_metadata

GOOD = {
    "format": 1,
    "model": "embed",
    "variant": "float32",
    "preset": "mine",
    "preset_sha256": "0" * 64,
    "inputs": [],
    "outputs": [],
    "thresholds": {"0.001": 0.5},
}


def write(path, content, name="xcos.json"):
    path.write_bytes(b"model")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, content)


def test_reads_what_was_appended(tmp_path):
    path = tmp_path / "a.tflite"
    write(path, json.dumps(GOOD))
    assert read_metadata(path) == GOOD


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
        (json.dumps(GOOD | {"thresholds": 0.5}), "proper 'thresholds'"),
    ],
)
def test_bad_description(tmp_path, content, words):
    path = tmp_path / "a.tflite"
    write(path, content)
    with pytest.raises(XcosError, match=f"{words}.*export it again"):
        read_metadata(path)


def test_no_description(tmp_path):
    path = tmp_path / "a.tflite"
    with pytest.raises(XcosError, match="there is no model"):
        read_metadata(path)
    path.write_bytes(b"model")
    with pytest.raises(XcosError, match="no model with a description"):
        read_metadata(path)
    write(path, "{}", name="other.json")
    with pytest.raises(XcosError, match=r"has no xcos.json"):
        read_metadata(path)
    with pytest.raises(XcosError, match="cannot be read"):
        read_metadata(tmp_path)


def test_damaged_archive(tmp_path):
    path = tmp_path / "a.tflite"
    write(path, json.dumps(GOOD))
    content = path.read_bytes()
    place = content.index(b'"preset"')
    path.write_bytes(content[:place] + b"X" + content[place + 1 :])
    with pytest.raises(XcosError, match="export it again"):
        read_metadata(path)
