"""What must hold of every command, whatever goes wrong: exit codes, a sentence, no input lost.

A command's own work is replaced by a few lines where it makes no difference.
"""

import contextlib
import errno
import importlib
import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.every_command import INVOCATIONS, SUFFIX, make_places
from xcos_tf.cli import main as entry
from xcos_tf.cli.main import COMMANDS, LIGHT, main
from xcos_tf.quiet import LEVEL

each_line = pytest.mark.parametrize("line", INVOCATIONS.values(), ids=INVOCATIONS)


@pytest.fixture
def places(tmp_path):
    return make_places(tmp_path)


@pytest.fixture(autouse=True)
def light(monkeypatch):
    """Let no test import TensorFlow, and let SIGINT be what it is in a process of its own."""
    monkeypatch.setattr(entry, "import_tensorflow", lambda: None)
    monkeypatch.setattr(entry, "ready_environment", lambda: None)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def doing(monkeypatch):
    """Put a function in place of a command's own work."""

    def put(line, work):
        module = importlib.import_module(f"xcos_tf.cli.{line.words[0].replace('-', '_')}")
        monkeypatch.setattr(module, "run", lambda args: work())

    return put


@pytest.fixture
def unheavy(monkeypatch):
    """Fail where anything heavy would be begun."""

    def heavy(*args):
        pytest.fail("began before what can be checked was")

    monkeypatch.setattr(entry, "import_tensorflow", heavy)
    monkeypatch.setattr(entry, "ready_environment", heavy)
    for command in COMMANDS:
        module = importlib.import_module(f"xcos_tf.cli.{command.replace('-', '_')}")
        monkeypatch.setattr(module, "run", heavy)


def refused(capsys, words):
    """Return the one sentence of a command that is refused."""
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "Traceback" not in captured.err
    [sentence] = captured.err.splitlines()
    assert sentence.startswith(f"xcos {words[0]}: error: ")
    return sentence


def verdict():
    print("different people: 0.2 < 0.5 or ≥, \udcff")
    return 1


def printed_to(monkeypatch, words, stream):
    """Return the exit code of a command that prints to a stream."""
    monkeypatch.setattr(sys, "stdout", stream)
    return main(words)


@each_line
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_terminal_can_show_it(line, places, doing, monkeypatch, encoding):
    doing(line, verdict)
    shown = io.BytesIO()
    stream = io.TextIOWrapper(shown, encoding=encoding)
    assert printed_to(monkeypatch, line.with_places(places), stream) == 1
    assert shown.getvalue().startswith(b"different people: 0.2 < 0.5 or ")
    assert stream.errors == "strict"


@each_line
def test_a_full_disk_is_no_verdict(line, places, doing, monkeypatch, capsys):
    doing(line, verdict)
    with open("/dev/full", "w", encoding="utf-8") as full:
        assert printed_to(monkeypatch, line.with_places(places), full) == 2
    assert "No space left" in capsys.readouterr().err


@each_line
def test_a_closed_pipe_ends_it_quietly(line, places, doing, monkeypatch, capsys):
    doing(line, verdict)
    read, write = os.pipe()
    os.close(read)
    with open(write, "w", encoding="utf-8") as pipe:
        assert printed_to(monkeypatch, line.with_places(places), pipe) == 141
    assert capsys.readouterr().err == ""


class Speechless(Exception):
    def __str__(self):
        raise ValueError("no words")


FAULTS = [
    Speechless(),
    ValueError("two\nlines"),
    KeyError("x" * 100_000),
    RecursionError("deep"),
    MemoryError(),
    ImportError("no module of that name"),
    AssertionError(),
    OSError(errno.ELOOP, "Too many levels of symbolic links", "a\nb"),
    OSError(errno.ENAMETOOLONG, "File name too long", b"x" * 5000),
    OSError(errno.EIO, "Input/output error"),
    OSError("a reader's own"),
    UnicodeEncodeError("ascii", "≥", 0, 1, "ordinal not in range"),
    GeneratorExit(),
    SystemExit(1),
    SystemExit(0),
]


