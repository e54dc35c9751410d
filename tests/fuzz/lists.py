"""Lists of pairs and other tables."""

from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
from PIL import Image

from tests.fuzz.engine import Reader, Trial
from tests.fuzz.mutate import WORDS, mutate_bytes, mutate_text
from tests.fuzz.photos import encoded_photos
from xcos_tf.data.align_folder import Journal
from xcos_tf.evaluation.open_set import open_set
from xcos_tf.evaluation.pair_lists import read_photo_pairs
from xcos_tf.evaluation.verdicts import verify_listed
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.training.monitor import MetricsTable

_LFW = "2\t1\n" + "Ann\t1\t2\nAnn\t1\tBob\t1\n" + "Bob\t1\t2\nAnn\t2\tBob\t2\n"
_OURS = (
    "first,second,same\nAnn/Ann_0001.jpg,Ann/Ann_0002.jpg,1\nAnn/Ann_0001.jpg,Bob/Bob_0001.jpg,0\n"
)
_FOLDS = (
    "first,second,same,fold\nAnn/Ann_0001.jpg,Ann/Ann_0002.jpg,1,0\n"
    "Ann/Ann_0001.jpg,Bob/Bob_0001.jpg,0,1\nBob/Bob_0001.jpg,Bob/Bob_0002.jpg,true,1\n"
    "Ann/Ann_0002.jpg,Bob/Bob_0002.jpg,false,0\n"
)
_TABLE = "name,imagenum1,imagenum2,\nAnn,1,2,\nAnn,1,Bob,1\n"
_DEEPFACE = (
    ",file_x,file_y,Decision\n0,Ann/Ann_0001.jpg,Ann/Ann_0002.jpg,Yes\n"
    "1,Ann/Ann_0001.jpg,Bob/Bob_0001.jpg,No\n"
)
_NAMED = (
    "id;one;two;truth;part\n0;Ann/Ann_0001.jpg;Ann/Ann_0002.jpg;yes;3\n"
    "1;Ann/Ann_0001.jpg;Bob/Bob_0001.jpg;0;4\n"
)
_SPLITS = (
    "split number, pair number, first name, second name, similarity, is same\n"
    "1, 1, Ann/0, Ann/1, 0.5, 1\n1, 2, Ann/0, Bob/0, 0.5, 0\n2, 1, Bob/0, Ann/1, 0.1, 0\n"
)


def _photo_folder(folder: Path) -> Path:
    photos, content = folder / "photos", encoded_photos(["JPEG"])[0]
    names = [f"{x}/{x}_000{i}.jpg" for x in ("Ann", "Bob") for i in (1, 2)]
    names += [f"{x}/{i}/0.{j}.jpg" for x, i in (("Ann", 0), ("Ann", 1), ("Bob", 0)) for j in (1, 2)]
    for name in names:
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        (photos / name).write_bytes(content)
    return photos


def _check(vset: VerificationSet) -> None:
    pairs = vset.pairs
    count = len(vset.videos) if vset.videos is not None else len(vset.photos)
    assert len(pairs) == len(pairs.first) == len(pairs.second) == len(pairs.fold) >= 2
    assert pairs.same.dtype == bool and pairs.same.any() and not pairs.same.all()
    ends = np.concatenate([pairs.first, pairs.second])
    assert ends.dtype == np.int64 and ends.min() >= 0 and ends.max() < count == len(pairs.photos)
    assert sorted(set(pairs.fold)) == list(range(pairs.fold.max() + 1))
    assert all(vset.photos.read(position).shape for position in range(len(vset.photos)))
    for text in (vset.name, *vset.notes):
        assert text.isprintable(), text


