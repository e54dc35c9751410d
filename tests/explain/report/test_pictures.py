import matplotlib
import numpy as np

from xcos_tf.explain.regions import region_map
from xcos_tf.explain.report.pictures import draw_maps, scales


def test_each_cell_has_the_colour_and_the_value_of_its_place(random):
    similarity = random.uniform(-1, 1, (7, 7))
    attention = random.dirichlet(np.ones(49)).reshape(7, 7)
    parts = region_map(7, 7)
    drawn = draw_maps(similarity, attention)
    assert [shown.symbol for shown in drawn] == ["S", "W"]
    most = max(attention.max(), 2 / 49)
    expected = (
        (similarity, lambda value: (value + 1) / 2, "RdBu", 2),
        (attention, lambda value: value / most, "Purples", 3),
    )
    for shown, (values, scaled, colours, decimals) in zip(drawn, expected, strict=True):
        assert (shown.width, shown.height, len(shown.cells)) == (7, 7, 49)
        assert len({(cell.x, cell.y) for cell in shown.cells}) == 49
        for cell in shown.cells:
            value = values[cell.y, cell.x]
            name, number = cell.text.split(": ")
            assert name == parts[cell.y, cell.x]
            assert abs(float(number.replace("−", "-")) - value) <= 0.5001 * 10**-decimals
            colour = matplotlib.colors.to_hex(matplotlib.colormaps[colours](scaled(value)))
            assert cell.colour == colour
        low, high = (float(x.replace("−", "-")) for x in shown.extent.split(" to "))
        np.testing.assert_allclose([low, high], [values.min(), values.max()], atol=0.005)


def test_alike_is_blue_and_unlike_is_red():
    drawn, _ = draw_maps(np.array([[1.0, -1.0]]), np.array([[0.5, 0.5]]))
    alike, unlike = (matplotlib.colors.to_rgb(cell.colour) for cell in drawn.cells)
    assert alike[2] > alike[0] and unlike[0] > unlike[2]


def test_scales_run_from_low_to_high():
    of_s, of_w = scales()["S"], scales()["W"]
    assert of_s.startswith("linear-gradient(to right, #67001f,") and of_s.endswith("#053061)")
    assert of_w.startswith("linear-gradient(to right, #fcfbfd,") and of_w.endswith("#3f007d)")
