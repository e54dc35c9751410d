"""The files that make a server of a folder."""

import re

from xcos_tf.export.models_config import MOUNT, SERVER_FILES, write_missing_files
from xcos_tf.yaml_text import parse_yaml


def test_the_compose_file_starts_a_server_of_this_folder(served_folder):
    compose = parse_yaml((served_folder / "compose.yaml").read_bytes(), "compose.yaml")
    [service] = compose["services"].values()
    assert service["image"].startswith("tensorflow/serving:")
    assert service["volumes"] == [f".:{MOUNT}:ro"]
    flags = dict(flag.removeprefix("--").split("=") for flag in service["command"])
    files = {key: value for key, value in flags.items() if key.endswith("config_file")}
    assert len(files) == 2
    for path in files.values():
        assert (served_folder / path.removeprefix(f"{MOUNT}/")).is_file()
    # Without this a server refuses to start with labels.
    assert flags["allow_version_labels_for_unavailable_models"] == "true"


def test_batching_holds_what_tf_serving_asks_of_it():
    text = (SERVER_FILES / "batching.config").read_text()
    allowed = [int(size) for size in re.findall(r"^allowed_batch_sizes: (\d+)$", text, re.M)]
    assert allowed == sorted(allowed) and allowed[0] == 1
    assert f"max_execution_batch_size {{ value: {allowed[-1]} }}" in text


def test_what_was_changed_by_hand_stays(tmp_path):
    (tmp_path / "batching.config").write_text("mine")
    write_missing_files(tmp_path)
    assert (tmp_path / "batching.config").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        path.name for path in SERVER_FILES.iterdir()
    )
    assert (tmp_path / "compose.yaml").read_bytes() == (SERVER_FILES / "compose.yaml").read_bytes()
