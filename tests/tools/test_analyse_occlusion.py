import numpy as np
import pytest
from PIL import Image

from tests.verifying import untrained_preset
from tools.analyse_occlusion import analyse, covered_cells, main, over_visible


def test_a_cell_is_covered_by_more_than_half():
    mask = np.zeros((1, 8, 8), bool)
    mask[0, 0:4, 0:2] = True  # half of the first cell of four pixels a side
    mask[0, 4:8, 4:7] = True
    assert covered_cells(mask, 2).tolist() == [[[False, False], [False, True]]]


def test_attention_over_visible_cells_sums_to_1(random):
    weights = random.dirichlet(np.ones(9), 4).reshape(4, 3, 3)
    covered = random.random((4, 3, 3)) < 0.5
    covered[3] = True  # nothing is visible: nothing better is known than the attention as it is
    kept = over_visible(weights, covered)
    np.testing.assert_allclose(kept.sum((1, 2)), 1)
    assert not kept[:3][covered[:3]].any()
    ratio = kept[0][~covered[0]] / weights[0][~covered[0]]
    np.testing.assert_allclose(ratio, ratio[0])
    np.testing.assert_array_equal(kept[3], weights[3])


def test_what_happens_in_covered_cells_is_told_from_the_rest():
    class Verifier:
        """Visible cells are 0.9 alike in genuine pairs and −0.5 in others, covered ones 0.1."""

        def explain_pairs(self, first, second, attention):
            assert attention == "learned"
            weights = np.full((len(first), 2, 2), 0.1, np.float32)
            weights[:, 0, 0] = 0.7
            return {"similarity_map": first[..., 0], "attention_map": weights}

    same = np.tile([True, False], 20)
    covered = np.zeros((40, 2, 2), bool)
    covered[:, 0, 0] = True
    similarity = np.where(covered, 0.1, np.where(same, 0.9, -0.5)[:, np.newaxis, np.newaxis])
    grids = similarity[..., np.newaxis].astype(np.float32)
    found = analyse(Verifier(), grids, grids, covered, same, np.arange(40) // 4)
    assert found["accuracy by L"] == found["accuracy by U over visible cells"] == 1
    for place, kind, value in (
        ("covered", "genuine", 0.1),
        ("covered", "impostor", 0.1),
        ("visible", "genuine", 0.9),
        ("visible", "impostor", -0.5),
    ):
        assert found[f"mean S, {place} cells, {kind} pairs"] == pytest.approx(value, abs=1e-6)
    assert found["share of cells covered"] == 0.25
    assert found["share of L's weight on them"] == pytest.approx(0.7)


def test_the_command_prints_a_column_for_each_preset(tmp_path, random, capsys):
    for person in range(6):
        folder = tmp_path / "faces" / f"person {person}"
        folder.mkdir(parents=True)
        for photo in range(5):
            pixels = random.integers(0, 256, (112, 112, 3), np.uint8)
            Image.fromarray(pixels).save(folder / f"{photo}.png")
    preset = str(untrained_preset(tmp_path))
    arguments = [str(tmp_path / "faces"), "--pairs", "20", "--preset", preset]
    assert main(arguments) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0] == f"| 50 % of one face covered | {preset} |" and len(table) == 2 + 10
    assert main([*arguments, "--share", "0"]) == 2
    assert "a share of 0.0 cannot be covered" in capsys.readouterr().err
