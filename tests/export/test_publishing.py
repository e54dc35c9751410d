"""A folder is whole or not there, whatever happens while it is written."""

import os
import signal
import subprocess
import sys
import time

import pytest

from xcos_tf.export.models_config import versions_of
from xcos_tf.export.saved_model import published_folder


def test_it_appears_at_the_end_with_all_that_was_written(tmp_path):
    path = tmp_path / "1"
    with published_folder(path) as hidden:
        (hidden / "inner").mkdir()
        (hidden / "inner" / "file").write_text("all")
        assert not path.exists() and hidden.parent == tmp_path and hidden.name.startswith(".")
        assert versions_of(tmp_path) == []
    assert (path / "inner" / "file").read_text() == "all"
    assert os.listdir(tmp_path) == ["1"]
    assert path.stat().st_mode & 0o777 == 0o755  # a server is another user


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_it_is_not_there_if_the_writing_fails(error, tmp_path):
    with pytest.raises(error), published_folder(tmp_path / "1") as hidden:
        (hidden / "file").write_text("half")
        raise error
    assert os.listdir(tmp_path) == []


def test_one_that_is_there_already_is_left_alone(tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "file").write_text("first")
    with pytest.raises(OSError), published_folder(tmp_path / "1") as hidden:
        (hidden / "file").write_text("second")
    assert os.listdir(tmp_path) == ["1"] and (tmp_path / "1" / "file").read_text() == "first"


@pytest.mark.slow
def test_a_killed_export_leaves_no_version(tmp_path):
    """The command itself, killed as soon as the graph is in the hidden folder."""
    arguments = ["export", "xcos-mobilefacenet-2", str(tmp_path), "--to", "saved-model"]
    process = subprocess.Popen([sys.executable, "-m", "xcos_tf.cli.main", *arguments])
    folder = tmp_path / "serving" / "xcos-mobilefacenet-2"
    while not list(folder.glob(".*/variables")):
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert len(os.listdir(folder)) == 1 and versions_of(folder) == []
    assert os.listdir(tmp_path / "serving") == ["xcos-mobilefacenet-2"]
