import numpy as np
import pytest
from matplotlib.colors import to_rgb

from tests.explain.making import check_layout, explained
from xcos_tf.explain.canvas import save_figure
from xcos_tf.explain.comparison_figure import draw_comparison
from xcos_tf.explain.methods.registry import METHODS
from xcos_tf.explain.panels import COLOURS
from xcos_tf.explain.words import explanation_sentence


@pytest.fixture
def faces(random):
    return random.integers(0, 256, (2, 112, 112, 3), np.uint8)


def texts(figure):
    return [" ".join(text.get_text().split()) for text in figure.texts]


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes]


def test_a_row_for_each_method_with_its_maps(faces):
    rows = [explained("xcos"), explained("gradcam"), explained("face-centre", per_pair=True)]
    figure = draw_comparison(*faces, rows, "one.jpg", "two.jpg")
    assert titles(figure) == [
        *("A: one.jpg", "B: two.jpg"),
        *("S: similarity", "W: weight, learned attention", "S·W: contribution"),
        *("map of A", "map of B", "one map, on A", "one map, on B"),
    ]
    first, second, *maps = figure.axes
    np.testing.assert_array_equal(first.images[0].get_array(), faces[0])
    np.testing.assert_array_equal(second.images[0].get_array(), faces[1])
    xcos = rows[0].explanation
    similarity, attention = xcos.similarity_map, xcos.attention_map
    for axes, values in zip(maps, (similarity, attention, similarity * attention), strict=False):
        np.testing.assert_allclose(axes.collections[0].get_array(), values)
    drawn = [axes.images[1].get_array() for axes in maps[3:]]
    expected = [getattr(row.explanation, name) for row in rows[1:] for name in ("map_a", "map_b")]
    np.testing.assert_array_equal(drawn, expected)
    # Panels are in columns and rows: a cell of a map is under the part of the face it is about.
    lefts, bottoms = (
        [round(getattr(x.get_position(), e), 6) for x in figure.axes] for e in ("x0", "y0")
    )
    assert lefts[:2] == lefts[2:4] == lefts[5:7] == lefts[7:9]
    assert len(set(bottoms)) == 4
    # A bar beside each map of xCos, and one beside the second face of a row.
    assert [len(axes.child_axes) for axes in figure.axes] == [0, 0, 1, 1, 1, 0, 1, 0, 1]
    assert not any(axes.texts for axes in figure.axes)


def test_each_score_has_its_verdict_and_each_method_its_cost_and_words(faces):
    rows = [
        explained("xcos", threshold=0.6),
        explained("gradcam"),
        explained("xcos-patched", threshold=None),
        explained("corrrise", seconds=13.4, forward=1004, backward=0, signed=False),
    ]
    figure = draw_comparison(*faces, rows)
    said = texts(figure)
    assert said[:3] == [
        "Different people · xCos (learned attention) 0.50 < 0.60 · an xCos preset, threshold at "
        "FMR 1e-3",
        "Same person · cosine 0.50 ≥ 0.40 · a plain preset, threshold at FMR 1e-3",
        "xCos (patched attention) 0.50 · an xCos preset, no threshold",
    ]
    assert "of an xCos preset 0.031 s 2 faces forward" in said
    assert "of a plain preset 0.25 s 4 faces forward, 2 backward" in said
    assert "of a plain preset 13 s 1,004 faces forward" in said
    for row in rows:
        title, meaning, *_ = METHODS[row.explanation.method]
        assert title in said
        if row.explanation.per_pair:
            assert explanation_sentence(row.explanation) in said
        else:
            assert any(meaning[1:] in text for text in said)


def test_a_map_of_nothing_says_so(faces):
    row = explained("gradcam", map_a=np.zeros((7, 7), np.float32), signed=False)
    assert titles(draw_comparison(*faces, [row]))[2:] == ["map of A: 0 everywhere", "map of B"]


def test_values_are_printed_on_request(faces):
    rows = [explained("xcos"), explained("tail"), explained("occlusion", map_a=np.eye(112))]
    figure = draw_comparison(*faces, rows, values=True)
    assert [len(axes.texts) for axes in figure.axes] == [0, 0, 49, 49, 49, 49, 49, 0, 49]
    shown = [float(text.get_text().replace("−", "-")) for text in figure.axes[5].texts]
    np.testing.assert_allclose(shown, rows[1].explanation.map_a.ravel(), atol=0.005001)


@pytest.mark.parametrize("name", COLOURS)
def test_maps_have_the_colours_that_were_chosen_and_are_told_of(faces, name):
    colours = COLOURS[name]
    figure = draw_comparison(*faces, [explained("xcos"), explained("tail")], colours=colours)
    used = [axes.collections[0].get_cmap().name for axes in figure.axes[2:5]]
    assert used == [colours.signed, colours.weight, colours.signed]
    strongest = figure.axes[5].images[1].to_rgba(np.array([[1.0, -1.0]]))[0, :, :3]
    np.testing.assert_allclose(strongest, [to_rgb(colours.for_same), to_rgb(colours.against)])
    [how] = [text for text in texts(figure) if "Every map lies" in text]
    assert f"{colours.name_for.capitalize()} speaks for the same person" in how
    assert f"{colours.name_against} against" in how and f"{colours.name_for} cells" in how


@pytest.mark.parametrize("values", [True, False])
def test_nothing_overlaps_with_every_method_and_long_names(faces, values):
    rows = [explained(name) for name in METHODS]
    rows += [explained("face-centre", per_pair=True), explained("xcos", threshold=-0.123456)]
    check_layout(draw_comparison(*faces, rows, "W" * 300, "long_name_" * 20 + ".jpg", values))


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_it_can_be_saved(faces, tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    save_figure(draw_comparison(*faces, [explained("xcos"), explained("tail")]), path)
    assert path.stat().st_size > 10_000