def _lists(*seeds: str, columns: tuple[str, ...] | None = None):
    def prepare(folder: Path) -> Trial:
        photos, path = _photo_folder(folder), folder / "pairs"

        def draw(random):
            text = seeds[random.integers(len(seeds))]
            if random.random() < 0.1:
                return mutate_bytes(text.encode(), random, [x.encode() for x in seeds])
            return mutate_text(text, random)

        def read(content):
            path.write_bytes(content)
            named = columns
            if columns is not None and len(content) % 5 == 0:
                named = (*columns[1:], WORDS[len(content) % len(WORDS)])
            _check(open_set(photos, path, aligned=True, columns=named))

        return Trial(draw, read)

    return prepare


def _journal(folder: Path) -> Trial:
    journal = Journal(folder / "failed.csv", "reason")
    with journal.start([("a/b.jpg", "no face"), ("c\n.jpg", 'a "reason", long')]):
        journal.add("ü.jpg", "no face")
    text = (folder / "failed.csv").read_bytes()

    def read(content):
        (folder / "failed.csv").write_bytes(content)
        rows = journal.read()
        assert all(isinstance(x, str) for pair in rows.items() for x in pair)
        with journal.start(rows.items()):
            journal.add("d", "e")
        assert journal.read() == {**rows, "d": "e"}

    return Trial(lambda random: mutate_bytes(text, random), read)


def _metrics(folder: Path) -> Trial:
    text = "step,loss,rate\r\n10,1.5,0.1\r\n20,1.25,\r\n"

    def read(content):
        (folder / "metrics.csv").write_bytes(content)
        table = MetricsTable(folder / "metrics.csv", 20)
        assert all(type(row["step"]) is int and row["step"] <= 20 for row in table.rows)
        assert all(isinstance(x, (int, float)) for row in table.rows for x in row.values())
        table.add({"step": 20, "loss": 2.0})
        assert MetricsTable(folder / "metrics.csv", 20).rows[-1]["loss"] == 2.0

    return Trial(lambda random: mutate_text(text, random), read)


def _verdicts(folder: Path) -> Trial:
    """A list of `xcos verify --pairs`, and the table that an earlier run began."""
    for name in ("a.png", "b.png"):
        Image.new("RGB", (112, 112)).save(folder / name)
    pairs = "first,second\na.png,b.png\nb.png,a.png\na.png,c.png\n"
    same = SimpleNamespace(same=True, score=0.5, sentence="decided by: nose")
    verifier = SimpleNamespace(
        config={"name": "tiny"},
        embed=lambda faces: np.zeros((len(faces), 2, 2, 4), np.float32),
        verify=lambda *_, **__: same,
    )
    given, out = folder / "list.csv", folder / "out.csv"

    def verify():
        with mock.patch("xcos_tf.evaluation.verdicts.Bar"):
            found = read_photo_pairs(given)
            return found, verify_listed(verifier, found, folder, out, "learned", 0.25, None)

    given.write_text(pairs)
    verify()
    table = out.read_bytes()

    def draw(random):
        if random.random() < 0.4:
            return mutate_text(pairs, random), b""
        long = b"x" * 200_000 * int(random.integers(20) == 0)
        return pairs.encode(), mutate_bytes(table.replace(b"nose", b"nose" + long), random)

    def read(files):
        given.write_bytes(files[0])
        out.unlink(missing_ok=True)
        if files[1]:
            out.write_bytes(files[1])
        found, rows = verify()
        assert [tuple(row[:2]) for row in rows] == found
        assert all(len(row) == 9 for row in rows)
        assert verify()[1] == rows

    return Trial(draw, read)


READERS = (
    Reader("LFW's pairs.txt", _lists(_LFW)),
    Reader("tables of pairs", _lists(_OURS, _FOLDS, _TABLE, _DEEPFACE), 1.5),
    Reader("tables with named columns", _lists(_NAMED, columns=("one", "two", "truth", "part"))),
    Reader("YouTube Faces' splits", _lists(_SPLITS)),
    Reader("journals of xcos align", _journal, 0.5),
    Reader("metrics.csv of a run", _metrics, 0.5),
    Reader("pairs and verdicts of xcos verify", _verdicts, 0.3),
)
