import logging
import warnings

import pytest

from xcos_tf.cli import convert
from xcos_tf.cli.main import main
from xcos_tf.errors import XcosError
from xcos_tf.progress import Bar, log
from xcos_tf.quiet import LEVEL, quiet_libraries


@pytest.fixture
def said(monkeypatch):
    """Return what comes through of a library's warnings and errors."""
    monkeypatch.delenv(LEVEL, raising=False)
    monkeypatch.setattr("sys.warnoptions", [])

    def say(speak=False):
        lines = []
        logger = logging.getLogger("a library")
        logger.handle = lambda record: lines.append(record.getMessage())
        monkeypatch.setattr(warnings, "showwarning", lambda text, *_: lines.append(str(text)))
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            with quiet_libraries(speak):
                logger.warning("retracing")
                warnings.warn("deprecated", UserWarning, stacklevel=1)
                logger.error("broken")
        return lines

    return say


def test_only_errors_come_through(said, monkeypatch):
    assert said() == ["broken"]
    assert logging.root.level == logging.WARNING
    everything = ["retracing", "deprecated", "broken"]
    assert said(speak=True) == everything
    monkeypatch.setenv(LEVEL, "0")
    assert said() == everything


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["convert"], ["begun", "xcos convert: warning: odd"]),
        (["--quiet", "convert"], []),
        (["convert", "--quiet"], []),
        (["convert", "--verbose"], ["loaded", "begun", "detail", "xcos convert: warning: odd"]),
    ],
)
def test_a_command_says_as_much_as_is_asked_for(options, said, tmp_path, capsys, monkeypatch):
    def run(args):
        for _ in Bar(range(3), "working"):
            pass
        log.info("begun")
        log.debug("detail")
        log.warning("warning: odd")
        print("result")
        raise XcosError("it is bad; mend it")

    monkeypatch.setattr(convert, "run", run)
    (tmp_path / "model.pth").write_bytes(b"")
    assert main([*options, str(tmp_path / "model.pth"), str(tmp_path / "preset")]) == 2
    out, err = capsys.readouterr()
    assert out == "result\n"
    assert ("working: 100%" in err) == (said != [])
    lines = [line for line in err.splitlines() if "working:" not in line]
    *before, last = [line for line in lines if line]
    assert last == "xcos convert: error: it is bad; mend it"
    assert len(before) == len(said)
    assert all(line.endswith(end) for line, end in zip(before, said, strict=True))
    assert log.level == logging.NOTSET and not log.handlers
