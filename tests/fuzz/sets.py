"""Sets of faces: InsightFace's, MXNet's, and those that `xcos prepare` makes."""

import hashlib
import io
import json
import pickle
import shutil
import zipfile
from pathlib import Path
from unittest import mock

import numpy as np

from tests.data.records.sources import insightface_records, jpeg, pack, write_mxnet, write_people
from tests.data.records.test_bin_pickle import python_2
from tests.fuzz.engine import Reader, Trial
from tests.fuzz.mutate import mutate_bytes, mutate_json, mutate_text, odd_array, odd_value
from xcos_tf.data.face_set import join_sets
from xcos_tf.data.records.index import Progress
from xcos_tf.data.records.insightface_bin import BinSource
from xcos_tf.data.records.layout import Finished, PreparationPlan
from xcos_tf.data.records.reader import PreparedSet
from xcos_tf.data.records.source import Source
from xcos_tf.data.records.writer import open_source, prepare
from xcos_tf.evaluation.open_set import bin_set


def _check_source(source: Source) -> None:
    records = list(source.read(0, len(source)))
    assert len(records) == len(source) >= 1
    for record in records:
        assert isinstance(record.image, bytes)
        assert record.problem or source.pairs or 0 <= record.label < len(source.people)
        assert record.problem is None or record.problem.isprintable()
    if source.pairs is not None:
        ends = np.concatenate([source.pairs.first, source.pairs.second])
        assert ends.min() >= 0 and ends.max() < len(source)
    assert len(source.fingerprint) == 64


def _bins() -> list[bytes]:
    images, same = [jpeg(i, 20) for i in range(4)], [True, False]
    arrays = [np.frombuffer(x, np.uint8) for x in images]
    found = [pickle.dumps((images, same), protocol) for protocol in range(6)]
    found += [pickle.dumps((arrays, same), protocol) for protocol in (0, 2, 4, 5)]
    found.append(pickle.dumps((images, np.array(same)), 4))
    return [*found, python_2(images, same), python_2(images, same, arrays=True)]


def _bin(folder: Path) -> Trial:
    seeds, path = _bins(), folder / "set.bin"

    def read(content):
        path.write_bytes(content)
        _check_source(BinSource(path))
        if len(content) % 4 == 0:
            with mock.patch("xcos_tf.evaluation.open_set.Bar", lambda images, **_: images):
                bin_set(path)

    return Trial(
        lambda random: mutate_bytes(seeds[random.integers(len(seeds))], random, seeds), read
    )


def _mxnet(folder: Path) -> Trial:
    images = [(label, jpeg(label, 8)) for label in (0, 0, 1, 2)]
    write_mxnet(folder / "new", insightface_records(images), people=3)
    write_mxnet(folder / "old", [pack(float(label), image) for label, image in images])
    write_mxnet(folder / "several", [pack([1.0, 2.0, 3.0], image) for _, image in images])
    kinds = [
        {x.name: x.read_bytes() for x in (folder / kind).iterdir()}
        for kind in ("new", "old", "several")
    ]

    def draw(random):
        files = dict(kinds[random.integers(len(kinds))])
        names = sorted(files)
        name = names[random.integers(len(names))]
        if name.endswith(".rec"):
            files[name] = mutate_bytes(files[name], random, [x["train.rec"] for x in kinds])
        else:
            files[name] = mutate_text(files[name].decode(), random)
        if random.random() < 0.2:
            files.pop(names[random.integers(1, len(names))] if len(names) > 1 else "", None)
        return files

    def read(files):
        if "train.rec" not in files:
            return
        shutil.rmtree(folder / "set", ignore_errors=True)
        (folder / "set").mkdir()
        for name, content in files.items():
            (folder / "set" / name).write_bytes(content)
        source = open_source(folder / "set")
        assert len(source) < 2**25
        if len(source) < 10**5:
            _check_source(source)

    return Trial(draw, read)


def _npz(arrays: dict) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def odd_npz(arrays: dict, random) -> bytes:
    """Return a file of arrays, one of which is odd, or which is damaged."""
    arrays = dict(arrays)
    names = sorted(arrays)
    for _ in range(int(random.integers(1, 3))):
        name = names[random.integers(len(names))]
        if random.random() < 0.1:
            arrays.pop(name, None)
        elif name in arrays:
            arrays[name] = odd_array(arrays[name], random)
    content = _npz(arrays)
    kind = random.random()
    if kind < 0.25:
        return mutate_bytes(content, random)
    if kind < 0.35:  # within its zip archive, whose checksums are then right
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
            for name, array in arrays.items():
                inner = io.BytesIO()
                np.save(inner, array)
                file.writestr(f"{name}.npy", mutate_bytes(inner.getvalue(), random))
        return stream.getvalue()
    return content


