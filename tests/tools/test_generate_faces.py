import numpy as np
import pytest
from PIL import Image

from tools import generate_faces
from tools.generate_faces import main


def pixels(folder):
    return {
        str(path.relative_to(folder)): np.asarray(Image.open(path))
        for path in sorted(folder.rglob("*.png"))
    }


def test_the_same_numbers_draw_the_same_faces(tmp_path, capsys):
    options = ["--people", "3", "--faces", "2"]
    for name, more in (("a", []), ("b", []), ("c", ["--seed", "2"])):
        assert main([str(tmp_path / "new" / name), *options, *more]) == 0
    assert "6 faces of 3 people in " in capsys.readouterr().out
    a, b, c = (pixels(tmp_path / "new" / name) for name in "abc")
    assert list(a) == [f"person-0{p}/0{f}.png" for p in range(3) for f in range(2)]
    assert all(image.shape == (112, 112, 3) and image.dtype == np.uint8 for image in a.values())
    assert all(np.array_equal(a[name], b[name]) for name in a)
    assert not any(np.array_equal(a[name], c[name]) for name in a)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a", "b", "c"]


def test_a_person_looks_more_like_themselves(tmp_path):
    assert main([str(tmp_path / "a"), "--people", "5", "--faces", "4"]) == 0
    # Within the face; what is behind it is different in each photo.
    faces = np.stack([image[36:100, 36:76] for image in pixels(tmp_path / "a").values()])
    flat = faces.reshape(20, -1).astype(float)
    distance = np.linalg.norm(flat[:, None] - flat, axis=-1)
    person = np.arange(20) // 4
    same = (person[:, None] == person) & ~np.eye(20, dtype=bool)
    assert distance[same].mean() < 0.6 * distance[person[:, None] != person].mean()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["there"], "there is there already; choose a new folder"),
        (["new", "--people", "0"], "--people 0 is under 1; give 1 or more"),
        (["new", "--seed", "-1"], "--seed -1 is under 0"),
        (["file/new"], "cannot be written"),
    ],
)
def test_what_cannot_be_is_one_sentence(tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "file").write_text("x")
    assert main(arguments) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith("generate_faces: error: ") and sentence in error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "there"]


def test_all_or_nothing(tmp_path, monkeypatch, capsys):
    draw, drawn = generate_faces.draw_face, []

    def interrupt(*args):
        drawn.append(args)
        if len(drawn) == 3:
            raise KeyboardInterrupt
        return draw(*args)

    monkeypatch.setattr(generate_faces, "draw_face", interrupt)
    assert main([str(tmp_path / "a")]) == 130
    assert "nothing was written" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
