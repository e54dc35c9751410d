"""How long exported models take, measured in turn so that noise hits all alike."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from xcos_tf.mobile.lite_model import LiteModel

WARM_UP = 5


def seconds_of(files: Sequence[Path], faces: np.ndarray, threads: int, rounds: int) -> list[float]:
    """Return the shortest that one run of each `embed` or `verify` file took.

    Other programs only ever add to a time, and to a long run's more often than to a short one's.

    Args:
        files: for a batch of one.
        faces: uint8 (1, H, W, 3), shown to every input.
        threads: that each may use.
        rounds: of one run of each.
    """
    models = [LiteModel(path, path.name.split(".")[0], threads) for path in files]
    inputs = [[faces] * len(model.metadata["inputs"]) for model in models]
    seconds = np.empty((WARM_UP + rounds, len(models)))
    for row in seconds:
        for number, (model, batch) in enumerate(zip(models, inputs, strict=True)):
            start = time.perf_counter()
            model(*batch)
            row[number] = time.perf_counter() - start
    return seconds[WARM_UP:].min(axis=0).tolist()
