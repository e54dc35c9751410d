"""Files of a prepared set that are damaged, or made by a stranger with the right checksums."""

import copy
import json
import shutil

import numpy as np
import pytest

from tests.data.records.sources import insightface_records, jpeg, write_mxnet, write_people
from xcos_tf.data.records.index import COLUMNS
from xcos_tf.data.records.reader import PreparedSet
from xcos_tf.data.records.writer import open_source, prepare
from xcos_tf.errors import XcosError
from xcos_tf.files import file_sha256, write_json


@pytest.fixture
def people(tmp_path):
    write_people(tmp_path / "people", {"al": 4, "bea": 3, "cy": 1})
    return tmp_path / "people"


@pytest.fixture
def folder(people, tmp_path):
    prepare(open_source(people), tmp_path / "out", 3)
    return tmp_path / "out"


def read_all(folder):
    records = PreparedSet(folder)
    return records.read(np.arange(len(records)))


def test_one_bit_anywhere_in_a_shard_is_noticed(folder):
    whole = read_all(folder)
    shard = sorted(folder.glob("*.tfrecord"))[0]
    content = shard.read_bytes()
    random = np.random.default_rng(0)
    noticed = 0
    for place in random.integers(0, len(content), 60):
        flipped = bytearray(content)
        flipped[place] ^= 1 << random.integers(8)
        shard.write_bytes(flipped)
        try:
            # The length before a record is not needed: the index knows it.
            assert read_all(folder) == whole
        except XcosError as error:
            noticed += 1
            assert str(shard) in str(error).replace("…", "") or "…" in str(error)
            assert "is missing or damaged (at byte" in str(error)
    assert noticed > 50


def test_a_shard_that_was_cut(folder):
    shard = sorted(folder.glob("*.tfrecord"))[0]
    shard.write_bytes(shard.read_bytes()[:-2])
    with pytest.raises(XcosError, match="is missing or damaged"):
        read_all(folder)


def index_of(folder):
    return json.loads((folder / "index.json").read_text())


WRONG = [None, True, -1, 1.5, 10**30, "x", [], {}, [1], {"a": 1}, "\ud800"]


def paths(value, path=()):
    yield path
    if isinstance(value, (dict, list)):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in inner:
            yield from paths(item, (*path, key))


def test_an_index_with_anything_wrong_in_it(folder):
    """Each value in turn is replaced by each of another type, or taken out."""
    index = index_of(folder)
    tried = refused = 0
    for path in paths(index):
        for wrong in [*WRONG, KeyError]:
            changed = copy.deepcopy(index)
            if not path:
                changed = None if wrong is KeyError else wrong
            else:
                place = changed
                for key in path[:-1]:
                    place = place[key]
                if wrong is KeyError:
                    del place[path[-1]]
                else:
                    place[path[-1]] = wrong
            write_json(folder / "index.json", changed)
            tried += 1
            try:
                read_all(folder)
            except XcosError:
                refused += 1
    # Names and kinds of the source may be any text.
    assert refused > 0.9 * tried


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"{", b"[" * 99999, b"1e999", b"\xff", b'{"format": NaN}', b"1" * 9999]
)
@pytest.mark.parametrize("name", ["index.json", "people.json"])
def test_what_is_no_json(name, content, folder):
    (folder / name).write_bytes(content)
    if name == "people.json":
        write_json(
            folder / "index.json",
            {**index_of(folder), "people_sha256": file_sha256(folder / name).hexdigest()},
        )
    with pytest.raises(XcosError, match="prepare the set again"):
        PreparedSet(folder)


IMPOSSIBLE = {
    "a shard that is not there": {"shard": lambda x: x + 3},
    "a shard below zero": {"shard": lambda x: x - 3},
    "beyond the file": {"offset": lambda x: x + 10**6},
    "far beyond": {"offset": lambda x: np.full_like(x, 2**63 - 1)},
    "before the file": {"offset": lambda x: x - 10**6},
    "a length below zero": {"length": lambda x: -x},
    "a length beyond": {"length": lambda x: np.full_like(x, 2**31 - 1)},
    "nobody": {"label": lambda x: x + 99},
    "a label below zero": {"label": lambda x: x - 99},
    "another type": {"label": lambda x: x.astype(np.float32)},
    "another byte order": {"label": lambda x: x.astype(">i4")},
    "texts": {"offset": lambda x: x.astype(str)},
    "other shape": {"length": lambda x: x[None]},
    "fewer": {"length": lambda x: x[1:]},
    "none": {"label": lambda x: x[:0]},
    "one number": {"label": lambda x: np.int32(3)},
    "far more": {"label": lambda x: np.zeros(10**6, np.int32)},
}


