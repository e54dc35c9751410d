"""A Python environment with what a phone port has, and without TensorFlow."""

import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import xcos_tf

NEEDED = ("ai-edge-litert", "cryptography", "numpy", "pillow")


def make_environment(folder: Path, needed: Sequence[str] = NEEDED) -> Path:
    """Return the interpreter of a new environment with packages, what they need, and xcos_tf.

    Nothing is downloaded: packages are links to those installed here.
    """
    venv.create(folder, symlinks=True, with_pip=False)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "lib" / version / "site-packages"
    _link(Path(xcos_tf.__file__).parent, packages / "xcos_tf")
    for name in _with_requirements(needed):
        package = distribution(name)
        for part in {file.parts[0] for file in package.files if ".." not in file.parts}:
            if part != "__pycache__":
                _link(Path(package.locate_file(part)), packages / part)
    return folder / "bin" / "python"


def run_bare(python: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Run the interpreter of a bare environment, which sees no other packages."""
    hidden = ("PYTHONPATH", "PYTHONHOME")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        [python, "-I", *arguments],
        capture_output=True,
        text=True,
        env=kept | environment,
        timeout=60,
        check=False,
    )


def _with_requirements(names) -> set[str]:
    found, left = set(), [canonicalize_name(name) for name in names]
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        for line in distribution(name).requires or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                left.append(canonicalize_name(requirement.name))
    return found


def _link(source: Path, target: Path) -> None:
    if not target.exists():  # a namespace that several packages share
        target.symlink_to(source)
