import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from xcos_tf.explain.panels import BLUE, COLOURS, RED, draw_overlay, overlay_colours


@pytest.fixture
def axes():
    return Figure(figsize=(2, 2)).add_axes((0, 0, 1, 1))


@pytest.mark.parametrize("signed", [True, False])
def test_nothing_is_clear_and_the_strongest_is_dense(signed):
    colours = overlay_colours(signed)
    assert colours.to_rgba(0.0)[3] == pytest.approx(0, abs=0.01)
    values = np.linspace(0, 1, 9)
    opacity = colours.to_rgba(values)[:, 3]
    assert (np.diff(opacity) > 0).all() and 0.8 < opacity[-1] < 1
    np.testing.assert_allclose(colours.to_rgba(1.0)[:3], to_rgb(BLUE))
    if signed:
        np.testing.assert_allclose(colours.to_rgba(-1.0)[:3], to_rgb(RED))
        np.testing.assert_allclose(colours.to_rgba(-values)[:, 3], opacity, atol=0.01)
    assert colours.norm.vmin == (-1 if signed else 0)


def test_colours_can_be_chosen():
    cividis = COLOURS["cividis"]
    colours = overlay_colours(True, cividis)
    np.testing.assert_allclose(colours.to_rgba(1.0)[:3], to_rgb(cividis.for_same))
    np.testing.assert_allclose(colours.to_rgba(-1.0)[:3], to_rgb(cividis.against))


def test_the_map_lies_as_it_is_over_the_whole_face_in_grey(axes, random):
    face = random.integers(0, 256, (112, 112, 3), np.uint8)
    values = random.uniform(-1, 1, (7, 7))
    draw_overlay(axes, face, values, signed=True)
    grey, heat = axes.images
    np.testing.assert_array_equal(heat.get_array(), values)
    assert heat.get_extent() == grey.get_extent() == [0, 112, 112, 0]
    # By hand: brightness from 0 to 255 becomes 70 to 255.
    red, green, blue = face[3, 5].astype(float)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    assert grey.get_array()[3, 5] == pytest.approx(70 + luma * 185 / 255)
    assert not axes.texts


def test_values_are_printed_on_request_where_cells_are_large(axes, random):
    face = random.integers(0, 256, (112, 112, 3), np.uint8)
    draw_overlay(axes, face, np.array([[0.5, -1], [0, 0.25]]), signed=True, print_side=2)
    assert [text.get_text() for text in axes.texts] == [".50", "−1.00", ".00", ".25"]
    axes.clear()
    draw_overlay(axes, face, np.ones((112, 112)), signed=True, print_side=2)
    assert not axes.texts
