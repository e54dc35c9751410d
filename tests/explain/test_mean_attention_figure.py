import numpy as np

from tests.explain.making import check_layout
from xcos_tf.explain.mean_attention import region_shares
from xcos_tf.explain.mean_attention_figure import draw_mean_attention


def test_face_map_and_bars(random):
    maps = random.dirichlet(np.ones(49), 20).reshape(20, 7, 7)
    face = random.integers(0, 256, (112, 112, 3), np.uint8)
    shares = region_shares(maps, random.random(20) < 0.5)
    figure = draw_mean_attention(maps, face, shares, "Title", "subtitle", "learned")
    face_axes, map_axes, bars = figure.axes
    np.testing.assert_array_equal(face_axes.images[0].get_array(), face)
    assert len(face_axes.lines) == 12  # the grid
    np.testing.assert_allclose(map_axes.collections[0].get_array(), maps.mean(axis=0))
    assert map_axes.get_title(loc="left") == "W: weight, learned attention"
    assert len(map_axes.texts) == 49 and len(map_axes.child_axes) == 1
    assert [label.get_text() for label in bars.get_yticklabels()] == [x.part for x in shares]
    means = [100 * share.mean for share in shares]
    np.testing.assert_allclose([patch.get_width() for patch in bars.patches], means)
    assert bars.get_ylim()[0] > bars.get_ylim()[1]  # the first on top
    *_, even = bars.collections
    places = [segment[0, 0] for segment in even.get_segments()]
    np.testing.assert_allclose(places, [100 * share.cells for share in shares])
    assert [text.get_text() for text in figure.texts] == ["Title", "subtitle"]
    check_layout(figure)
