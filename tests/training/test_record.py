"""What a run was made with."""

import errno
import json
import os
import platform
import subprocess
from datetime import datetime, timedelta, timezone

import keras
import numpy as np
import pytest
import safetensors
import tensorflow as tf

import xcos_tf
from xcos_tf.errors import XcosError
from xcos_tf.training import record
from xcos_tf.training.record import record_run
from xcos_tf.yaml_text import parse_yaml, to_yaml

CONFIG = """# How it was
name: small   # é
steps: 100
loss: {learned: 1.0, patched: 0.5}
optimizers: {head: {name: Adam, learning_rate: 0.01}}
data:
  sets: [a, b]\r
"""


def run_of(folder):
    return json.loads((folder / "run.json").read_text())


def is_now(text):
    moment = datetime.fromisoformat(text)
    return moment.utcoffset() == timedelta() and datetime.now(timezone.utc) - moment < timedelta(
        minutes=1
    )


def test_the_first_start(tmp_path):
    folder = tmp_path / "runs" / "first"
    record_run(folder, CONFIG, np.int64(7), ("CPU:0", "CPU:1"))
    assert (folder / "config.yaml").read_bytes() == CONFIG.encode()
    run = run_of(folder)
    assert is_now(run["started"])
    assert (run["seed"], run["devices"], run["resumes"]) == (7, ["CPU:0", "CPU:1"], [])
    assert run["platform"] == platform.platform()
    versions = run["versions"]
    assert versions["xcos_tf"] == xcos_tf.__version__
    assert versions["python"] == platform.python_version()
    assert versions["tensorflow"] == tf.__version__
    assert versions["keras"] == keras.__version__
    assert versions["numpy"] == np.__version__
    assert versions["safetensors"] == safetensors.__version__
    assert sorted(path.name for path in folder.iterdir()) == ["config.yaml", "run.json"]


def test_later_starts_are_added(tmp_path):
    record_run(tmp_path, CONFIG, 7, ["CPU:0"])
    first = run_of(tmp_path)
    # The same, written otherwise.
    again = to_yaml(parse_yaml(CONFIG.encode(), "it"))
    for count in (1, 2):
        record_run(tmp_path, again, 7, ["CPU:0"])
        run = run_of(tmp_path)
        assert len(run["resumes"]) == count
        last = run["resumes"][-1]
        assert is_now(last["time"])
        assert (last["git"], last["versions"]) == (first["git"], first["versions"])
        assert {**run, "resumes": []} == first
    assert (tmp_path / "config.yaml").read_bytes() == CONFIG.encode()


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        (lambda v: v["loss"].update(learned=2.0), "loss.learned"),
        (lambda v: v.update(steps=200, augmentation={"flip": 0.0}), "augmentation.flip"),
        (
            lambda v: v["optimizers"]["head"].update(learning_rate=1, name="SGD"),
            "optimizers.head.name",
        ),
        (lambda v: v["optimizers"].update(attention={"name": "SGD"}), "optimizers.attention.name"),
        (lambda v: (v["data"]["sets"].reverse(), v.pop("name")), "name, data.sets"),
        (lambda v: v.update(loss=None, seed=3), "loss, seed"),
    ],
)
def test_another_configuration_is_refused(tmp_path, change, keys):
    record_run(tmp_path, CONFIG, 7, [])
    before = run_of(tmp_path)
    values = parse_yaml(CONFIG.encode(), "it")
    change(values)
    with pytest.raises(XcosError) as caught:
        record_run(tmp_path, to_yaml(values), 7, [])
    assert str(caught.value) == (
        f"{tmp_path / 'config.yaml'} differs from the configuration in {keys}; start a new folder "
        "or give the old configuration"
    )
    assert run_of(tmp_path) == before


