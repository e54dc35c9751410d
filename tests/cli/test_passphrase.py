"""The passphrase comes from a file, the environment or a prompt, in this order."""

import io

import pytest

from xcos_tf.cli.unlock_steps import VARIABLE, read_passphrase
from xcos_tf.errors import XcosError


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def ask(monkeypatch):
    """Give what will be typed at a terminal."""

    def give(*typed):
        answers = iter(typed)
        monkeypatch.delenv(VARIABLE, raising=False)
        monkeypatch.setattr("sys.stdin", Terminal())
        monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))

    return give


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\nsecond line\n"])
def test_first_line_of_a_file(tmp_path, monkeypatch, end):
    monkeypatch.setenv(VARIABLE, "from the environment")
    file = tmp_path / "words"
    file.write_bytes(f" pässword {end}".encode())
    assert read_passphrase(str(file), new=True) == " pässword "


def test_environment_before_the_prompt(monkeypatch, ask):
    ask()
    monkeypatch.setenv(VARIABLE, "from the environment")
    assert read_passphrase(None, new=True) == "from the environment"


def test_prompt(ask):
    ask("typed once")
    assert read_passphrase(None, new=False) == "typed once"
    ask("typed twice", "typed twice")
    assert read_passphrase(None, new=True) == "typed twice"
    ask("typed twice", "typed twise")
    with pytest.raises(XcosError, match="the two passphrases differ"):
        read_passphrase(None, new=True)


def test_no_terminal(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO("typed\n"))
    with pytest.raises(XcosError, match=f"give --passphrase-file or set {VARIABLE}"):
        read_passphrase(None, new=False)


def test_too_short_or_empty(monkeypatch):
    monkeypatch.setenv(VARIABLE, "7 chars")
    with pytest.raises(XcosError, match="too short; choose one of at least 8"):
        read_passphrase(None, new=True)
    assert read_passphrase(None, new=False) == "7 chars"
    monkeypatch.setenv(VARIABLE, "")
    with pytest.raises(XcosError, match="is empty"):
        read_passphrase(None, new=False)


def test_bad_file(tmp_path):
    with pytest.raises(XcosError, match=r"missing cannot be read \(No such file"):
        read_passphrase(str(tmp_path / "missing"), new=False)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\n")
    with pytest.raises(XcosError, match=r"cannot be read \(it is not text"):
        read_passphrase(str(tmp_path / "binary"), new=False)


def test_a_byte_order_mark_is_no_part_of_it(tmp_path):
    (tmp_path / "words").write_bytes(b"\xef\xbb\xbfwords of mine\r\n")
    assert read_passphrase(str(tmp_path / "words"), new=True) == "words of mine"
