"""The files that ship are what the tool makes of the package's weights, and find what it finds."""

import gc
import json
import sys

import numpy as np

from tools.convert_mtcnn import NETWORKS, RECORD, SHIPPED, main
from xcos_tf.data.cascade import Network


def test_files_are_made_anew(tmp_path, monkeypatch):
    """Weights are loaded without a file that joblib opens, from which a traceback may come."""

    class Forbidden:
        def __init__(self, *args, **kwargs):
            raise AssertionError("opened a file of lz4's")

    passed_over = []
    monkeypatch.setattr("joblib.compressor.LZ4FrameFile", Forbidden)
    monkeypatch.setattr(sys, "unraisablehook", passed_over.append)
    assert main([str(tmp_path)]) == 0
    gc.collect()
    assert not passed_over
    new, shipped = (json.loads((folder / RECORD).read_text()) for folder in (tmp_path, SHIPPED))
    assert new["sha256 of the weights"] == shipped["sha256 of the weights"]
    if new["by"] == shipped["by"]:
        assert new == shipped


def test_networks_are_those_of_the_package():
    from mtcnn import MTCNN

    stages = MTCNN().stages
    images = np.random.default_rng(0).integers(0, 256, (5, 48, 48, 3)).astype(np.float32)
    for stage, (name, (shape, _)) in zip(stages, NETWORKS.items(), strict=True):
        side = shape[1] or 48
        batch = images[: shape[0], :side, :side]
        offsets, *landmarks, faces = stage.model((batch - 127.5) / 128)
        odds, *rest = np.split(Network(name)(batch), [1, 5], axis=-1)
        likely = 1 / (1 + np.exp(-odds[..., 0]))
        np.testing.assert_allclose(likely, np.asarray(faces)[..., 1], atol=1e-5)
        for ours, theirs in zip(rest, (offsets, *landmarks, np.empty(0)), strict=False):
            np.testing.assert_allclose(ours.reshape(theirs.shape), theirs, atol=1e-5)
