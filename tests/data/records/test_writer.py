import csv
import json
import os
import pickle
import threading

import numpy as np
import PIL.Image
import pytest

from tests.data.records.sources import (
    insightface_records,
    jpeg,
    png,
    write_mxnet,
    write_people,
)
from xcos_tf.data.records.reader import PreparedSet
from xcos_tf.data.records.source import Record
from xcos_tf.data.records.writer import check_destination, open_source, prepare
from xcos_tf.errors import XcosError


def files(folder):
    return {x.name: x.read_bytes() for x in folder.iterdir()}


def skipped(folder):
    with open(folder / "skipped.csv", newline="") as stream:
        return dict(csv.reader(stream))


@pytest.fixture
def people(tmp_path):
    """Three people, eight faces, one file that is none."""
    write_people(tmp_path / "people", {"al": 4, "bea": 3, "cy": 1})
    (tmp_path / "people" / "bea" / "notes.txt").write_text("no image")
    return tmp_path / "people"


@pytest.mark.parametrize("shards, jobs", [(1, 1), (3, 2), (64, 4)])
def test_folder(people, tmp_path, shards, jobs):
    out = tmp_path / "out"
    summary = prepare(open_source(people), out, shards, jobs)
    assert (summary.images, summary.people, summary.skipped) == (8, 3, 1)
    assert summary.shards == min(shards, 9)
    assert skipped(out) == {"name": "reason", "bea/notes.txt": "not a JPEG or PNG"}
    records = PreparedSet(out)
    assert records.people == ["al", "bea", "cy"]
    assert records.labels.tolist() == [0, 0, 0, 0, 1, 1, 1, 2]
    names = records.names(np.arange(8))
    assert names == sorted(f"{x.parent.name}/{x.name}" for x in people.rglob("*.jpg"))
    assert records.read(np.arange(8)) == [(people / name).read_bytes() for name in names]


def test_index_is_in_the_promised_format(people, tmp_path):
    out = tmp_path / "out"
    prepare(open_source(people), out, 2)
    index = json.loads((out / "index.json").read_text())
    assert index["format"] == 1
    assert index["source"]["kind"] == "folder"
    assert index["source"]["name"] == "people"
    assert {x: index[x] for x in ("images", "people", "skipped")} == {
        "images": 8,
        "people": 3,
        "skipped": 1,
    }
    assert [shard["file"] for shard in index["shards"]] == [
        "faces-00000-of-00002.tfrecord",
        "faces-00001-of-00002.tfrecord",
    ]
    assert [shard["bytes"] for shard in index["shards"]] == [
        (out / shard["file"]).stat().st_size for shard in index["shards"]
    ]
    assert sum(shard["images"] for shard in index["shards"]) == 8
    with np.load(out / "index.npz") as arrays:
        types = {name: (arrays[name].dtype, arrays[name].shape) for name in arrays}
    assert types == {
        "label": (np.int32, (8,)),
        "shard": (np.int32, (8,)),
        "offset": (np.int64, (8,)),
        "length": (np.int32, (8,)),
    }
    assert sorted(files(out)) == [
        *(shard["file"] for shard in index["shards"]),
        "index.json",
        "index.npz",
        "people.json",
        "skipped.csv",
    ]


@pytest.mark.parametrize("index", [True, False])
def test_mxnet(tmp_path, index):
    images = [(0, jpeg(0)), (0, png(1, 24)), (1, jpeg(2)[:200]), (1, jpeg(3)), (2, b"no image")]
    write_mxnet(tmp_path / "set", insightface_records(images), index, people=3)
    summary = prepare(open_source(tmp_path / "set"), tmp_path / "out", 2)
    assert (summary.images, summary.people, summary.skipped) == (3, 3, 2)
    records = PreparedSet(tmp_path / "out")
    assert records.read([0, 1, 2]) == [jpeg(0), png(1, 24), jpeg(3)]
    assert records.names([0, 1, 2]) == ["1", "2", "4"]
    assert records.labels.tolist() == [0, 0, 1]
    assert set(skipped(tmp_path / "out")) == {"name", "3", "5"}


