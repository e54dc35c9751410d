import io
import os
import subprocess
import sys
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox
from PIL import Image

from xcos_tf.errors import XcosError
from xcos_tf.explain.canvas import check_figure_path, save_figure
from xcos_tf.explain.figure import draw_verification


@pytest.fixture
def face(photos) -> np.ndarray:
    """uint8 (112, 112, 3); roughly a face, which is all a picture needs."""
    return np.asarray(Image.open(photos / "obama.jpg").convert("RGB").resize((112, 112)))


@pytest.fixture
def draw(face, random):
    """A function that draws maps (h, w) at random and gives (figure, S, W)."""

    def make(shape=(7, 7), similarity=None, weights=None, **changes):
        if similarity is None:
            similarity = random.uniform(-1, 1, shape)
        attention = weights
        if attention is None:
            attention = random.dirichlet(np.ones(similarity.size)).reshape(similarity.shape)
        values = {"score": 0.714, "threshold": 0.352, "same": True} | changes
        titles = [values.pop(f"title_{x}", x.upper()) for x in "ab"]
        result = SimpleNamespace(
            template_a=SimpleNamespace(face=face),
            template_b=SimpleNamespace(face=face),
            similarity_map=similarity,
            attention_map=attention,
            **{"attention": "", "sentence": "", "drops": None, **values},
        )
        return draw_verification(result, *titles), similarity, attention

    return make


def panels(figure):
    """Return the axes that show faces, and those that show maps."""
    faces = [axes for axes in figure.axes if axes.images]
    return faces, [axes for axes in figure.axes if axes.texts and not axes.images]


def headline(figure) -> str:
    return figure.texts[0].get_text()


def printed(axes, shape) -> np.ndarray:
    return np.array([float(t.get_text().replace("−", "-")) for t in axes.texts]).reshape(shape)


@pytest.mark.parametrize("shape", [(7, 7), (1, 1), (3, 5), (10, 6)])
def test_cells_hold_the_values_of_the_three_maps(draw, shape):
    figure, similarity, attention = draw(shape)
    _, maps = panels(figure)
    for axes, values, decimals in zip(
        maps, (similarity, attention, similarity * attention), (2, 3, 3), strict=True
    ):
        np.testing.assert_allclose(printed(axes, shape), values, atol=0.5001 * 10**-decimals)
        # Each value stands in its own cell: row 0 at the top, column 0 on the left.
        first = axes.transData.transform(axes.texts[0].get_position())
        last = axes.transData.transform(axes.texts[-1].get_position())
        assert (last[0] > first[0]) == (shape[1] > 1)
        assert (last[1] < first[1]) == (shape[0] > 1)


def test_colours_mean_what_they_should(draw):
    similarity = np.array([[1.0, -1.0], [0.0, 0.5]])
    attention = np.array([[0.6, 0.0], [0.3, 0.1]])
    figure, *_ = draw(similarity=similarity, weights=attention)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    picture = np.asarray(Image.open(buffer).convert("RGB")).astype(int)

    def colour(axes, row, column):
        """Return the colour near the corner of a cell, away from its text."""
        x, y = axes.transData.transform((56 * column + 8, 56 * row + 8))
        return picture[picture.shape[0] - round(y), round(x)]

    s, w, product = panels(figure)[1]
    for axes in (s, product):
        red, _, blue = colour(axes, 0, 0)
        assert blue > red + 50
    assert colour(s, 0, 1)[0] > colour(s, 0, 1)[2] + 50
    assert np.ptp(colour(s, 1, 0)) < 5 and colour(s, 1, 0).min() > 230
    # No weight, nothing to colour; the most weight, the darkest.
    assert colour(w, 0, 1).min() > 240 and colour(product, 0, 1).min() > 230
    assert colour(w, 0, 0).sum() < colour(w, 1, 0).sum() < colour(w, 1, 1).sum()


def test_every_text_can_be_read_on_its_cell(draw):
    figure, *_ = draw(similarity=np.linspace(-1, 1, 49).reshape(7, 7))
    for axes in panels(figure)[1]:
        mesh = axes.collections[0]
        for text, background in zip(
            axes.texts, mesh.to_rgba(mesh.get_array().ravel()), strict=True
        ):
            light = [
                np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
                @ [0.2126, 0.7152, 0.0722]
                for c in (background[:3], np.array(matplotlib.colors.to_rgb(text.get_color())))
            ]
            # Contrast as by WCAG 2.
            assert (max(light) + 0.05) / (min(light) + 0.05) > 3.9