@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_arrays_with_a_right_checksum_and_impossible_contents(kind, folder):
    with np.load(folder / "index.npz") as arrays:
        arrays = dict(arrays)
    for name, change in IMPOSSIBLE[kind].items():
        arrays[name] = change(arrays[name])
    np.savez(folder / "index.npz", **arrays)
    sealed = {**index_of(folder), "index_sha256": file_sha256(folder / "index.npz").hexdigest()}
    write_json(folder / "index.json", sealed)
    with pytest.raises(XcosError, match=r"index.npz is damaged \(.*prepare the set again"):
        PreparedSet(folder)


@pytest.mark.parametrize("missing", COLUMNS)
def test_an_array_that_is_missing_or_no_array(missing, folder):
    with np.load(folder / "index.npz") as arrays:
        arrays = {name: array for name, array in arrays.items() if name != missing}
    for content in (arrays, {**arrays, missing: np.array([object()])}):
        np.savez(folder / "index.npz", **content)
        sealed = {**index_of(folder), "index_sha256": file_sha256(folder / "index.npz").hexdigest()}
        write_json(folder / "index.json", sealed)
        with pytest.raises(XcosError, match=r"index.npz is damaged"):
            PreparedSet(folder)


@pytest.mark.parametrize("row", ["-1,0,1", "0,99,1", "x,0,1", "0,1", "9" * 30 + ",0,1", "\0"])
def test_pairs_that_cannot_be(row, folder):
    (folder / "pairs.csv").write_text(f"first,second,same\n{row}\n")
    with pytest.raises(XcosError, match=r"pairs.csv is malformed"):
        PreparedSet(folder).pairs()


class Stopped(Exception):
    pass


@pytest.fixture
def unfinished(people, tmp_path, monkeypatch):
    def stop(*args):
        raise Stopped

    out = tmp_path / "unfinished"
    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr("xcos_tf.data.records.writer.write_index", stop)
        prepare(open_source(people), out, 3)
    return out


@pytest.mark.parametrize("content", ["", "{", "[]", '{"kind": 3}', "[" * 9999])
def test_a_plan_that_is_damaged(content, unfinished, people):
    (unfinished / ".progress" / "plan.json").write_text(content)
    with pytest.raises(XcosError, match="delete the folder"):
        prepare(open_source(people), unfinished, 3)


@pytest.mark.parametrize("name", ["00001.json", "00001.npz"])
@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 9999, b"PK\x03\x04"])
def test_what_is_known_of_a_shard_is_damaged_it_is_written_again(
    name, content, unfinished, people, tmp_path
):
    prepare(open_source(people), tmp_path / "whole", 3)
    (unfinished / ".progress" / name).write_bytes(content)
    prepare(open_source(people), unfinished, 3)
    assert read_all(unfinished) == read_all(tmp_path / "whole")
    assert {x.name: x.read_bytes() for x in unfinished.iterdir()} == {
        x.name: x.read_bytes() for x in (tmp_path / "whole").iterdir()
    }


def test_keys_of_an_mxnet_index_beyond_its_header(tmp_path):
    folder = tmp_path / "set"
    write_mxnet(folder, insightface_records([(0, jpeg(1)), (1, jpeg(2))]))
    whole = (folder / "train.idx").read_text().splitlines()
    for key in (7, 2**31, 10**18 - 1):
        # The header's own place is named last, so that the key is seen first.
        lines = [f"{key}\t{whole[0].split()[1]}", *whole]
        (folder / "train.idx").write_text("\n".join(lines))
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        assert prepare(open_source(folder), tmp_path / "out", 1).images == 2
