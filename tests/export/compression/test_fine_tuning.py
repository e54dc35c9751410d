import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from xcos_tf.errors import XcosError
from xcos_tf.export.compression.faces import face_order, training_batches
from xcos_tf.export.compression.request import Request, run_fine_tuning

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    """What fine_tune_toys.py prints."""
    script = [sys.executable, "-m", "tests.export.compression.fine_tune_toys"]
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [*script, str(tmp_path_factory.mktemp("toys"))],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout.splitlines()[-1])


@pytest.mark.parametrize("variant", ["pruned", "clustered", "qat"])
def test_a_student_learns_and_goes_on_where_it_stopped(toys, variant):
    toy = toys[variant]
    worst = max(toy["losses"])
    assert toy["losses"][-1] < worst and np.isfinite(worst)
    np.testing.assert_allclose(toy["resumed"], toy["losses"][4:], rtol=1e-3)
    assert toy["same"]
    assert "run with other settings" in toy["other settings"]
    assert "delete it to start again" in toy["damaged"]


def test_each_gives_what_it_promises(toys):
    assert toys["pruned"]["zeros"] == pytest.approx(0.6, abs=0.01)
    assert toys["clustered"]["values"] <= 8 < toys["clustered"]["small_values"]
    names = set(toys["qat"]["names"])
    assert {"stem_conv_prelu/rest", "stem_conv_prelu_rest/range", "image/range"} <= names
    assert not any(name.endswith("alpha") for name in names)
    low, high = toys["qat"]["range"]
    first_low, first_high = toys["qat"]["first_range"]
    assert low < 0 < high and (low, high) != (-6, 6) != (first_low, first_high)
    assert abs(high / first_high - 1) > 1e-3
    assert low / first_low == pytest.approx(high / first_high)


class Faces:
    """Eight encoded faces."""

    def __init__(self, faces):
        import tensorflow as tf

        pixels = np.round(faces * 128 + 127.5).astype(np.uint8)
        self._files = [tf.io.encode_png(face).numpy() for face in pixels]

    def __len__(self):
        return len(self._files)

    def read(self, positions):
        return [self._files[i] for i in positions]


def test_batches_depend_on_the_step_alone(faces):
    encoded = Faces(faces)
    request = Request("", "qat", [], steps=5, batch=4)
    whole = [x.numpy() for x in training_batches(encoded, request, 0)]
    rest = [x.numpy() for x in training_batches(encoded, request, 3)]
    assert len(whole) == 5 and len(rest) == 2
    np.testing.assert_array_equal(whole[3:], rest)
    assert whole[0].shape == (4, 112, 112, 3) and np.abs(whole).max() <= 127.5 / 128
    as_they_are = [
        any(np.allclose(x, face, atol=1e-6) for face in faces) for x in np.concatenate(whole)
    ]
    assert 0 < sum(as_they_are) < 20


def test_each_face_comes_once_in_a_round():
    order = face_order(6, 15, seed=1)
    assert sorted(order[:6]) == sorted(order[6:12]) == list(range(6))
    assert list(order[:6]) != list(order[6:12])
    assert len(order) == 15


def test_the_child_says_what_is_wrong(tmp_path, capfd):
    request = Request("xcos-mobilefacenet", "qat", [str(tmp_path / "none")])
    with pytest.raises(XcosError, match="fine-tuning of qat ended with code 2"):
        run_fine_tuning(request, tmp_path / "work")
    assert "is no prepared set; make one with `xcos prepare`" in capfd.readouterr().err
