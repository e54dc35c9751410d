"""What a run was made with, so that it can be told, and made again, years later."""

import contextlib
import fnmatch
import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import tensorflow as tf

import xcos_tf
from xcos_tf.errors import XcosError, explained, shown
from xcos_tf.files import parse_json, read_bytes, replace_file, write_json
from xcos_tf.yaml_text import parse_yaml

MAY_CHANGE = (
    *("steps", "epochs", "optimizers.*.learning_rate", "schedule.*", "devices.*"),
    "finish.*",  # what comes after training
)
"""Dotted keys of a configuration that a run may be taken up again with others of."""


def writing(path: Path) -> contextlib.AbstractContextManager[None]:
    """Raise XcosError where a block cannot write a file of a run: the disk is full, or the like."""
    advice = (
        "make sure that its folder can be and that the disk has room, and start the same command "
        "again"
    )
    return explained(f"{path} cannot be written", advice, (OSError, tf.errors.OpError))


@dataclass(frozen=True)
class Change:
    """A key of a configuration, dotted, and its values; None where it is not given."""

    key: str
    old: object
    new: object

    def __str__(self) -> str:
        return f"{self.key} is {json.dumps(self.new)} instead of {json.dumps(self.old)}"


def changes(folder: str | os.PathLike, config_text: str) -> list[Change]:
    """Return what the folder's run, if there is one, is to go on with another value of.

    Comments and layout do not count.

    Raises:
        XcosError: a key differs that may not change, or a text is not YAML or cannot be read.
    """
    config_file = Path(folder) / "config.yaml"
    config, before = parse_yaml(config_text.encode(), "the configuration"), _read(config_file)
    if before is None:
        return []
    found = list(_differences(parse_yaml(before.encode(), config_file), config))
    keys = [change.key for change in found]
    if refused := [x for x in keys if not any(fnmatch.fnmatchcase(x, y) for y in MAY_CHANGE)]:
        raise XcosError(
            f"{config_file} differs from the configuration in {shown(', '.join(refused))}; start a "
            "new folder or give the old configuration"
        )
    return found


def record_run(
    folder: str | os.PathLike,
    config_text: str,
    seed: int,
    devices: Sequence[str],
    sets: Mapping[str, str] | None = None,
    step: int = 0,
) -> list[Change]:
    """Write `config.yaml` and `run.json`, or note that a run is taken up again.

    `config.yaml` is the text as it was given, first or with the last change. `run.json` holds
    "started" (UTC), "seed", "devices", "sets", "git" ({"revision", "dirty"} of the checkout that
    the package is run from, or null), "versions" and "platform"; in "resumes", for each later call,
    "time", "git" and "versions"; and in "changes", for each key of the configuration that it
    brought another value of, "time", "step", "key", "from" and "to".

    Returns what has changed in the configuration. The folder is made if it is not there; `sets`
    are {name of a prepared set: fingerprint of its source}.

    Raises:
        XcosError: as by `changes`; or the folder's run is of other faces, or a file cannot be read
            or written.
    """
    folder = Path(folder)
    config_file, run_file = folder / "config.yaml", folder / "run.json"
    changed = changes(folder, config_text)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with writing(run_file):  # first, so that a kill in between loses no change
        write_json(
            run_file, _run(_read(run_file), run_file, seed, devices, sets or {}, changed, step)
        )
    if changed or not config_file.exists():
        with writing(config_file):
            replace_file(config_file, lambda stream: stream.write(config_text.encode()))
    return changed


def _run(before: str | None, run_file: Path, seed, devices, sets, changed, step) -> dict:
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
            "changes": [],
        }
    try:
        run = parse_json(before.encode(), str(run_file), "move it away")
        others = [x.key for x in _differences(run.get("sets", sets), dict(sets))]
        run["resumes"].append({"time": now, "git": git, "versions": versions})
        run.setdefault("changes", []).extend(
            {"time": now, "step": step, "key": change.key, "from": change.old, "to": change.new}
            for change in changed
        )
    except (XcosError, KeyError, TypeError, AttributeError):
        raise XcosError(f"{run_file} is not the record of a run; move it away") from None
    if others:
        raise XcosError(
            f"{run_file} is of a run on other faces ({shown(', '.join(others))}); give the sets "
            "that it was started with, or start a new folder"
        )
    return run


def _read(path: Path) -> str | None:
    with explained(f"{path} cannot be read", "move it away", (OSError, UnicodeDecodeError)):
        try:
            return read_bytes(path).decode()  # a line may end as it likes
        except (FileNotFoundError, NotADirectoryError):
            return None


def _differences(old, new, within: str = "") -> Iterator[Change]:
    """Yield the dotted keys whose values are not the same, or that only one side has."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            name = f"{within}.{key}" if within else str(key)
            either = old.get(key, new.get(key))
            absent = {} if isinstance(either, dict) else None  # as a section without keys
            if (key in old and key in new) or absent == {}:
                yield from _differences(old.get(key, absent), new.get(key, absent), name)
            else:
                yield Change(name, old.get(key), new.get(key))
    elif old != new:
        yield Change(within or "everything", old, new)


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