def _check_set(folder: Path) -> None:
    records = PreparedSet(folder)
    positions = np.arange(len(records))
    assert len(records) >= 1
    assert all(isinstance(x, bytes) for x in records.read(positions))
    assert all(isinstance(x, str) for x in records.names(positions))
    pairs = records.pairs()
    if pairs is not None and len(pairs):
        assert max(pairs.first.max(), pairs.second.max()) < len(records)
    if records.people:
        assert join_sets([records]).read(positions)
    records.check_size(24)


def _prepared(folder: Path) -> Trial:
    write_people(folder / "people", {"al": 3, "bea": 2, "cy": 1})
    (folder / "lfw.bin").write_bytes(pickle.dumps(([jpeg(i) for i in range(4)], [True, False])))
    kinds = []
    for source in ("people", "lfw.bin"):
        prepare(open_source(folder / source), folder / "set", 2, jobs=1)
        kinds.append({x.name: x.read_bytes() for x in (folder / "set").iterdir()})
        shutil.rmtree(folder / "set")
    (folder / "set").mkdir()

    def draw(random):
        files = dict(kinds[random.integers(len(kinds))])
        name = sorted(files)[random.integers(len(files))]
        content, index = files[name], json.loads(files["index.json"])
        if name == "index.npz":
            with np.load(io.BytesIO(content)) as arrays:
                content = odd_npz(dict(arrays), random)
        elif name.endswith(".json"):
            content = mutate_json(json.loads(content), random)
        elif name.endswith(".csv"):
            content = mutate_text(content.decode(), random)
        else:
            content = mutate_bytes(content, random)
        files[name] = content
        # As someone would do who made it so: then the contents are looked at.
        of = {"index.npz": "index_sha256", "people.json": "people_sha256"}.get(name)
        if of and random.random() < 0.9:
            index[of] = hashlib.sha256(content).hexdigest()
            if name == "people.json" and random.random() < 0.5:
                try:
                    index["people"] = len(json.loads(content))
                except (ValueError, TypeError, RecursionError):
                    index["people"] = odd_value(random)
            files["index.json"] = json.dumps(index).encode()
        if random.random() < 0.03:
            del files[name]
        return files

    def read(files):
        for path in (folder / "set").iterdir():
            path.unlink()
        for name, content in files.items():
            (folder / "set" / name).write_bytes(content)
        _check_set(folder / "set")

    return Trial(draw, read)


def _unfinished(folder: Path) -> Trial:
    plan = PreparationPlan(kind="folder", name="people", fingerprint="ab" * 32, records=7, shards=2)
    out = folder / "out"
    progress = Progress(out, plan)
    shard = np.arange(3, dtype=np.int32)
    for number in range(2):
        progress.part(number).write_bytes(b"abc")
        known = Finished(bytes=3, sha256="0" * 64, skipped=[["a/b.jpg", "empty"]] * number)
        arrays = {"labels": shard, "lengths": shard + 1, "positions": shard.astype(np.int64)}
        progress.finish(number, known, arrays)
    files = {x.name: x.read_bytes() for x in (out / ".progress").iterdir()}

    def draw(random):
        name = ("plan.json", "00000.json", "00001.json", "00001.npz")[random.integers(4)]
        if name.endswith(".json"):
            return name, mutate_json(json.loads(files[name]), random)
        with np.load(io.BytesIO(files[name])) as arrays:
            return name, odd_npz(dict(arrays), random)

    def read(given):
        name, content = given
        for other, right in files.items():
            (out / ".progress" / other).write_bytes(content if other == name else right)
        progress = Progress(out, plan)
        for number in range(2):
            found = progress.read(number)
            if found is not None:
                known, arrays = found
                start, stop = plan.range(number)
                count = stop - start - len(known.skipped)
                assert [len(array) for array in arrays.values()] == [count] * 3
                assert all(isinstance(x, str) for entry in known.skipped for x in entry)

    return Trial(draw, read)


READERS = (
    Reader("InsightFace's .bin", _bin, 2),
    Reader("MXNet's .rec, .idx, property", _mxnet, 2),
    Reader("prepared sets", _prepared, 2),
    Reader("unfinished prepared sets", _unfinished, 0.5),
)