def test_each_map_has_a_colour_bar_and_faces_have_the_grid(draw, face):
    figure, *_ = draw((3, 5), title_a="one.jpg", title_b="two.jpg")
    faces, maps = panels(figure)
    assert [axes.get_title(loc="left") for axes in faces] == ["one.jpg", "two.jpg"]
    assert all(len(axes.lines) == 2 + 4 for axes in faces)
    np.testing.assert_array_equal(faces[0].images[0].get_array(), face)
    assert len(maps) == 3 and all(len(axes.child_axes) == 1 for axes in maps)
    assert maps[0].child_axes[0].get_ylim() == (-1, 1)
    assert maps[1].child_axes[0].get_ylim()[0] == 0
    low, high = maps[2].child_axes[0].get_ylim()
    assert low == -high


@pytest.mark.parametrize(
    ("score", "threshold", "same", "text"),
    [
        (0.714, 0.352, True, "Same person · xCos 0.71 ≥ 0.35 threshold"),
        (-0.2, 0.352, False, "Different people · xCos −0.20 < 0.35 threshold"),
        (0.3519, 0.3521, False, "Different people · xCos 0.3519 < 0.3521 threshold"),
        (0.35, 0.35, True, "Same person · xCos 0.35 ≥ 0.35 threshold"),
        (-0.001, -1.0, True, "Same person · xCos 0.00 ≥ −1.00 threshold"),
    ],
)
def test_the_headline_tells_the_verdict(draw, score, threshold, same, text):
    figure, *_ = draw(score=score, threshold=threshold, same=same)
    assert headline(figure) == text


def test_texts_neither_overlap_nor_leave_the_picture(draw):
    figure, *_ = draw(
        title_a="W" * 300,
        title_b="long_name_" * 20 + ".jpg",
        attention="correlated",
        sentence="most alike: between the brows, right mouth corner; " * 40,
        score=-0.3519,
        threshold=-0.3521,
        same=False,
    )
    renderer = FigureCanvasAgg(figure).get_renderer()
    texts = list(figure.texts)
    for axes in figure.axes:
        texts += [axes._left_title, *axes.get_yticklabels()]
    boxes = []
    for text in filter(lambda text: text.get_text(), texts):
        box, clip = text.get_window_extent(renderer), text.get_clip_box()
        boxes.append(Bbox.intersection(box, clip) if text.get_clip_on() and clip else box)
    squares = [axes.get_window_extent(renderer) for axes in figure.axes]
    for i, box in enumerate(boxes):
        assert box.x0 >= 0 and box.y0 >= 0
        assert box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
        for other in boxes[i + 1 :] + squares:
            assert not box.shrunk(0.98, 0.98).overlaps(other)


def test_the_numbers_stay_within_their_cells(draw):
    figure, *_ = draw(similarity=np.full((7, 7), -0.88))
    renderer = FigureCanvasAgg(figure).get_renderer()
    for axes in panels(figure)[1]:
        cell = axes.get_window_extent(renderer).width / 7
        assert all(text.get_window_extent(renderer).width < cell for text in axes.texts)


def test_a_fine_grid_is_drawn_without_numbers(draw):
    figure, *_ = draw((56, 56))
    assert panels(figure)[1] == [] and len(figure.axes) == 5


@pytest.mark.parametrize(
    "maps",
    [
        {"similarity": np.zeros((7, 7)), "weights": np.zeros((7, 7))},
        {"similarity": np.ones((7, 7)), "weights": np.full((7, 7), 1 / 49)},
        {"similarity": -np.ones((2, 2)), "weights": np.array([[-0.2, 0.6], [0.3, 0.3]])},
    ],
)
def test_even_and_negative_maps_are_drawn(draw, tmp_path, maps):
    figure, *_ = draw(**maps)
    save_figure(figure, tmp_path / "x.png")


