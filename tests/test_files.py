"""Files that are whole or not there."""

import csv
import json
import os

import pytest

from xcos_tf.errors import XcosError
from xcos_tf.files import (
    DEEPEST_JSON,
    LARGEST_JSON,
    parse_json,
    read_file,
    read_json,
    replace_file,
    write_csv,
    write_json,
)


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    replace_file(path, lambda stream: stream.write(b"old"))

    def fail(stream):
        stream.write(b"half of the n")
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        replace_file(path, fail)
    assert path.read_bytes() == b"old"
    replace_file(path, lambda stream: stream.write(b"new"))
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_bytes() == b"new"


def test_names_that_are_not_utf8_survive(tmp_path):
    name = b"Jos\xe9".decode("utf-8", "surrogateescape")
    write_json(tmp_path / "a.json", [name])
    assert json.loads((tmp_path / "a.json").read_text()) == [name]
    write_csv(tmp_path / "a.csv", ("name", "n"), [(name, 1)])
    with open(tmp_path / "a.csv", encoding="utf-8", errors="surrogateescape", newline="") as file:
        assert list(csv.DictReader(file)) == [{"name": name, "n": "1"}]


def test_json_of_ours_comes_back(tmp_path):
    content = {"a": [1, -2.5, "Jos\u00e9", None, True], "b": {"c": 2**63}}
    write_json(tmp_path / "a.json", content)
    assert read_json(tmp_path / "a.json", "the list") == content
    assert parse_json(b"\xef\xbb\xbf{}", "the list") == {}
    deepest = "[" * DEEPEST_JSON + "]" * DEEPEST_JSON
    assert parse_json(deepest.encode(), "the list")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 10**6,
        b"[" * (DEEPEST_JSON + 1) + b"]" * (DEEPEST_JSON + 1),
        b'{"a":' * (DEEPEST_JSON + 1) + b"1" + b"}" * (DEEPEST_JSON + 1),
        b"NaN",
        b"[-Infinity]",
        b"[1e999]",
        b"18446744073709551616",
        b"-" + b"9" * 5000,
    ],
)
def test_json_that_is_not_ours_is_refused(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(XcosError, match=r"^the list .*a\.json is damaged \(.*; make it$") as caught:
        read_json(path, "the list", "make it")
    assert len(str(caught.value)) < 300


def test_what_is_no_small_file_is_refused(tmp_path):
    path = tmp_path / "a.json"
    with pytest.raises(XcosError, match=r"the list .* is missing; make it"):
        read_json(path, "the list", "make it")
    with pytest.raises(XcosError, match="is not a regular file"):
        read_json("/dev/zero", "the list")
    with pytest.raises(XcosError, match=r"is not a regular file|cannot be read"):
        read_json(tmp_path, "the list")
    with pytest.raises(XcosError, match="cannot be read"):
        read_json("a\0b", "the list")
    with pytest.raises(XcosError, match="cannot be read"):
        read_json("a" * 5000, "the list")
    os.mkfifo(path)
    with pytest.raises(XcosError, match="is not a regular file"):
        read_json(path, "the list")
    path.unlink()
    path.symlink_to(path)
    with pytest.raises(XcosError, match="cannot be read"):
        read_json(path, "the list")
    path.unlink()
    with open(path, "wb") as stream:
        stream.truncate(LARGEST_JSON + 1)
    with pytest.raises(XcosError, match="is larger than the"):
        read_json(path, "the list")
    path.write_bytes(b"12345")
    assert read_file(path, 5, "the list") == b"12345"