@each_line
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_fault_of_ours_is_no_verdict(line, places, doing, capsys, fault):
    def work():
        print("half of it")
        raise fault

    doing(line, work)
    assert main(line.with_places(places)) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith(f"xcos {line.words[0]}: error: ")
    assert len(error) < 500
    assert main([*line.with_places(places), "--debug"]) == 2
    error = capsys.readouterr().err
    assert "Traceback" in error and "in work" in error


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)
    return 0


def interrupt_that_is_swallowed():
    with contextlib.suppress(BaseException):
        interrupt()
    return 1


def interrupt_that_becomes_an_error():
    try:
        interrupt()
    except BaseException:
        raise ValueError("a library's own") from None


class Finalized:
    def __del__(self):
        interrupt()


def interrupt_in_a_finalizer():
    thing = Finalized()
    del thing
    time.sleep(10)
    return 0


INTERRUPTS = [
    interrupt,
    interrupt_that_is_swallowed,
    interrupt_that_becomes_an_error,
    interrupt_in_a_finalizer,
]


@each_line
@pytest.mark.parametrize("work", INTERRUPTS, ids=lambda work: work.__name__)
@pytest.mark.parametrize("importing", [False, True])
def test_ctrl_c_is_130(line, places, doing, monkeypatch, capsys, work, importing):
    if importing and line.words[0] in LIGHT:
        pytest.skip("imports TensorFlow only where it must")
    doing(line, (lambda: 0) if importing else work)
    if importing:
        monkeypatch.setattr(entry, "import_tensorflow", work)
    assert main(line.with_places(places)) == 130
    assert capsys.readouterr().err == f"xcos {line.words[0]}: interrupted\n"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@each_line
def test_tensorflow_that_cannot_be_imported_is_no_verdict(line, places, doing, monkeypatch, capsys):
    if line.words[0] in LIGHT:
        pytest.skip("imports TensorFlow only where it must")
    doing(line, verdict)

    def fail():
        raise ImportError("libtensorflow.so: cannot open shared object file\nin two lines")

    monkeypatch.setattr(entry, "import_tensorflow", fail)
    assert "cannot be imported (libtensorflow.so" in refused(capsys, line.with_places(places))


BROKEN = {
    "raise TypeError('Descriptors cannot be created directly.\\nDowngrade it.')": 2,
    "import no_such_library": 2,
    "import os, signal; os.kill(os.getpid(), signal.SIGINT)": 130,
}


@pytest.mark.parametrize("source", BROKEN)
def test_a_broken_tensorflow_is_no_verdict(places, tmp_path, source):
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow/__init__.py").write_text(source)
    words = INVOCATIONS["prepare"].with_places(places)
    program = f"""
import sys
from xcos_tf.cli.main import main
sys.path.insert(0, {str(tmp_path)!r})
sys.exit(main(sys.argv[1:]))
"""
    plain = {name: value for name, value in os.environ.items() if name != LEVEL}
    run = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, env=plain)
    assert run.returncode == BROKEN[source], run.stderr
    assert run.stderr.count(b"\n") == 1 and run.stdout == b""
    if BROKEN[source] == 2:
        assert b"a package that xcos_tf needs cannot be imported (tensorflow: " in run.stderr


def loop(root):
    path = root / "loop"
    path.symlink_to(path)
    return path


MISTYPED = {
    "not there": lambda root: root / "nowhere.png",
    "in no folder": lambda root: root / "nowhere/a.png",
    "in a file": lambda root: root / "a.png/b.png",
    "new line in its name": lambda root: root / "a\nb\x1b[31m.png",
    "too long a name": lambda root: root / ("x" * 300),
    "a link to itself": loop,
    "a data URI": lambda root: "data:image/png;base64," + "A" * 100_000,
    "long and with spaces": lambda root: "a photo " * 10_000,
    "long, with spaces and long words": lambda root: "a photo " * 10_000 + "A" * 500,
    "not UTF-8": lambda root: root / "\udcff.png",
    "nothing": lambda root: "",
}


