"""Every file of ours is whole or not there: on a full disk, under a limit, beside planted files."""

import ast
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from xcos_tf.data.align_folder import write_face
from xcos_tf.errors import XcosError
from xcos_tf.explain.canvas import save_figure
from xcos_tf.files import WriteError, only_writer, replace_file, write_csv, write_json

ROOT = Path(__file__).parents[1]
FACE = np.random.default_rng(0).integers(0, 256, (112, 112, 3), np.uint8)


def draw(path):
    figure = Figure()
    figure.add_subplot().imshow(FACE)
    save_figure(figure, path)


# Each needs more than 8 kB.
WRITERS = {
    "a.bin": lambda path: replace_file(path, lambda stream: stream.write(bytes(9000))),
    "a.npz": lambda path: replace_file(path, lambda stream: np.savez(stream, x=FACE)),
    "a.npy": lambda path: replace_file(path, lambda stream: np.save(stream, FACE)),
    "a.json": lambda path: write_json(path, list(range(9000))),
    "a.csv": lambda path: write_csv(path, ("n", "m"), ((n, n) for n in range(9000))),
    "a.jpg": lambda path: write_face(path, FACE),
    "a.png": lambda path: write_face(path, FACE),
    "b.png": draw,
    "b.pdf": draw,
}


@pytest.fixture(params=WRITERS)
def name(request):
    return request.param


def test_each_writes_a_whole_file(name, tmp_path):
    WRITERS[name](tmp_path / name)
    assert os.listdir(tmp_path) == [name]
    assert (tmp_path / name).stat().st_size > 8192
    if name.endswith(("jpg", "png")):
        Image.open(tmp_path / name).load()


LIMITED = """
import resource, sys
from pathlib import Path
from tests.test_writing import WRITERS
WRITERS["b.pdf"](Path(sys.argv[1]) / "warm.pdf")
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
for name, write in WRITERS.items():
    try:
        write(Path(sys.argv[1]) / name)
    except OSError as error:
        print(name, error.strerror)
    except Exception as error:
        print(name, str(error))
"""


def test_a_limit_on_the_size_of_files(tmp_path):
    """A write that is cut short, as Pillow's would be, says nothing."""
    for name in WRITERS:
        (tmp_path / name).write_text("old")
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    said = dict(line.split(" ", 1) for line in ran.stdout.splitlines())
    assert said.keys() == WRITERS.keys(), ran.stderr
    assert all("File too large" in reason for reason in said.values())
    assert {path.name for path in tmp_path.iterdir()} == {*WRITERS, "warm.pdf"}
    assert all((tmp_path / name).read_text() == "old" for name in WRITERS)


@pytest.fixture
def tiny_disk():
    """A file system of 8 kB."""
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", folder]
        try:
            mounted = subprocess.run(mount, capture_output=True).returncode == 0
        except OSError:
            mounted = False
        if not mounted:
            pytest.skip("no file system can be mounted here")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


