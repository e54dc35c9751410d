"""Whoever only asks for help does not wait for TensorFlow."""

import subprocess
import sys

from xcos_tf.cli.main import COMMANDS

IMPORT = """
import sys, time
start = time.perf_counter()
import xcos_tf
print(time.perf_counter() - start)
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
"""
HELP = """
import sys
from xcos_tf.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as stop:
    assert stop.code == 0
else:
    raise AssertionError("--help went on")
heavy = {"tensorflow", "keras", "numpy", "matplotlib", "PIL"} & set(sys.modules)
assert not heavy, heavy
"""


def python(program, *arguments):
    run = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    return run.stdout


def test_import_is_instant():
    seconds = min(float(python(IMPORT)) for _ in range(3))
    assert seconds < 0.2


def test_help_imports_nothing_heavy():
    assert "verify" in python(HELP, "--help")
    for command in COMMANDS:
        assert f"xcos {command}" in python(HELP, command, "--help")


def test_module_runs():
    run = subprocess.run(
        [sys.executable, "-m", "xcos_tf.cli.main", "--help"], capture_output=True, text=True
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "Explainable face verification" in run.stdout


def test_names_arrive_when_used():
    program = """
import sys, xcos_tf
assert "Verifier" in dir(xcos_tf)
xcos_tf.XcosError
assert "tensorflow" not in sys.modules
assert not hasattr(xcos_tf, "Verifer")
"""
    python(program)
