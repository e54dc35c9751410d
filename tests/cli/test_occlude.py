"""`xcos occlude`, through its command line."""

import re
import signal
import subprocess
import sys
import time

import pytest

from tests.covering import contents, write_faces
from xcos_tf.cli.main import main
from xcos_tf.data.occlusion import WORN

NAMES = [f"{person}/{i}.png" for person in ("Ann", "Bob") for i in range(3)]
PAIRS = "first,second,same\nAnn/0.png,Ann/1.png,1\nAnn/2.png,Bob/0.png,0\n"


@pytest.fixture
def faces(tmp_path):
    write_faces(tmp_path / "faces", NAMES)
    (tmp_path / "pairs.csv").write_text(PAIRS)
    return tmp_path / "faces"


def test_a_whole_folder(faces, tmp_path, capsys):
    (faces / "text.png").write_text("no photo")
    out = tmp_path / "out"
    assert main(["occlude", str(faces), str(out), "--share", "0.3"]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"6 covered, 0 already done, 1 failed\nreasons: {out}/failures.csv\n"
    assert "7/7" in printed.err
    assert contents(out).keys() == {*NAMES, "failures.csv", "occlusion.json"}
    assert main(["occlude", str(faces), str(out), "--share", "0.3"]) == 0
    assert capsys.readouterr().out.startswith("0 covered, 6 already done, 1 failed\n")


def test_pairs(faces, tmp_path, capsys):
    out = tmp_path / "out"
    options = ["--wear", "sunglasses", "--pairs", str(tmp_path / "pairs.csv"), "--seed", "4"]
    assert main(["occlude", str(faces), str(out), *options]) == 0
    printed = capsys.readouterr().out
    assert printed == f"2 covered, 0 already done, 0 failed\npairs: {out}/pairs.csv\n"
    lines = (out / "pairs.csv").read_text().splitlines()
    assert lines[0] == "first,second,same,fold" and len(lines) == 3
    assert all(line.count("covered/") == line.count("faces/") == 1 for line in lines[1:])


def test_killed_and_started_again(tmp_path):
    names = [f"{i}.png" for i in range(150)]
    write_faces(tmp_path / "faces", names)
    command = [sys.executable, "-m", "xcos_tf.cli.main", "occlude", tmp_path / "faces"]
    out = tmp_path / "out"
    process = subprocess.Popen(
        [*command, out, "--share", "0.5"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    limit = time.monotonic() + 120
    while process.poll() is None and not list(out.glob("*.png")) and time.monotonic() < limit:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    first = {path: path.stat().st_mtime_ns for path in out.glob("*.png")}
    assert 0 < len(first) < len(names)
    for folder in (out, tmp_path / "whole"):
        assert main(["occlude", str(tmp_path / "faces"), str(folder), "--share", "0.5"]) == 0
    assert all(path.stat().st_mtime_ns == at for path, at in first.items())
    there = {name: x for name, x in contents(out).items() if not name.endswith(".part")}
    assert there == contents(tmp_path / "whole")


def test_ctrl_c(faces, tmp_path, monkeypatch, capsys):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("xcos_tf.data.occlude_folder.write_face", interrupt)
    assert main(["occlude", str(faces), str(tmp_path / "out"), "--share", "0.3"]) == 130
    assert "the same command goes on from here" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["FACES", "OUT", "--share", "0"], "a share of 0.0 cannot be covered"),
        (["FACES", "OUT", "--share", "30"], "a share of 30.0 cannot be covered"),
        (["FACES", "OUT", "--wear", "hat"], "there is no 'hat' to wear"),
        (["FACES", "OUT", "--share", "0.3", "--seed", "-1"], "the seed -1 is under 0"),
        (["FACES", "FACES/out", "--share", "0.3"], "one within the other"),
        (["nowhere", "OUT", "--share", "0.3"], "there is no folder nowhere"),
        (["FACES", "OUT", "--share", "0.3", "--pairs", "no.csv"], "there is no list of pairs"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(faces, tmp_path, capsys, options, sentence):
    out = tmp_path / "out"
    options = [o.replace("FACES", str(faces)).replace("OUT", str(out)) for o in options]
    assert main(["occlude", *options]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert captured.err.startswith("xcos occlude: error: ")
    assert sentence in captured.err
    assert not out.exists()


@pytest.mark.parametrize("options", [[], ["--share", "0.3", "--wear", "scarf"]])
def test_one_cover_must_be_chosen(faces, tmp_path, capsys, options):
    with pytest.raises(SystemExit) as stop:
        main(["occlude", str(faces), str(tmp_path / "out"), *options])
    assert stop.value.code == 2
    assert "--share" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_help_names_every_shape(capsys):
    with pytest.raises(SystemExit):
        main(["occlude", "--help"])
    text = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert all(worn in text for worn in WORN)
