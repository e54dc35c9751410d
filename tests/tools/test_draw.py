from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools.draw import main, named_cells, training
from xcos_tf.explain.regions import region_map

OBAMA = Path(__file__).parents[1] / "photos/obama.jpg"

METRICS = """step,teacher/eer,patched/eer,patched/rmse,learned/eer,learned/rmse
500,0.03,0.08,0.12,0.06,0.09
1000,0.03,0.07,0.11,0.05,0.08
"""


@pytest.fixture
def run(tmp_path):
    path = tmp_path / "first" / "metrics.csv"
    path.parent.mkdir()
    path.write_text(METRICS)
    return path


def test_lines_show_the_file(run):
    eer, rmse = training([run]).axes
    lines = {line.get_label(): line.get_xydata().tolist() for line in eer.get_lines()}
    assert lines["L"] == [[500, 0.06], [1000, 0.05]]
    assert set(lines) == {"teacher's cosine", "U", "L"}
    assert {line.get_label() for line in rmse.get_lines()} == {"U", "L"}


def test_a_cell_that_is_empty_leaves_a_gap(run):
    run.write_text("step,patched/eer,learned/rmse\n500,,0.5\n1000,0.25,0.5\n")
    eer, _ = training([run]).axes
    ((first, second),) = (line.get_xydata().tolist() for line in eer.get_lines())
    assert np.isnan(first[1]) and second == [1000, 0.25]


def test_a_picture_is_written(run, tmp_path):
    out = tmp_path / "curves.png"
    assert main(["training", str(run), "--out", str(out)]) == 0
    assert np.asarray(Image.open(out).convert("L")).std() > 5


@pytest.mark.parametrize("content", [None, "", "step\n", "step,a\n1,x\n", "step,a\n1,2\n"])
def test_what_is_no_metrics_file_is_refused(content, tmp_path, capsys):
    path = tmp_path / "metrics.csv"
    if content is not None:
        path.write_text(content)
    assert main(["training", str(path), "--out", str(tmp_path / "curves.png")]) == 2
    assert "give a run's metrics.csv" in capsys.readouterr().err
    assert not (tmp_path / "curves.png").exists()


def test_each_cell_holds_its_name(random):
    [axes] = named_cells(random.integers(0, 256, (112, 112, 3), np.uint8)).axes
    written = np.full((7, 7), "", object)
    for text in axes.texts:
        x, y = text.get_position()
        written[int(y // 16), int(x // 16)] = " ".join(text.get_text().split())
    np.testing.assert_array_equal(written, region_map(7, 7))


def test_regions_are_a_picture_or_one_sentence(tmp_path, capsys):
    out = tmp_path / "regions.png"
    assert main(["regions", str(OBAMA), "--out", str(out)]) == 0 and out.stat().st_size > 50_000
    assert main(["regions", str(tmp_path / "none.jpg"), "--out", str(out)]) == 2
    assert "draw: error: " in capsys.readouterr().err