def test_a_full_disk(name, tiny_disk):
    (tiny_disk / name).write_text("old")
    with pytest.raises(XcosError, match="No space left on device"):
        WRITERS[name](tiny_disk / name)
    assert os.listdir(tiny_disk) == [name]
    assert (tiny_disk / name).read_text() == "old"


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_what_someone_planted_is_left_alone(kind, name, tmp_path):
    """At the names that earlier versions wrote to first."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder = tmp_path / "folder"
    folder.mkdir()
    planted = [f".{name}.part", f".{name}.xcos.part", f".xcos-{os.getpid()}.part"]
    planted += [f".{name}.{os.getpid()}.tmp", f"{name}.tmp", f".{name}"]
    for other in planted:
        if kind == "link":
            (folder / other).symlink_to(victim)
        else:
            os.mkfifo(folder / other)  # in which writing would wait for ever
    WRITERS[name](folder / name)
    assert sorted(os.listdir(folder)) == sorted([*planted, name])
    assert victim.read_text() == "precious"


def test_a_link_at_the_name_itself_is_replaced_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "a").symlink_to(victim)
    replace_file(tmp_path / "a", lambda stream: stream.write(b"new"))
    assert victim.read_text() == "precious"
    assert not (tmp_path / "a").is_symlink()


def test_a_guessed_random_name_is_not_opened(tmp_path, monkeypatch):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    monkeypatch.setattr("secrets.token_hex", lambda count: "guessed")
    (tmp_path / ".xcos-guessed.part").symlink_to(victim)
    with pytest.raises(WriteError, match="File exists"):
        replace_file(tmp_path / "a", lambda stream: stream.write(b"new"))
    assert victim.read_text() == "precious"
    assert (tmp_path / ".xcos-guessed.part").is_symlink()


def test_a_write_that_was_cut_short_unsaid(tmp_path):
    def cut(stream):
        stream.write(b"123456789")
        os.truncate(next(tmp_path.glob(".xcos-*")), 3)
        stream.flush()
        os.truncate(next(tmp_path.glob(".xcos-*")), 3)

    with pytest.raises(WriteError, match="No space left"):
        replace_file(tmp_path / "a", cut)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("longest", ["x" * 255, "é" * 127])
def test_a_name_may_be_as_long_as_the_file_system_allows(longest, tmp_path):
    replace_file(tmp_path / longest, lambda stream: stream.write(b"1"))
    assert os.listdir(tmp_path) == [longest]
    with pytest.raises(WriteError, match=r"…xxxx.* cannot be written .File name too long") as error:
        replace_file(tmp_path / ("x" * 256), lambda stream: None)
    assert len(str(error.value)) < 250 and "\n" not in str(error.value)


def test_modes(tmp_path):
    before = os.umask(0o022)
    try:
        for mode, expected in ((0o666, 0o644), (0o600, 0o600)):
            replace_file(tmp_path / "a", lambda stream: stream.write(b"1"), mode)
            assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == expected
    finally:
        os.umask(before)


def test_one_writer_at_a_time_which_clears_up_after_a_killed_one(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / ".xcos-0123456789abcdef.part").write_text("half")
    with only_writer(tmp_path, "xcos this"):
        assert os.listdir(tmp_path / "b") == []
        with (
            pytest.raises(XcosError, match="another `xcos that` is writing to"),
            only_writer(tmp_path, "xcos that"),
        ):
            pass
    with only_writer(tmp_path, "xcos that"):
        pass


# Whoever opens a file for writing on their own, and why they may.
WRITE_ELSEWHERE = {
    "xcos_tf/files.py",  # the function that does it
    "xcos_tf/data/align_folder.py",  # appends, to a file that it has just replaced
    "xcos_tf/evaluation/verdicts.py",  # the same
    "xcos_tf/training/monitor.py",  # appends to a log
    "xcos_tf/training/remembered.py",  # appends to a cache
    "tools/benchmark.py",  # a set of its own, in a temporary folder
}
RENAMED_FOLDERS = {
    "xcos_tf/models/presets.py",
    "xcos_tf/export/saved_model.py",
    "xcos_tf/data/records/index.py",
    "tools/generate_faces.py",
}


def test_nobody_else_writes_files():
    """A new writer uses `replace_file`."""
    found = set()
    for path in (*ROOT.glob("xcos_tf/**/*.py"), *ROOT.glob("tools/**/*.py")):
        calls = [x for x in ast.walk(ast.parse(path.read_text())) if isinstance(x, ast.Call)]
        if any(map(_writes, calls)):
            found.add(str(path.relative_to(ROOT)))
    assert found <= WRITE_ELSEWHERE | RENAMED_FOLDERS


def _writes(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    texts = [x.value for x in call.args if isinstance(x, ast.Constant)]
    if name == "open":
        return any(isinstance(x, str) and set(x) <= set("wabx+t") for x in texts)
    if name in ("replace", "rename"):
        return ast.unparse(call.func).startswith("os.")
    return name in ("write_bytes", "write_text", "save_file", "mkstemp", "NamedTemporaryFile")