@pytest.mark.parametrize(
    ("name", "start"), [("x.png", b"\x89PNG"), ("x.PNG", b"\x89PNG"), ("x.pdf", b"%PDF")]
)
def test_the_file_is_what_its_name_says(draw, tmp_path, name, start):
    figure, *_ = draw(sentence="most alike: chin")
    save_figure(figure, tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)
    assert os.listdir(tmp_path) == [name]
    if start != b"%PDF":
        picture = Image.open(tmp_path / name)
        assert picture.size == (1640, 1080)
        pixels = np.asarray(picture.convert("RGB"))
        assert (pixels[0] == 255).all() and len(np.unique(pixels @ [65536, 256, 1])) > 1000


def test_an_svg_is_written_and_twice_the_same(draw, tmp_path):
    figure, *_ = draw()
    for name in ("a.svg", "b.svg"):
        save_figure(figure, tmp_path / name)
    first, second = ((tmp_path / name).read_bytes() for name in ("a.svg", "b.svg"))
    assert b"<svg" in first and first == second


@pytest.mark.parametrize("title", ["$x^2$ & \\frac{", "名前\n.jpg", "caf\udce9.jpg", "a\tb", ""])
def test_any_file_name_can_be_a_title(draw, tmp_path, title, recwarn):
    figure, *_ = draw(title_a=title)
    save_figure(figure, tmp_path / "x.png")
    assert not [w for w in recwarn if "Glyph" in str(w.message)]


@pytest.mark.parametrize("name", ["x.gif", "x", "png", "x.png.txt"])
def test_other_formats_are_refused(draw, tmp_path, name):
    with pytest.raises(XcosError, match=r"end its name in \.png, \.pdf or \.svg"):
        check_figure_path(tmp_path / name)
    with pytest.raises(XcosError, match="end its name in"):
        save_figure(draw()[0], tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_places_that_cannot_be_written_to_are_refused(draw, tmp_path, monkeypatch):
    figure, *_ = draw((1, 1))
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").touch()
    for place, words in (
        ("nowhere/x.png", "there is no folder"),
        ("file/x.png", "there is no folder"),
        ("folder.png", "which is a folder"),
        ("x" * 300 + ".png", "cannot be written"),
    ):
        with pytest.raises(XcosError, match=words):
            save_figure(figure, tmp_path / place)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(XcosError, match="may not be written to"):
        check_figure_path(tmp_path / "x.png")
    assert sorted(os.listdir(tmp_path)) == ["file", "folder.png"]


def test_a_failure_leaves_the_old_picture_and_nothing_else(draw, tmp_path, monkeypatch):
    figure, *_ = draw((1, 1))
    path = tmp_path / "x.png"
    path.write_bytes(b"old")

    def full(stream, **_):
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figure, "savefig", full)
    with pytest.raises(XcosError, match="No space left on device"):
        save_figure(figure, path)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["x.png"]


def test_matplotlibs_settings_are_left_alone(draw, tmp_path):
    before = dict(matplotlib.rcParams)
    save_figure(draw()[0], tmp_path / "x.svg")
    assert dict(matplotlib.rcParams) == before


def test_neither_pyplot_nor_tensorflow_is_imported():
    code = (
        "import sys, xcos_tf.explain.figure, xcos_tf.metrics.rates, xcos_tf.evaluation.pairs\n"
        "sys.exit(' '.join({'matplotlib.pyplot', 'tensorflow'} & sys.modules.keys()) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_drops_are_drawn_over_both_faces_on_one_scale(draw):
    drops = np.zeros((2, 7, 7))
    drops[0, 0, 0], drops[1, 6, 6] = 0.1, -0.2
    plain, with_drops = draw()[0], draw(drops=tuple(drops))[0]
    assert with_drops.get_figheight() > plain.get_figheight()
    faces, maps = panels(with_drops)
    assert len(faces) == 4 and len(maps) == 3
    for axes, values in zip(faces[2:], drops, strict=True):
        np.testing.assert_allclose(axes.images[1].get_array(), values / 0.2)
        assert axes.child_axes[0].get_ylim() == pytest.approx((-0.2, 0.2))
        assert axes.get_title(loc="left").endswith(": a cell covered")
    assert "Cells do not add up to xCos." in with_drops.texts[-1].get_text()
