import pytest

from tools import compare_speed

MAIN = """
import pathlib, sys
def main():
    assert sys.argv[2].endswith("/configs/smoke.yaml"), sys.argv
    run = pathlib.Path(sys.argv[-1])
    run.mkdir()
    run.joinpath("metrics.csv").write_text("step,images_per_second\\n0,\\n50,\\n100,{0}\\n150,{1}\\n")
    return {2}
"""


def checkout(folder, *numbers):
    package = folder / "xcos_tf/cli"
    package.mkdir(parents=True)
    for each in (package, package.parent):
        (each / "__init__.py").touch()
    (package / "main.py").write_text(MAIN.format(*numbers))
    return str(folder)


def test_both_take_turns_and_the_first_validation_does_not_count(tmp_path, capsys):
    a, b = (
        checkout(tmp_path / name, *numbers, 0) for name, numbers in (("a", (8, 10)), ("b", (2, 3)))
    )
    assert compare_speed.main([a, b, "--data", str(tmp_path), "--rounds", "2"]) == 0
    lines = [line.split(",")[0] for line in capsys.readouterr().out.splitlines()]
    found = [f"{a}: 9.0 images/s", f"{b}: 2.5 images/s"]
    assert lines == [*found, *found[::-1], *(f"median of {line}" for line in found)]


def test_a_run_that_fails_ends_it(tmp_path):
    a = checkout(tmp_path / "a", 1, 1, 2)
    with pytest.raises(SystemExit, match="/a: "):
        compare_speed.main([a, a, "--data", str(tmp_path), "--rounds", "1"])
