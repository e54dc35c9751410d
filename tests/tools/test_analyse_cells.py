import numpy as np
import pytest
from PIL import Image

from tests.verifying import untrained_preset
from tools.analyse_cells import analyse, compared, covered_cells, main, over_visible


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    return str(untrained_preset(tmp_path_factory.mktemp("preset")))


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """A folder of six people with five faces of noise each."""
    root, random = tmp_path_factory.mktemp("faces"), np.random.default_rng(0)
    for person in range(6):
        (root / f"person {person}").mkdir()
        for photo in range(5):
            pixels = random.integers(0, 256, (112, 112, 3), np.uint8)
            Image.fromarray(pixels).save(root / f"person {person}" / f"{photo}.png")
    return str(root)


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


def test_covered_has_a_column_for_each_preset(faces, preset, capsys):
    arguments = ["covered", faces, "--pairs", "20", "--preset", preset]
    assert main(arguments) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0] == f"| 50 % of one face covered | {preset} |" and len(table) == 2 + 10
    assert main([*arguments, "--share", "0"]) == 2
    assert "a share of 0.0 cannot be covered" in capsys.readouterr().err


def test_maps_that_mirror_and_maps_that_stay(random):
    maps = random.uniform(size=(3, 7, 7))
    mirrors, stays = compared(maps, maps[..., ::-1]), compared(maps, maps)
    assert mirrors[0] == stays[1] == "1.00"
    assert mirrors[1] == mirrors[2] == stays[0] == stays[2] != "1.00"
    left = np.zeros((1, 7, 7))
    left[0, 3, [1, 3, 6]] = 3, 9, 1
    assert compared(left, left)[3] == "25 %"  # the middle column is on neither side


def test_mirrored_has_a_line_for_each_map(faces, preset, capsys):
    assert main(["mirrored", faces, "--pairs", "4", "--preset", preset]) == 0
    heading, _, *rows = capsys.readouterr().out.splitlines()
    assert heading.startswith("| preset | map | with the mirrored pair's, mirrored back |")
    assert [row.split(" | ")[1] for row in rows] == ["S", "W"]


@pytest.mark.slow
def test_local_has_a_line_for_each_preset(faces, preset, capsys):
    assert main(["local", faces, "--faces", "3", "--preset", preset]) == 0
    heading, _, row = capsys.readouterr().out.splitlines()
    assert heading.startswith("| preset | in the cell itself |")
    name, *shares, radius = row.strip("| ").split(" | ")
    inside, near = (float(share.removesuffix(" %")) for share in shares)
    assert name == preset and 0 < inside < near <= 100 and 0 < int(radius) < 112


@pytest.mark.parametrize("command", ["covered", "mirrored", "local"])
def test_bad_input_is_one_sentence(command, preset, tmp_path, capsys):
    assert main([command, str(tmp_path / "none"), "--preset", preset]) == 2
    assert "analyse_cells: error: " in capsys.readouterr().err
