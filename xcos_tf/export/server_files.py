"""The files beside the models that make a server of a folder: `docs/serving.md` explains them."""

from pathlib import Path

from xcos_tf.export.models_config import MODELS_CONFIG, MOUNT
from xcos_tf.files import replace_file

_BATCHING = """\
# Used if the server is started with --enable_batching (see compose.yaml).
# The most pairs of one request; it is run in batches of the size below.
max_batch_size { value: 1024 }
enable_large_batch_splitting { value: true }
max_execution_batch_size { value: 32 }
# What is run is filled up to one of these sizes; the last is the one above.
allowed_batch_sizes: 1
allowed_batch_sizes: 2
allowed_batch_sizes: 4
allowed_batch_sizes: 8
allowed_batch_sizes: 16
allowed_batch_sizes: 32
# How long a request waits for company.
batch_timeout_micros { value: 2000 }
# What waits beyond this is refused as UNAVAILABLE.
max_enqueued_batches { value: 64 }
# About as many as there are cores.
num_batch_threads { value: 4 }
"""

_MONITORING = """\
prometheus_config {
  enable: true
  path: "/monitoring/prometheus/metrics"
}
"""

_COMPOSE = f"""\
# TF Serving with all models of this folder: `docker compose up`.
services:
  serving:
    image: tensorflow/serving:${{TF_SERVING_TAG:-latest}}
    restart: unless-stopped
    ports:
      - "127.0.0.1:8500:8500" # gRPC
      - "127.0.0.1:8501:8501" # REST, and metrics for Prometheus
    volumes:
      - .:{MOUNT}:ro
    command:
      - --model_config_file={MOUNT}/{MODELS_CONFIG}
      - --model_config_file_poll_wait_seconds=60
      - --allow_version_labels_for_unavailable_models=true
      - --monitoring_config_file={MOUNT}/monitoring.config
      # To run requests that come at the same time in one batch. `compare_one_to_many` is then
      # refused unless it is one to one.
      # - --enable_batching=true
      # - --batching_parameters_file={MOUNT}/batching.config
"""

SERVER_FILES = {
    "batching.config": _BATCHING,
    "monitoring.config": _MONITORING,
    "compose.yaml": _COMPOSE,
}


def write_missing_files(folder: Path) -> None:
    """Write the server's files that are not there; those that are may have been changed by hand.

    Raises:
        OSError: one cannot be written.
    """
    for name, text in SERVER_FILES.items():
        if not (folder / name).exists():
            replace_file(folder / name, lambda stream, text=text: stream.write(text.encode()))
