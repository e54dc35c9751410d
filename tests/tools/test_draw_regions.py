from pathlib import Path

import numpy as np

from tools.draw_regions import draw, main
from xcos_tf.explain.regions import region_map

OBAMA = Path(__file__).parents[1] / "photos/obama.jpg"


def test_each_cell_holds_its_name(random):
    figure = draw(random.integers(0, 256, (112, 112, 3), np.uint8))
    [axes] = figure.axes
    written = np.full((7, 7), "", object)
    for text in axes.texts:
        x, y = text.get_position()
        written[int(y // 16), int(x // 16)] = " ".join(text.get_text().split())
    np.testing.assert_array_equal(written, region_map(7, 7))


def test_a_picture_or_one_sentence(tmp_path, capsys):
    out = tmp_path / "regions.png"
    assert main([str(OBAMA), "--out", str(out)]) == 0 and out.stat().st_size > 50_000
    assert main([str(tmp_path / "none.jpg"), "--out", str(out)]) == 2
    assert "draw_regions: error: " in capsys.readouterr().err