@each_line
@pytest.mark.parametrize("fault", MISTYPED)
def test_what_cannot_be_read_is_refused_at_once(line, places, tmp_path, unheavy, capsys, fault):
    wrong = MISTYPED[fault](tmp_path)
    for name in line.read:
        sentence = refused(capsys, line.with_places(places, **{name: wrong}))
        assert len(sentence) < 400


def test_that_takes_no_time(places, tmp_path):
    """In a process that has imported nothing yet."""
    program = """
import json, sys
from xcos_tf.cli.main import main
for words in json.loads(sys.argv[1]):
    assert main(words) == 2
heavy = {"tensorflow", "keras", "numpy", "matplotlib", "PIL"} & set(sys.modules)
assert not heavy, heavy
"""
    lines = [
        line.with_places(places, **{name: tmp_path / "nowhere.png"})
        for line in INVOCATIONS.values()
        for name in line.read
    ]
    run = subprocess.run([sys.executable, "-c", program, json.dumps(lines)], capture_output=True)
    assert run.returncode == 0, run.stderr
    assert run.stderr.count(b"nowhere.png") == len(lines)


@each_line
@pytest.mark.parametrize("fault", ["too long a name", "a link to itself"])
def test_what_cannot_be_written_is_refused_at_once(line, places, unheavy, capsys, fault, tmp_path):
    wrong = MISTYPED[fault](tmp_path)
    for name in line.written:
        wrong = wrong.with_name(wrong.name + SUFFIX.get(name, ""))
        if fault == "a link to itself" and not os.path.lexists(wrong):
            wrong.symlink_to(wrong)
        assert refused(capsys, line.with_places(places, **{name: wrong}))


@each_line
def test_no_file_takes_the_place_of_a_device(line, places, unheavy, capsys, tmp_path):
    for name in line.written:
        pipe = tmp_path / f"pipe{SUFFIX.get(name, '')}"
        if not pipe.exists():
            os.mkfifo(pipe)
        assert "is a pipe or a device" in refused(capsys, line.with_places(places, **{name: pipe}))


def itself(source, suffix):
    link = source.with_name(f"same{suffix}")
    return source if source.suffix == suffix or not suffix else _linked(link, source)


def _linked(link, source):
    if not link.exists():
        link.symlink_to(source)
    return link


def by_a_link(source, suffix):
    return _linked(source.with_name(f"soft-{source.name}{suffix}"), source)


def by_a_hard_link(source, suffix):
    link = source.with_name(f"hard-{source.name}{suffix}")
    if source.is_dir():
        return source
    if not link.exists():
        link.hardlink_to(source)
    return link


def by_a_roundabout_name(source, suffix):
    return by_a_link(source, suffix).parent / "people" / ".." / f"soft-{source.name}{suffix}"


def inside(source, suffix):
    return source / f"new{suffix}" if source.is_dir() else source


def deep_inside_by_a_link(source, suffix):
    return _linked(source.with_name("inner"), source / "Ann") / f"new{suffix}"


WAYS = [itself, by_a_link, by_a_hard_link, by_a_roundabout_name, inside, deep_inside_by_a_link]


@each_line
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nothing_is_written_over_what_is_read(line, places, unheavy, capsys, way):
    for name in line.written:
        for source in map(places.get, line.read):
            if way is deep_inside_by_a_link and not (source / "Ann").is_dir():
                continue
            output = way(source, SUFFIX.get(name, ""))
            if SUFFIX.get(name) and output == source and output.suffix != SUFFIX[name]:
                continue
            before = source.read_bytes() if source.is_file() else sorted(source.rglob("*"))
            sentence = refused(capsys, line.with_places(places, **{name: output}))
            assert "which is read" in sentence or "which is a folder" in sentence
            after = source.read_bytes() if source.is_file() else sorted(source.rglob("*"))
            assert after == before


