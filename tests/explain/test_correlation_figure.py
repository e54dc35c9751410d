import io

import numpy as np
import pytest
from PIL import Image

from xcos_tf.explain.correlation_figure import draw_correlation
from xcos_tf.explain.words import short_title


def printed(axes, shape):
    return np.array([float(t.get_text().replace("−", "-")) for t in axes.texts]).reshape(shape)


@pytest.mark.parametrize("lowest", [0.1, -0.2])
def test_cells_hold_the_values_of_both_maps(random, lowest):
    raw = random.uniform(lowest, 0.9, (7, 7))
    normalised = raw / raw.sum()
    figure = draw_correlation(raw, normalised, "a $preset$", "of something")
    left, right = [axes for axes in figure.axes if axes.texts]
    np.testing.assert_allclose(printed(left, (7, 7)), raw, atol=0.00501)
    np.testing.assert_allclose(printed(right, (7, 7)), normalised, atol=0.000501)
    assert [text.get_text() for text in figure.texts] == ["a $preset$", "of something"]
    # Zero is white, whatever the signs are.
    meshes = [axes.collections[0] for axes in (left, right)]
    for mesh in meshes:
        assert min(mesh.cmap(mesh.norm(0.0))[:3]) > 0.95
    assert meshes[1].cmap.name == ("Purples" if normalised.min() >= 0 else "RdBu")
    assert sum(len(axes.child_axes) for axes in figure.axes) == 2  # the colour bars


def test_text_and_colour_bars_lie_within_the_picture(random):
    raw = random.uniform(0.1, 0.9, (7, 7))
    name = short_title("m" * 50)
    subtitle = f"correlation with the cosine of {name}, over 100,000,000 pairs, 100 % genuine"
    figure = draw_correlation(raw, raw / raw.sum(), short_title("M" * 50, 36), subtitle)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=100)
    image = np.asarray(Image.open(stream).convert("RGB"))
    for edge in (image[:5], image[-5:], image[:, :5], image[:, -5:]):
        assert edge.min() == 255


def test_maps_that_differ_are_refused():
    with pytest.raises(ValueError, match="same shape"):
        draw_correlation(np.ones((7, 7)), np.ones((7, 6)), "x")
