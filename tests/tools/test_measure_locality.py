import numpy as np
import pytest
from PIL import Image
from tensorflow import keras

from tests.verifying import untrained_preset
from tools.measure_locality import locality, main, measure


def test_shares_by_hand():
    energies = np.zeros((9, 6, 6))
    energies[:, 0, 0] = 1  # all cells look at the first one's corner
    assert locality(energies, (3, 3)) == (pytest.approx(1 / 9), pytest.approx(4 / 9))
    even = np.full((9, 6, 6), 1 / 36)
    near = (4 * 4 + 4 * 6 + 9) / 9 / 9  # corners, edges and the middle have 4, 6 and 9 near
    assert locality(even, (3, 3)) == (pytest.approx(1 / 9), pytest.approx(near))


@pytest.mark.parametrize("reach, inside", [(16, 1), (48, ((5 / 3 + 2 / 2) / 7) ** 2)])
def test_a_cell_that_sees_so_far_is_found_to(random, reach, inside):
    image = keras.Input((112, 112, 3))
    padded = keras.layers.ZeroPadding2D((reach - 16) // 2)(image)
    seen = keras.layers.Conv2D(1, reach, strides=16, kernel_initializer="ones")
    faces = random.integers(0, 256, (2, 112, 112, 3), np.uint8)
    own, near, radius = measure(keras.Model(image, seen(padded)), faces)
    # Along each side, five cells see three patches and the two at the ends see two.
    assert own == pytest.approx(inside) and near == pytest.approx(1)
    assert radius == pytest.approx(reach / np.sqrt(2 * np.pi), rel=0.35)


def test_a_table_of_presets(tmp_path, capsys, random):
    for person in "abc":
        (tmp_path / "faces" / person).mkdir(parents=True)
        for photo in "xy":
            face = random.integers(0, 256, (112, 112, 3), np.uint8)
            Image.fromarray(face).save(tmp_path / "faces" / person / f"{photo}.png")
    preset = str(untrained_preset(tmp_path))
    assert main([str(tmp_path / "faces"), "--faces", "3", "--preset", preset]) == 0
    heading, _, row = capsys.readouterr().out.splitlines()
    assert heading.startswith("| preset | in the cell itself |")
    name, *shares, radius = row.strip("| ").split(" | ")
    inside, near = (float(share.removesuffix(" %")) for share in shares)
    assert name == preset and 0 < inside < near <= 100 and 0 < int(radius) < 112


def test_bad_input_is_one_sentence(tmp_path, capsys):
    assert main([str(tmp_path / "none")]) == 2
    assert "measure_locality: error: " in capsys.readouterr().err
