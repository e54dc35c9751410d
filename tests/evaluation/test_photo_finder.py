import pytest

from xcos_tf.evaluation.pair_lists import read_lfw_pairs, read_pairs_csv
from xcos_tf.evaluation.photo_finder import PhotoFinder

SUFFIXES = [
    *(".jpg", ".JPG", ".Jpg", ".jpeg", ".JPEG", ".png", ".PNG", ".webp", ".WEBP", ".tif", ".heic"),
    *(".webp.png", ".WEBP.png", ".bmp.png", ".tiff.png"),
]


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_names_as_cameras_and_align_write_them(tmp_path, suffix):
    names = [f"{x}/{x}_000{i}{suffix}" for x in ("Obama", "St._John") for i in (1, 2)]
    for name in names:
        touch(tmp_path / "photos" / name)
    (tmp_path / "pairs.txt").write_text(
        "1\t2\nObama 1 2\nSt._John 1 2\nObama 1 St._John 1\nObama 2 St._John 2\n"
    )
    assert read_lfw_pairs(tmp_path / "pairs.txt", tmp_path / "photos").photos == names


@pytest.mark.parametrize(
    "listed, stored",
    [
        ("a/1.jpg", "a/1.jpg"),
        ("a/1.jpg", "a/1.JPG"),
        ("a/1.JPG", "a/1.jpg"),
        ("a/1.webp", "a/1.webp.png"),
        ("a/1.WEBP", "a/1.webp.png"),
        ("a/1.webp.png", "a/1.webp.png"),
    ],
)
def test_tables_of_paths(tmp_path, listed, stored):
    for name in (stored, "b/2.png", "b/3.png"):
        touch(tmp_path / "photos" / name)
    (tmp_path / "list.csv").write_text(
        f"first,second,same\n{listed},b/2.png,0\nb/2.png,b/3.png,1\n"
    )
    pairs, _ = read_pairs_csv(tmp_path / "list.csv", tmp_path / "photos")
    assert pairs.photos[0] == stored


def test_what_is_written_as_listed_comes_first(tmp_path):
    for name in ("x.png", "x.JPG", "x.jpg", "x.webp", "y.PNG", "y.webp.png", "folder.jpg/z.png"):
        touch(tmp_path / name)
    finder = PhotoFinder(tmp_path)
    assert finder.by_stem("x") == "x.jpg"
    assert finder.by_stem("y") == "y.webp.png"
    assert finder.by_name("x.JPG") == "x.JPG"
    assert finder.by_name("x.Jpg") == "x.jpg"
    for nothing in ("folder", "z", "nowhere/x"):
        assert finder.by_stem(nothing) is None
    assert finder.by_name("folder.JPG") is None and finder.by_name("x.jpe") is None
