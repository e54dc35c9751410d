import re

from tests.data.records.sources import write_people
from tools import generate_faces
from tools.benchmark_input import main
from xcos_tf.data.records.detect import open_source
from xcos_tf.data.records.writer import prepare


def test_ratios_are_printed(tmp_path, capsys):
    generate_faces.generate(tmp_path / "faces", people=32, faces=4, seed=0)
    prepare(open_source(tmp_path / "faces"), tmp_path / "set", 2)
    assert main([str(tmp_path / "set"), "--batches", "4", "--rounds", "2"]) == 0
    out = capsys.readouterr().out
    found = re.findall(r"(\w[^\n]*?)  +(\d+) \((\d+) to (\d+)\) +([\d.]+)\n", out)
    assert [label[:14] for label, *_ in found] == ["decoding alone"] + ["training input"] * 2
    for _, median, lowest, highest, _ in found:
        assert 0 < int(lowest) <= int(median) <= int(highest)
    ratios = [float(ratio) for *_, ratio in found]
    assert ratios[0] == 1 and ratios[1] > 0.2 and 0 < ratios[2] < ratios[1] * 1.2


def test_what_cannot_be_used_is_one_sentence(tmp_path, capsys):
    assert main([str(tmp_path / "none")]) == 2
    assert "is no prepared set" in capsys.readouterr().err
    write_people(tmp_path / "photos", {"al": 2, "bea": 3})
    prepare(open_source(tmp_path / "photos"), tmp_path / "few", 1)
    assert main([str(tmp_path / "few")]) == 2
    assert "2 people; give 32 or more" in capsys.readouterr().err
