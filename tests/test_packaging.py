"""The wheel and the sdist: what they hold, and that what is installed from them works."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from xcos_tf import __version__

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("pyproject.toml", "setup.py", "README.md", "LICENSE")


def run(*words, **options) -> str:
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    words = list(map(str, words))
    done = subprocess.run(words, capture_output=True, text=True, env=bare, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with the sdist, and the wheel that is built from it."""
    source, out = (tmp_path_factory.mktemp(x) for x in ("source", "dist"))
    for name in SOURCES:
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "xcos_tf", source / "xcos_tf", ignore=lambda *_: ["__pycache__"])
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, source)
    return out


@pytest.fixture(scope="module")
def wheel(built) -> Path:
    (found,) = built.glob("*.whl")
    return found


def package_files() -> set[str]:
    paths = (ROOT / "xcos_tf").rglob("*")
    return {
        path.relative_to(ROOT).as_posix()
        for path in paths
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_both_hold_every_file_of_the_package(built, wheel):
    expected = package_files()
    assert {Path(name).suffix for name in expected} >= {".tflite", ".html", ".js", ".jpg", ".png"}
    assert expected <= set(zipfile.ZipFile(wheel).namelist())
    with tarfile.open(built / f"xcos_tf-{__version__}.tar.gz") as sdist:
        assert expected <= {name.partition("/")[2] for name in sdist.getnames()}


def test_an_index_takes_both(built):
    run(sys.executable, "-m", "twine", "check", "--strict", *built.iterdir())


def test_what_is_installed_verifies(wheel, tmp_path):
    venv.create(tmp_path / "venv", with_pip=False)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = tmp_path / "venv" / "lib" / version / "site-packages"
    # What xcos_tf needs is that of this environment, after what is installed from the wheel.
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"))
    python, xcos = (tmp_path / "venv" / "bin" / name for name in ("python", "xcos"))
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", wheel)
    where = run(python, "-c", "import xcos_tf; print(xcos_tf.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(packages)
    assert run(xcos, "--version", cwd=tmp_path) == f"xcos {__version__}\n"
    photos = [ROOT / "tests" / "photos" / name for name in ("obama.jpg", "obama2.jpg")]
    assert "same person" in run(xcos, "verify", *photos, cwd=tmp_path)
