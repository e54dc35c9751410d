"""Every door by which a file of a user comes in refuses a pipe at once, and waits for nobody."""

import os
import signal
from pathlib import Path

import pytest

from tests.cli.every_command import INVOCATIONS, make_places
from xcos_tf.arrays import read_npz
from xcos_tf.cli.main import main
from xcos_tf.cli.unlock_steps import read_passphrase
from xcos_tf.data.align_folder import Journal
from xcos_tf.data.occlusion import Occluder
from xcos_tf.data.photo import read_photo
from xcos_tf.data.records.insightface_bin import load_bin
from xcos_tf.data.records.mxnet import MxnetSource
from xcos_tf.data.records.reader import PreparedSet
from xcos_tf.data.records.writer import open_source
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.occluded import occlude_pairs
from xcos_tf.evaluation.open_set import open_set
from xcos_tf.evaluation.people_set import read_ar_photo
from xcos_tf.evaluation.templates import open_templates
from xcos_tf.export.models_config import read_models
from xcos_tf.files import NotRegularError, file_sha256, open_regular, read_json
from xcos_tf.models.conversion import is_tflite, read_mobilefacenet, read_state_dict
from xcos_tf.models.presets import load_preset
from xcos_tf.serving.address import Certificates
from xcos_tf.training.checkpoints import take_weights
from xcos_tf.training.config_reader import read_config
from xcos_tf.training.monitor import MetricsTable
from xcos_tf.training.record import changes


@pytest.fixture(autouse=True)
def impatient():
    """Fail where something waits for the other end of a pipe."""

    def fail(number, frame):
        pytest.fail("waits for a pipe")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, 20)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


DOORS = {
    "a photo": ("a.jpg", read_photo),
    "a photo of AR": ("a.raw", read_ar_photo),
    "a .bin set": ("a.bin", load_bin),
    "MXNet's records": ("a.rec", MxnetSource),
    "any source": ("train.rec", lambda path: open_source(path.parent)),
    "a prepared set": ("index.json", lambda path: PreparedSet(path.parent)),
    "a list of pairs": ("pairs", lambda path: open_set(path.parent, path)),
    "a table of pairs": ("pairs", lambda path: open_set(path.parent, path, columns=["a", "b"])),
    "pairs to cover": ("p", lambda path: occlude_pairs(path.parent, path, "out", Occluder(0.3))),
    "a set": ("set.bin", open_set),
    "templates": ("a.safetensors", open_templates),
    "a journal": ("failures.csv", lambda path: Journal(path, "reason").read()),
    "arrays": ("a.npz", lambda path: read_npz(path, 100)),
    "JSON": ("a.json", lambda path: read_json(path, "the file")),
    "a digest": ("a", file_sha256),
    "any file": ("a", open_regular),
    "a checkpoint of PyTorch": ("a.pth", read_state_dict),
    "MobileFaceNet": ("a.tflite", read_mobilefacenet),
    "what is to be converted": ("a.tflite", is_tflite),
    "a preset's configuration": ("config.json", lambda path: load_preset(path.parent)),
    "a certificate": ("root.pem", lambda path: Certificates.of(path, None, True)),
    "a client's certificate": ("c.pem", lambda path: Certificates.of(None, path, True)),
    "a server's models": ("models.config", lambda path: read_models(path.parent)),
    "a run's configuration": ("a.yaml", read_config),
    "a run's checkpoint": ("step-1.safetensors", lambda path: take_weights(None, path)),
    "a run's table": ("metrics.csv", lambda path: MetricsTable(path, 1)),
    "what a run was started with": ("config.yaml", lambda path: changes(path.parent, "steps: 1")),
}


@pytest.mark.parametrize("name, door", DOORS.values(), ids=DOORS)
def test_a_pipe_is_no_file(tmp_path, name, door):
    os.mkfifo(tmp_path / name)
    with pytest.raises((XcosError, NotRegularError)):
        door(tmp_path / name)


@pytest.mark.parametrize("line", INVOCATIONS.values(), ids=INVOCATIONS)
def test_nor_does_a_command_take_one(line, tmp_path, capsys):
    places, pipe = make_places(tmp_path), tmp_path / "pipe"
    os.mkfifo(pipe)
    for name in set(line.read) - {"WORDS", "LIST"}:
        assert main(line.with_places(places, **{name: pipe})) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1, error
        assert "is not a" in error or "there is no folder" in error, error


LISTED = {name: line for name, line in INVOCATIONS.items() if "LIST" in line.read}


@pytest.mark.parametrize("line", LISTED.values(), ids=LISTED)
def test_a_list_may_come_out_of_a_pipe(line, tmp_path, monkeypatch, capsys):
    places, pipe, seen = make_places(tmp_path), tmp_path / "pipe", {}

    def run(args):
        seen.update(vars(args), text=Path(args.pairs).read_bytes())
        raise XcosError(f"{args.pairs}, line 1: no pair; mend it")

    monkeypatch.setattr("xcos_tf.cli.paths.PATIENCE", 0.2)
    monkeypatch.setattr("xcos_tf.cli.paths.LONGEST_LIST", 100)
    monkeypatch.setattr(f"xcos_tf.cli.{line.words[0]}.run", run)
    os.mkfifo(pipe)
    words = line.with_places(places, LIST=pipe)
    assert main(words) == 2
    assert f"{pipe} cannot be read (no end came in 0.2 seconds)" in capsys.readouterr().err
    both = os.open(pipe, os.O_RDWR)
    os.write(both, b"x" * 101)
    assert main(words) == 2
    assert f"{pipe} is larger than 100 bytes" in capsys.readouterr().err
    os.close(both)
    read, write = os.pipe()  # as a shell's <(…)
    os.write(write, b"one,two\n")
    os.close(write)
    assert main(line.with_places(places, LIST=f"/dev/fd/{read}")) == 2
    assert f"/dev/fd/{read}, line 1: no pair" in capsys.readouterr().err
    assert seen["text"] == b"one,two\n" and not os.path.exists(seen["pairs"])
    os.close(read)


def test_a_passphrase_may_come_out_of_a_pipe_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr("xcos_tf.cli.unlock_steps.PATIENCE", 0.2)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(XcosError, match=r"cannot be read \(no line came in 0\.2 seconds\)"):
        read_passphrase(str(pipe), new=True)
    both = os.open(pipe, os.O_RDWR)
    try:
        os.write(both, b"half a line")
        with pytest.raises(XcosError, match="no line came in"):
            read_passphrase(str(pipe), new=True)
        os.write(both, b"words of mine\nmore")
        assert read_passphrase(str(pipe), new=True) == "words of mine"
    finally:
        os.close(both)
    read, write = os.pipe()  # as /dev/stdin is, when another program writes into it
    os.write(write, b"words of mine")
    os.close(write)
    assert read_passphrase(f"/dev/fd/{read}", new=True) == "words of mine"
    os.close(read)
