import csv
import runpy
from pathlib import Path

import numpy as np
import pytest

from tools import generate_faces
from xcos_tf.models.network import FaceEmbedder, XCos

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).resolve().parents[1] / "examples/train_fit.py"


def test_a_folder_of_faces_becomes_a_preset(tmp_path):
    faces, out = tmp_path / "faces", tmp_path / "out"
    generate_faces.generate(faces, people=4, faces=5, seed=0)
    main = runpy.run_path(str(EXAMPLE))["main"]
    assert main([str(faces), "--out", str(out), "--epochs", "2", "--batch", "9"]) == 0
    with open(out / "epochs.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert float(rows[1]["loss"]) < float(rows[0]["loss"])
    network = XCos.from_preset(out / "preset")
    start = FaceEmbedder.from_preset("mobilefacenet").backbone
    changed = [
        not np.array_equal(np.asarray(a), np.asarray(b))
        for a, b in zip(network.backbone.weights, start.weights, strict=True)
    ]
    assert 0 < sum(changed) < 20 < len(changed) / 3  # what follows 7×7×128
    assert not any(changed[:50])
