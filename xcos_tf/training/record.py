"""What a run was made with, so that it can be told, and made again, years later."""

import contextlib
import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

import tensorflow as tf
import yaml

import xcos_tf
from xcos_tf.errors import XcosError
from xcos_tf.files import replace_file, write_json
from xcos_tf.training.run_files import writing


def record_run(
    folder: str | os.PathLike,
    config_text: str,
    seed: int,
    devices: Sequence[str],
    sets: Mapping[str, str] | None = None,
) -> None:
    """Write `config.yaml` and `run.json`, or note that a run is taken up again.

    `config.yaml` is the text as it was given first. `run.json` holds "started" (UTC), "seed",
    "devices", "sets", "git" ({"revision", "dirty"} of the checkout that the package is run from, or
    null), "versions" and "platform"; and in "resumes", for each later call, "time", "git" and
    "versions".

    Args:
        folder: of the run; made if it is not there.
        config_text: YAML.
        seed: of the run.
        devices: names of what it is trained on.
        sets: {name of a prepared set: fingerprint of its source}.

    Raises:
        XcosError: the text is not YAML; the folder's run has another configuration (comments and
            layout do not count) or other faces; or a file cannot be read or written.
    """
    folder = Path(folder)
    config_file, run_file = folder / "config.yaml", folder / "run.json"
    config = _parse(config_text, "the configuration")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    before = _read(config_file)
    if before is None:
        with writing(config_file):
            replace_file(config_file, lambda stream: stream.write(config_text.encode()))
    else:
        _check_same(_parse(before, config_file), config, config_file)
    with writing(run_file):
        write_json(run_file, _run(_read(run_file), run_file, seed, devices, sets or {}))


def _run(before: str | None, run_file: Path, seed, devices, sets) -> dict:
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    git, versions = _git(), _versions()
    if before is None:
        return {
            "started": now,
            "seed": int(seed),
            "devices": list(devices),
            "sets": dict(sets),
            "git": git,
            "versions": versions,
            "platform": platform.platform(),
            "resumes": [],
        }
    try:
        run = json.loads(before)
        others = _differences(run.get("sets", sets), dict(sets))
        run["resumes"].append({"time": now, "git": git, "versions": versions})
    except (ValueError, KeyError, TypeError, AttributeError):
        raise XcosError(f"{run_file} is not the record of a run; move it away") from None
    if others:
        raise XcosError(
            f"{run_file} is of a run on other faces ({', '.join(others)}); give the sets that it "
            "was started with, or start a new folder"
        )
    return run


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode()  # a line may end as it likes
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise XcosError(f"{path} cannot be read ({error}); move it away") from None


def _parse(text: str, name: str | Path):
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise XcosError(f"{name} is not YAML ({reason}); mend it") from None


def _check_same(old, new, config_file: Path) -> None:
    keys = _differences(old, new)
    if keys:
        raise XcosError(
            f"{config_file} differs from the configuration in {', '.join(keys)}; start a new "
            "folder or give the old configuration"
        )


def _differences(old, new, within: str = "") -> list[str]:
    """Return the dotted keys whose values are not the same, or that only one side has."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return [] if old == new else [within or "everything"]
    keys = []
    for key in {**old, **new}:
        name = f"{within}.{key}" if within else str(key)
        if key in old and key in new:
            keys += _differences(old[key], new[key], name)
        else:
            keys.append(name)
    return keys


def _versions() -> dict[str, str]:
    versions = {
        "xcos_tf": xcos_tf.__version__,
        "python": platform.python_version(),
        "tensorflow": tf.__version__,  # of which there are packages under several names
    }
    for name in ("keras", "numpy", "safetensors", "tensorflow-addons"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


def _git(package: Path = Path(xcos_tf.__file__).parent) -> dict | None:
    """Return the revision of the checkout that a package lies in, and whether it was edited.

    An installed package may lie in a folder of somebody else's checkout, which does not count;
    nor do files that git does not know, such as runs.
    """

    def ask(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(package), *words],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
        return done.stdout.strip()

    try:
        ask("ls-files", "--error-unmatch", "__init__.py")
        dirty = bool(ask("status", "--porcelain", "--untracked-files=no"))
        return {"revision": ask("rev-parse", "HEAD"), "dirty": dirty}
    except (OSError, subprocess.CalledProcessError):
        return None