def test_bin(tmp_path):
    images = [jpeg(i) for i in range(6)]
    images[1] = b"no image"
    path = tmp_path / "lfw.bin"
    path.write_bytes(pickle.dumps((images, [True, False, True])))
    prepare(open_source(path), tmp_path / "out", 4)
    records = PreparedSet(tmp_path / "out")
    assert records.people == []
    assert records.labels.tolist() == [0, 1, 1, 2, 2]
    assert records.read(range(5)) == [images[i] for i in (0, 2, 3, 4, 5)]
    pairs = records.pairs()
    assert (pairs.first.tolist(), pairs.second.tolist()) == ([1, 3], [2, 4])
    assert pairs.same.tolist() == [False, True]
    assert (tmp_path / "out" / "pairs.csv").read_bytes() == (
        b"first,second,same\r\n1,2,0\r\n3,4,1\r\n"
    )


class Stopped(BaseException):
    """As when the process ends: nothing catches it."""


def test_stopped_before_any_rename_and_started_again(people, tmp_path, monkeypatch):
    prepare(open_source(people), tmp_path / "whole", 3)
    whole, replace = files(tmp_path / "whole"), os.replace
    stops = 0
    while True:
        out = tmp_path / f"out{stops}"
        calls = []

        def stop_at_last(source, target, calls=calls, last=stops):
            calls.append(target)
            if len(calls) > last:
                raise Stopped
            replace(source, target)

        monkeypatch.setattr(os, "replace", stop_at_last)
        try:
            prepare(open_source(people), out, 3, jobs=1)
        except Stopped:
            assert not (out / "index.json").exists()
            with pytest.raises(XcosError, match="is not finished; give the `xcos prepare` command"):
                PreparedSet(out)
        else:
            break
        finally:
            monkeypatch.setattr(os, "replace", replace)
        assert prepare(open_source(people), out, 3).images == 8
        assert files(out) == whole
        stops += 1
    # The plan; of each shard the file, its arrays and its entry; four files of the index.
    assert stops == 1 + 3 * 3 + 4


def test_finished_shards_are_not_written_again(people, tmp_path, monkeypatch):
    out, broken = tmp_path / "out", threading.Event()
    source = open_source(people)
    read = source.read

    def fail(start, stop):
        if start >= 6:
            broken.set()
            raise Stopped
        return read(start, stop)

    monkeypatch.setattr(source, "read", fail)
    with pytest.raises(Stopped):
        prepare(source, out, 3, jobs=1)
    assert broken.is_set()
    before = {x.name: x.stat().st_mtime_ns for x in out.glob("*.tfrecord")}
    assert sorted(before) == [f"faces-0000{i}-of-00003.tfrecord" for i in range(2)]
    assert prepare(open_source(people), out, 3).checked == 3
    after = {x.name: x.stat().st_mtime_ns for x in out.glob("*.tfrecord")}
    assert before.items() < after.items()


def test_a_finished_shard_that_was_lost_is_written_again(people, tmp_path, monkeypatch):
    out = tmp_path / "out"

    def stop(*_):
        raise Stopped

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr("xcos_tf.data.records.writer.write_index", stop)
        prepare(open_source(people), out, 3)
    (out / "faces-00001-of-00003.tfrecord").write_bytes(b"cut short")
    assert prepare(open_source(people), out, 3).checked == 3
    assert len(PreparedSet(out).read(np.arange(8))) == 8


def test_a_finished_set_stays_as_it_is(people, tmp_path):
    out = tmp_path / "out"
    prepare(open_source(people), out, 3)
    before = {x: x.stat().st_mtime_ns for x in out.iterdir()}
    (out / ".progress").mkdir()  # left if the last run was killed right before the end
    again = prepare(open_source(people), out, 3)
    assert (again.images, again.skipped, again.checked) == (8, 1, 0)
    assert {x: x.stat().st_mtime_ns for x in out.iterdir()} == before


def test_another_set_is_not_overwritten(people, tmp_path, monkeypatch):
    out = tmp_path / "out"
    prepare(open_source(people), out, 3)
    with pytest.raises(XcosError, match="holds a finished set of people in 3 shards"):
        prepare(open_source(people), out, 2)
    (people / "cy" / "001.jpg").write_bytes(jpeg(99))
    with pytest.raises(XcosError, match="holds a finished set of people in 3 shards"):
        prepare(open_source(people), out, 3)
    (out / "index.json").unlink()
    with pytest.raises(XcosError, match="holds other files; choose a folder that is empty"):
        prepare(open_source(people), out, 3)


