import logging
import warnings

import pytest

from xcos_tf.cli.quiet import LEVEL, quiet_libraries


@pytest.fixture
def said(monkeypatch):
    """Return what comes through of a library's warnings and errors."""
    monkeypatch.delenv(LEVEL, raising=False)
    monkeypatch.setattr("sys.warnoptions", [])

    def say(speak=False):
        lines = []
        logger = logging.Logger("a library")  # of no hierarchy
        logger.manager = logging.root.manager
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
    assert not logging.root.manager.disable
    everything = ["retracing", "deprecated", "broken"]
    assert said(speak=True) == everything
    monkeypatch.setenv(LEVEL, "0")
    assert said() == everything
