"""`xcos --print-completion`: what a shell offers after Tab."""

import os
import pty
import select
import shutil
import subprocess

import pytest

from xcos_tf.cli.main import main

OFFERED = [
    (["ver"], "verify"),
    (["fit-w"], "fit-whatif"),
    (["verify", "--expl"], "--explain"),
    (["export", "xcos-mobilefacenet-2", "out", "--to", "s"], "saved-model"),
    (["unlock", "en"], "enroll"),
    (["verify", "one"], "one.jpg"),
    (["verify", "one.jpg", "--explain", "t"], "two.png"),
]


@pytest.fixture
def script(tmp_path, capsys):
    """A function that writes a shell's script to a file, beside two photos."""

    def write(shell, name):
        with pytest.raises(SystemExit) as end:
            main(["--print-completion", shell])
        assert end.value.code == 0
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(capsys.readouterr().out)
        for photo in ("one.jpg", "two.png"):
            (tmp_path / photo).touch()
        return tmp_path / name

    return write


@pytest.mark.parametrize("words, offered", [*OFFERED, (["fit-"], "fit-correlation fit-whatif")])
def test_bash_offers(tmp_path, script, words, offered):
    typed = " ".join(["xcos", *words])
    program = (
        f"source {script('bash', 'xcos.bash')}; COMP_WORDS=({typed}); COMP_CWORD={len(words)}; "
        '_shtab_xcos; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == set(offered.split())


ZSH = (
    "PS1=ready; fpath=($PWD/.zfunc $fpath); autoload -U compinit; compinit -D -u\n"
    "xcos() { print -r -- called $* end }\nunset zle_bracketed_paste\n"
)
TCSH = "source .zfunc/_xcos; set prompt=ready; alias xcos 'echo called \\!* end'\n"


@pytest.mark.parametrize("shell, settings", [("zsh", ZSH), ("tcsh", TCSH)], ids=["zsh", "tcsh"])
def test_a_shell_completes(tmp_path, script, shell, settings):
    """Words are typed at a terminal, and Tab and Enter; `xcos` is called with the whole ones."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not here")
    script(shell, ".zfunc/_xcos")
    (tmp_path / f".{shell}rc").write_text(settings)
    terminal, end = pty.openpty()
    environment = {**os.environ, "HOME": ".", "ZDOTDIR": ".", "TERM": "xterm"}
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), end)
    shell = subprocess.Popen(
        ["setsid", "--ctty", shell, "-i"], cwd=tmp_path, env=environment, **streams
    )

    def shown_until(end):
        shown = b""
        while end not in shown and select.select([terminal], [], [], 30)[0]:
            shown += os.read(terminal, 2**16)
        return shown.decode()

    shown_until(b"ready")
    for words, offered in OFFERED:
        os.write(terminal, " ".join(["xcos", *words]).encode() + b"\t\n")
        called = " ".join(["called", *words[:-1], offered, "end"])
        assert called in shown_until(b" end\r\n")
    shell.kill()
    shell.wait()
    os.close(terminal)
    os.close(end)
