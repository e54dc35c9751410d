import numpy as np
from PIL import Image

from tests.verifying import untrained_preset
from tools.measure_mirroring import compared, main


def test_maps_that_mirror_and_maps_that_stay(random):
    maps = random.uniform(size=(3, 7, 7))
    mirrors, stays = compared(maps, maps[..., ::-1]), compared(maps, maps)
    assert mirrors[0] == stays[1] == "1.00"
    assert mirrors[1] == mirrors[2] == stays[0] == stays[2] != "1.00"
    left = np.zeros((1, 7, 7))
    left[0, 3, [1, 3, 6]] = 3, 9, 1
    assert compared(left, left)[3] == "25 %"  # the middle column is on neither side


def test_a_table_of_presets(tmp_path, capsys, random):
    for person in "abc":
        (tmp_path / "faces" / person).mkdir(parents=True)
        for photo in "xy":
            face = random.integers(0, 256, (112, 112, 3), np.uint8)
            Image.fromarray(face).save(tmp_path / "faces" / person / f"{photo}.png")
    preset = str(untrained_preset(tmp_path))
    assert main([str(tmp_path / "faces"), "--pairs", "4", "--preset", preset]) == 0
    heading, _, *rows = capsys.readouterr().out.splitlines()
    assert heading.startswith("| preset | map | with the mirrored pair's, mirrored back |")
    assert [row.split(" | ")[1] for row in rows] == ["S", "W"]
    assert main([str(tmp_path / "none")]) == 2
    assert "measure_mirroring: error: " in capsys.readouterr().err