def test_an_unfinished_set_of_another_plan(people, tmp_path, monkeypatch):
    out = tmp_path / "out"

    def stop(*_):
        raise Stopped

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr("xcos_tf.data.records.writer.write_index", stop)
        prepare(open_source(people), out, 3)
    with pytest.raises(XcosError, match="give --shards 3 to go on with it"):
        prepare(open_source(people), out, 2)
    (people / "cy" / "001.jpg").write_bytes(jpeg(99))
    with pytest.raises(XcosError, match="the source may have changed since"):
        prepare(open_source(people), out, 3)


def test_two_at_once_are_refused(people, tmp_path, monkeypatch):
    source, out, refusals = open_source(people), tmp_path / "out", []
    read = source.read

    def read_while_another_starts(start, stop):
        with pytest.raises(XcosError, match="another `xcos prepare` is writing to") as refusal:
            prepare(open_source(people), out, 1)
        refusals.append(refusal)
        return read(start, stop)

    monkeypatch.setattr(source, "read", read_while_another_starts)
    assert prepare(source, out, 1).images == 8
    assert len(refusals) == 2  # the first records are read for their size, too


def test_nothing_usable(tmp_path):
    write_mxnet(tmp_path / "set", insightface_records([(0, b"no image"), (0, b"nor this")]))
    with pytest.raises(XcosError, match=r"none of the 2 records of set/train.rec is an image"):
        prepare(open_source(tmp_path / "set"), tmp_path / "out")
    assert len(skipped(tmp_path / "out")) == 3
    assert not (tmp_path / "out" / "index.json").exists()


def test_a_disk_that_is_too_small(people, tmp_path, monkeypatch):
    source = open_source(people)
    source.size = 10**18
    with pytest.raises(XcosError, match=r"needs about 1000000000.0 GB and has .* GB free"):
        prepare(source, tmp_path / "out")


def test_a_disk_that_is_full(people, tmp_path, monkeypatch):
    out = tmp_path / "out"

    def full(self, shard):
        return "/dev/full"

    with monkeypatch.context() as patch:
        patch.setattr("xcos_tf.data.records.index.Progress.part", full)
        with pytest.raises(XcosError, match=r"out cannot be written .*make room"):
            prepare(open_source(people), out, 3)
    assert prepare(open_source(people), out, 3).images == 8


@pytest.mark.parametrize("inside", [False, True])
def test_check_destination(tmp_path, inside):
    path = tmp_path / "file"
    path.write_text("no folder")
    with pytest.raises(XcosError, match=r"cannot be written|is not a folder"):
        check_destination(path / "out" if inside else path)
    check_destination(tmp_path / "new" / "folder")
    assert not (tmp_path / "new").exists()


def test_images_are_not_gathered(tmp_path):
    """Only a batch of each thread is alive at a time, however many images there are."""
    alive, most, lock = [0], [0], threading.Lock()

    class Image(bytes):
        def __del__(self):
            with lock:
                alive[0] -= 1

    class Many:
        kind, name, fingerprint, people, pairs, size = "test", "many", "0", ["x"], None, 0

        def __len__(self):
            return 3000

        def read(self, start, stop):
            for i in range(start, stop):
                with lock:
                    alive[0] += 1
                    most[0] = max(most[0], alive[0])
                yield Record(str(i), 0, Image(jpeg(0, 4)))

    assert prepare(Many(), tmp_path / "out", 8, jobs=2).images == 3000
    # A thread's last batch is let go once its next is complete.
    assert most[0] <= 2 * 2 * (32 + 1)


@pytest.mark.parametrize("place", [0, 5, 19])
@pytest.mark.parametrize("shape", [(25, 24), (24, 25), (8, 8), (48, 48)])
def test_an_image_of_another_size_is_named_and_skipped(place, shape, tmp_path):
    """It would stop a run at the step that draws it."""
    write_people(tmp_path / "people", {"al": 20, "bea": 4})
    odd = sorted((tmp_path / "people" / "al").iterdir())[place]
    PIL.Image.new("RGB", shape[::-1]).save(odd)
    out = tmp_path / "out"
    summary = prepare(open_source(tmp_path / "people"), out, 2)
    assert (summary.images, summary.skipped) == (23, 1)
    expected = f"of {shape[1]}×{shape[0]} pixels, and most of the set are of 24×24"
    assert skipped(out)[f"al/{odd.name}"] == expected
