"""Files that are whole or not there."""

import csv
import json

import pytest

from xcos_tf.files import replace_file, write_csv, write_json


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
