import pickle

import pytest

from tests.evaluation.drawn import ByColour, photo, write_photos
from xcos_tf.errors import XcosError
from xcos_tf.evaluation import aligned_faces
from xcos_tf.evaluation.open_set import open_set

LISTS = {
    "lfw": "1\t1\nAnn\t1\t2\nAnn\t1\tBob\t1\n",
    "lfw csv": "name,imagenum1,imagenum2,\nAnn,1,2,\nAnn,1,Bob,1\n",
    "csv": "first,second,same\nAnn/Ann_0001.png,Ann/Ann_0002.png,1\n"
    "Ann/Ann_0001.png,Bob/Bob_0001.png,0\n",
    "ytf": "split, pair, first, second, same\n1, 1, Ann/0, Ann/1, 1\n1, 2, Ann/0, Bob/0, 0\n",
    "ytf without headings": "1, 1, Ann/0, Ann/1, 1\n1, 2, Ann/0, Bob/0, 0\n",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Photos as LFW has them, and frames of videos."""
    monkeypatch.setattr(aligned_faces, "FaceAligner", ByColour)
    names = [f"{name}/{name}_000{i}.png" for name in ("Ann", "Bob") for i in (1, 2)]
    names += [f"{name}/{i}/{i}.{j}.png" for name in ("Ann", "Bob") for i in (0, 1) for j in (0, 1)]
    photos = {name: photo(i) for i, name in enumerate(names)}
    return write_photos(tmp_path / "faces", photos)


@pytest.fixture
def write(tmp_path):
    def write(kind: str):
        (tmp_path / "list").write_text(LISTS.get(kind, kind), encoding="utf-8")
        return tmp_path / "list"

    return write


@pytest.fixture
def packed(tmp_path):
    content = [photo(i) for i in range(8)], [True, False] * 2
    (tmp_path / "lfw.bin").write_bytes(pickle.dumps(content))
    return tmp_path / "lfw.bin"


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("aligned", [False, True])
def test_the_list_tells_the_reader(folder, write, kind, aligned):
    vset = open_set(folder, write(kind), aligned=aligned)
    assert (vset.videos is not None) == kind.startswith("ytf")
    assert vset.aligned == (aligned or kind.startswith("ytf"))
    assert len(vset.pairs) == 2


def test_a_bin_file(packed):
    for aligned in (False, True):
        vset = open_set(packed, aligned=aligned)
        assert vset.name == "lfw.bin" and vset.aligned and len(vset.photos) == 8


def test_people(folder):
    vset = open_set(folder, draw=(3, 4), seed=5, select=["0", "1"])
    assert len(vset.pairs) == 7 and "seed 5" in vset.notes[0] and vset.aligned
    assert all("_" not in name for name in vset.photos.names)
    assert open_set(folder, draw=(3, 4), aligned=True).fingerprint != vset.fingerprint


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "is a folder; give a list of pairs of its photos too, or say how many"),
        ({"pairs": "list", "draw": (1, 1)}, "either a list of pairs or numbers of pairs to draw"),
        ({"pairs": "list", "select": ["scarf"]}, "tags select photos to draw pairs of"),
        ({"select": ["scarf"]}, "tags select photos to draw pairs of"),
    ],
)
def test_a_folder_with_what_makes_no_sense(folder, options, sentence):
    with pytest.raises(XcosError, match=sentence):
        open_set(folder, **options)


@pytest.mark.parametrize("options", [{"pairs": "x"}, {"draw": (1, 1)}, {"select": ["scarf"]}])
def test_a_bin_file_with_what_makes_no_sense(packed, options):
    with pytest.raises(XcosError, match=r"lfw\.bin holds its own pairs; leave out"):
        open_set(packed, **options)


def test_other_paths_are_refused(folder, write, tmp_path):
    with pytest.raises(XcosError, match=r"there is no .*nowhere"):
        open_set(tmp_path / "nowhere")
    with pytest.raises(XcosError, match=r"list is neither a folder nor a \.bin file"):
        open_set(write("lfw"), folder)
    with pytest.raises(XcosError, match="begins none of the lists"):
        open_set(folder, write("Ann/1.png Bob/1.png 0\n" * 2))
    with pytest.raises(XcosError, match="holds no pairs"):
        open_set(folder, write(""))
    with pytest.raises(XcosError, match="cannot be read as a list"):
        open_set(folder, folder / "Ann/Ann_0001.png")