@pytest.mark.parametrize(
    "line, name, output",
    [
        ("train", "OUT", "SET"),
        ("train", "OUT", "data/set/run"),
        ("gallery", "OUT", "PEOPLE"),
        ("gallery", "OUT", "people/Ann"),
        ("export", "OUT", "people"),
        ("occlude pairs", "LIST", "OUT"),
        ("align", "OUT", "."),
    ],
)
def test_nor_is_what_lies_in_a_folder(places, tmp_path, unheavy, capsys, line, name, output):
    if output == "OUT":  # the list lies in the folder that is written
        places["OUT"].mkdir()
        other = places["OUT"] / "pairs.csv"
        other.write_bytes(places["LIST"].read_bytes())
    else:
        other = places.get(output, tmp_path / output)
    sentence = refused(capsys, INVOCATIONS[line].with_places(places, **{name: other}))
    assert "which is read" in sentence


def test_a_run_may_go_on_by_its_own_configuration(places, doing):
    places["OUT"].mkdir()
    (places["OUT"] / "run.json").write_text("{}")
    own = places["OUT"] / "config.yaml"
    own.write_text("steps: 1\n")
    doing(INVOCATIONS["train"], lambda: 0)
    assert main(INVOCATIONS["train"].with_places(places, YAML=own)) == 0


@pytest.mark.parametrize("words", [["--help"], *([command, "--help"] for command in COMMANDS)])
def test_help_is_readable_and_delivered(words):
    """In a process of its own, since that is what Python ends."""
    program = [sys.executable, "-m", "xcos_tf.cli.main", *words]
    plain = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    run = subprocess.run(program, capture_output=True, text=True, env=plain)
    assert (run.returncode, run.stderr) == (0, "")
    assert "%%" not in run.stdout
    with open("/dev/full", "w") as full:
        run = subprocess.run(program, stdout=full, stderr=subprocess.PIPE, text=True)
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1 and "No space left" in run.stderr


def test_a_process_whose_reader_is_gone_ends_quietly():
    read, write = os.pipe()
    os.close(read)
    program = [sys.executable, "-m", "xcos_tf.cli.main", "verify", "--help"]
    run = subprocess.run(program, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (run.returncode, run.stderr) == (141, b"")


@pytest.mark.parametrize("closed", [1, 2])
def test_closed_descriptors(places, closed):
    words = INVOCATIONS["verify"].with_places(places, A=places["DATA"])
    program = [sys.executable, "-m", "xcos_tf.cli.main", *words]
    run = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}>&-', "sh", *program], capture_output=True, text=True
    )
    assert run.returncode == 2
    assert ("is a folder" in run.stderr) == (closed == 1)


def test_values_say_what_they_should_be(capsys):
    for words, sentence in [
        (["verify", "a", "b", "--threshold", "70%"], "'70%' is not a number; give one such as 0.7"),
        (["verify", "a", "b", "--threshold", "x" * 5000], "is not a number"),
        (["verify", "a", "b", "--attention", "y" * 5000], "invalid choice"),
        (["align", "a", "b", "--batch-size", "1.5"], "'1.5' is not a whole number"),
        (["prepare", "a", "b", "--jobs", "9" * 5000], "is not a whole number"),
        (["no\nsuch"], "invalid choice: 'no"),
    ]:
        with pytest.raises(SystemExit) as stop:
            main(words)
        assert stop.value.code == 2
        error = capsys.readouterr().err.splitlines()[-1]
        assert sentence in error and "_" not in error and len(error) < 400


def test_two_photos_cannot_be_standard_input(unheavy, capsys):
    assert "one photo" in refused(capsys, ["verify", "-", "-"])