def test_rates_length_and_devices_may_change_and_are_noted(tmp_path):
    record_run(tmp_path, CONFIG, 7, [])
    values = parse_yaml(CONFIG.encode(), "it")
    values["optimizers"]["head"]["learning_rate"] = 0.001
    values.update(steps=200, devices={"precision": "mixed_float16"}, schedule={"warmup": 3})
    values.update(finish={"correlation_pairs": 0})
    text = to_yaml(values)
    changed = record_run(tmp_path, text, 7, [], step=40)
    assert set(map(str, changed)) == {
        "steps is 200 instead of 100",
        "optimizers.head.learning_rate is 0.001 instead of 0.01",
        'devices.precision is "mixed_float16" instead of null',
        "schedule.warmup is 3 instead of null",
        "finish.correlation_pairs is 0 instead of null",
    }
    noted = run_of(tmp_path)["changes"]
    assert len(noted) == 5 and all(is_now(change.pop("time")) for change in noted)
    assert {"step": 40, "key": "steps", "from": 100, "to": 200} in noted
    assert (tmp_path / "config.yaml").read_text() == text
    before = run_of(tmp_path)
    assert record_run(tmp_path, text, 7, [], step=50) == []
    assert run_of(tmp_path)["changes"] == before["changes"]
    record_run(tmp_path, CONFIG, 7, [], step=60)
    assert run_of(tmp_path)["changes"][-5:-4][0]["step"] == 60
    assert (tmp_path / "config.yaml").read_bytes() == CONFIG.encode()


def test_a_first_start_that_was_killed_half_way_is_done_again(tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    record_run(tmp_path, CONFIG, 7, [])
    assert run_of(tmp_path)["resumes"] == []


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("config.yaml", "a: [", r"config\.yaml is not proper YAML"),
        ("config.yaml", "just words", r"config\.yaml differs .* in everything"),
        ("run.json", "{", r"run\.json is not the record of a run; move it away"),
        ("run.json", "[]", r"run\.json is not the record of a run; move it away"),
    ],
)
def test_files_of_something_else_are_left_alone(tmp_path, name, content, sentence):
    (tmp_path / name).write_text(content)
    with pytest.raises(XcosError, match=sentence):
        record_run(tmp_path, CONFIG, 7, [])
    assert (tmp_path / name).read_text() == content


def test_text_that_is_not_yaml_is_refused(tmp_path):
    with pytest.raises(XcosError, match="the configuration is not proper YAML"):
        record_run(tmp_path / "run", "a: [", 7, [])
    assert not (tmp_path / "run").exists()


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(XcosError, match=r"^[^;]*file/run cannot be written \(Not a dir[^.]*$"):
        record_run(tmp_path / "file" / "run", CONFIG, 7, [])


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    record_run(tmp_path, CONFIG, 7, [])
    before = run_of(tmp_path)

    def full(number):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(XcosError, match=r"run\.json cannot be written \(No space left"):
        record_run(tmp_path, CONFIG, 7, [])
    assert run_of(tmp_path) == before


@pytest.fixture
def checkout(tmp_path):
    """A function that runs git in a checkout of its own, which has a package in it."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("a = 1\n")

    def git(*words):
        who = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", "-C", str(tmp_path), *who, *words], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    git("init")
    git("commit", "--allow-empty", "-m", "Start")
    return git


def test_git_tells_the_revision_and_what_was_edited(tmp_path, checkout):
    package = tmp_path / "package"
    assert record._git(package) is None  # within a checkout, but no part of it
    checkout("add", ".")
    checkout("commit", "-m", "Add the package")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "metrics.csv").write_text("step\n")
    revision = checkout("rev-parse", "HEAD")
    assert record._git(package) == {"revision": revision, "dirty": False}
    (package / "__init__.py").write_text("a = 2\n")
    assert record._git(package) == {"revision": revision, "dirty": True}


def test_no_git_is_no_trouble(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert record._git(tmp_path) is None
    monkeypatch.setenv("PATH", "")
    record_run(tmp_path / "run", CONFIG, 7, [])
    assert run_of(tmp_path / "run")["git"] is None
