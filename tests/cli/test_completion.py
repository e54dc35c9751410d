"""`xcos --print-completion`: what a shell offers after Tab."""

import subprocess

import pytest

from xcos_tf.cli.main import main


@pytest.mark.parametrize(
    "words, offered",
    [
        (["ver"], {"verify"}),
        (["fit-"], {"fit-correlation", "fit-whatif"}),
        (["verify", "--expl"], {"--explain"}),
        (["export", "xcos-mobilefacenet", "out", "--to", "s"], {"saved-model"}),
        (["unlock", "en"], {"enroll"}),
        (["verify", "one"], {"one.jpg"}),
        (["verify", "one.jpg", "--explain", "t"], {"two.png"}),
    ],
)
def test_bash_offers(tmp_path, capsys, words, offered):
    with pytest.raises(SystemExit) as end:
        main(["--print-completion", "bash"])
    assert end.value.code == 0
    script = tmp_path / "xcos.bash"
    script.write_text(capsys.readouterr().out)
    for name in ("one.jpg", "two.png"):
        (tmp_path / name).touch()
    typed = " ".join(["xcos", *words])
    program = (
        f"source {script}; COMP_WORDS=({typed}); COMP_CWORD={len(words)}; "
        '_shtab_xcos; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == offered
