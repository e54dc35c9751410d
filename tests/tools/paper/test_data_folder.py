from pathlib import Path

import pytest
from PIL import Image

from tools.paper import data_folder
from tools.paper.data_folder import NotThere, open_paper_set
from tools.paper.published import TABLE_2


@pytest.fixture
def opened(monkeypatch):
    """What `open_set` was asked for."""
    asked = []
    monkeypatch.setattr(data_folder, "open_set", lambda *a, **k: asked.append((a, k)))
    return asked


def photo(path: Path, side: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (side, side)).save(path)
    return path


@pytest.mark.parametrize(
    "name, reason",
    [
        ("LFW", "there is no lfw/"),
        ("YTF", "there is no ytf/"),
        ("AR", "there is no ar/"),
        ("VGG2-FP", "there is no vgg2_fp.bin"),
        ("AgeDB-30", "there is no agedb_30.bin"),
        ("CALFW", "there is no calfw.bin"),
        ("CFP-FF", "there is no cfp_ff.bin"),
        ("CFP-FP", "there is no cfp_fp.bin"),
    ],
)
def test_every_set_is_missed_by_name(name, reason, tmp_path, opened):
    with pytest.raises(NotThere, match=reason):
        open_paper_set(tmp_path, name)
    assert not opened
    assert name in {*TABLE_2, "AR"}


def test_a_list_that_is_missing_is_named(tmp_path, opened):
    photo(tmp_path / "lfw/Ann/Ann_0001.jpg", 112)
    with pytest.raises(NotThere, match=r"there is no lfw/pairs\.txt"):
        open_paper_set(tmp_path, "LFW")


@pytest.mark.parametrize("place", ["pairs.txt", "lfw/pairs.txt"])
@pytest.mark.parametrize("side, aligned", [(112, True), (250, False)])
def test_lfw(place, side, aligned, tmp_path, opened):
    photo(tmp_path / "lfw/Ann/Ann_0001.jpg", side)
    (tmp_path / place).touch()
    (tmp_path / "lfw.bin").touch()
    open_paper_set(tmp_path, "LFW")
    assert opened == [((tmp_path / "lfw", tmp_path / place), {"aligned": aligned})]


def test_bins(tmp_path, opened):
    for name in ("lfw.bin", "cfp_fp.bin"):
        (tmp_path / name).touch()
    open_paper_set(tmp_path, "LFW")
    open_paper_set(tmp_path, "CFP-FP")
    assert opened == [((tmp_path / "lfw.bin",), {}), ((tmp_path / "cfp_fp.bin",), {})]


@pytest.mark.parametrize("frames", ["frame_images_DB", "aligned_images_DB", ""])
def test_ytf(frames, tmp_path, opened):
    photo(tmp_path / "ytf" / frames / "Ann/0/0.1.jpg", 100)
    (tmp_path / "ytf/splits.txt").touch()
    open_paper_set(tmp_path, "YTF")
    assert opened == [
        ((tmp_path / "ytf" / frames, tmp_path / "ytf/splits.txt"), {"aligned": False})
    ]


def test_ar_is_drawn_from_as_in_the_paper(tmp_path, opened):
    photo(tmp_path / "ar/m-001-08.png", 300)
    open_paper_set(tmp_path, "AR")
    [((folder,), options)] = opened
    assert folder == tmp_path / "ar"
    assert options == {
        "aligned": False,
        "draw": (6000, 6000),
        "seed": 0,
        "select": ("scarf", "sunglasses"),
    }
