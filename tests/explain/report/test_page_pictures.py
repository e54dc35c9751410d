import matplotlib
import numpy as np

from xcos_tf.explain.panels import map_panels
from xcos_tf.explain.regions import region_map
from xcos_tf.explain.report.page import cells, scales


def test_each_cell_has_the_colour_and_the_value_of_its_place(random):
    similarity = random.uniform(-1, 1, (7, 7))
    attention = random.dirichlet(np.ones(49)).reshape(7, 7)
    parts = region_map(7, 7)
    most = max(attention.max(), 2 / 49)
    expected = (
        (similarity, lambda value: (value + 1) / 2, "RdBu", 2),
        (attention, lambda value: value / most, "Purples", 3),
    )
    panels = map_panels(similarity, attention)[:2]
    for panel, (values, scaled, colours, decimals) in zip(panels, expected, strict=True):
        drawn = list(cells(panel))
        assert len(drawn) == len({(x, y) for x, y, _, _ in drawn}) == 49
        for x, y, colour, text in drawn:
            value = values[y, x]
            name, number = text.split(": ")
            assert name == parts[y, x]
            assert abs(float(number.replace("−", "-")) - value) <= 0.5001 * 10**-decimals
            assert colour == matplotlib.colors.to_hex(matplotlib.colormaps[colours](scaled(value)))


def test_alike_is_blue_and_unlike_is_red():
    panel = map_panels(np.array([[1.0, -1.0]]), np.array([[0.5, 0.5]]))[0]
    alike, unlike = (matplotlib.colors.to_rgb(colour) for _, _, colour, _ in cells(panel))
    assert alike[2] > alike[0] and unlike[0] > unlike[2]


def test_scales_run_from_low_to_high():
    of_s, of_w = scales()["S"], scales()["W"]
    assert of_s.startswith("linear-gradient(to right, #67001f,") and of_s.endswith("#053061)")
    assert of_w.startswith("linear-gradient(to right, #fcfbfd,") and of_w.endswith("#3f007d)")
