import numpy as np
import pytest
from PIL import Image

from tools.plot_training import draw, main, read_metrics

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
    figure = draw({"first": read_metrics(run)})
    eer, rmse = figure.axes
    lines = {line.get_label(): line.get_xydata().tolist() for line in eer.get_lines()}
    assert lines["L"] == [[500, 0.06], [1000, 0.05]]
    assert set(lines) == {"teacher's cosine", "U", "L"}
    assert {line.get_label() for line in rmse.get_lines()} == {"U", "L"}


def test_a_cell_that_is_empty_leaves_a_gap(run):
    run.write_text("step,patched/eer,learned/rmse\n500,,0.5\n1000,0.25,0.5\n")
    columns = read_metrics(run)
    assert np.isnan(columns["patched/eer"][0]) and columns["patched/eer"][1] == 0.25
    eer, _ = draw({"first": columns}).axes
    assert [len(line.get_xydata()) for line in eer.get_lines()] == [2]


def test_a_picture_is_written(run, tmp_path):
    out = tmp_path / "curves.png"
    assert main([str(run), "--out", str(out)]) == 0
    assert np.asarray(Image.open(out).convert("L")).std() > 5


@pytest.mark.parametrize("content", [None, "", "step\n", "step,a\n1,x\n", "step,a\n1,2\n"])
def test_what_is_no_metrics_file_is_refused(content, tmp_path, capsys):
    path = tmp_path / "metrics.csv"
    if content is not None:
        path.write_text(content)
    assert main([str(path), "--out", str(tmp_path / "curves.png")]) == 2
    assert "give a run's metrics.csv" in capsys.readouterr().err
    assert not (tmp_path / "curves.png").exists()
