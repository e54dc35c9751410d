import dataclasses
import os
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tests.export.compression.toy import BLOCKS, SIZE, toy_weights
from tools.generate_faces import draw_face
from xcos_tf.errors import XcosError
from xcos_tf.export.compression import COMPRESSED
from xcos_tf.export.compression.fine_tuning import (
    FineTuning,
    Request,
    face_order,
    fine_tune,
    make_student,
    training_batches,
)
from xcos_tf.export.compression.layout import grid_feature
from xcos_tf.export.compression.operations import FloatOperations

STEPS, BATCH = 8, 4


def drawn(number):
    face = draw_face(np.random.default_rng([2, number % 3]), np.random.default_rng([2, number, 1]))
    return (np.asarray(face.resize((SIZE, SIZE)), np.float32) - 127.5) / 128


@pytest.fixture(
    scope="module",
    params=[pytest.param(x, marks=[pytest.mark.slow] * (x != "qat")) for x in COMPRESSED],
)
def toy(request, tmp_path_factory):
    """A toy that was fine-tuned, and again from half-way."""
    weights = {
        name: np.clip(array, -1, 1) if name.endswith("alpha") else array
        for name, array in toy_weights(np.random.default_rng(3)).items()
    }
    images = np.stack([drawn(i) for i in range(BATCH)])
    asked = Request(
        "", request.param, [], steps=STEPS, batch=BATCH, rate=1e-3, sparsity=0.6, clusters=8
    )

    def start(asked=asked):
        def teacher(x):
            return grid_feature(x, FloatOperations(weights), BLOCKS)

        return FineTuning(make_student(asked, weights, images, BLOCKS), teacher, asked)

    state = tmp_path_factory.mktemp("toy") / "state.npz"
    run, again = start(), start()
    first = run.student.arrays()
    losses = [run.advance(images) for _ in range(STEPS // 2)]
    run.save(state)
    losses += [run.advance(images) for _ in range(STEPS // 2)]
    again.restore(state)
    assert again.step == STEPS // 2 and again.losses == losses[: STEPS // 2]
    resumed = [again.advance(images) for _ in range(STEPS // 2)]
    return SimpleNamespace(**locals(), arrays=run.student.arrays(), variant=request.param)


def test_a_student_learns_and_goes_on_where_it_stopped(toy):
    assert toy.losses[-1] < max(toy.losses) and np.isfinite(toy.losses).all()
    np.testing.assert_allclose(toy.resumed, toy.losses[STEPS // 2 :], rtol=1e-3)
    for name, array in toy.again.student.arrays().items():
        np.testing.assert_allclose(array, toy.arrays[name], atol=1e-5)


def test_each_gives_what_it_promises(toy):
    kernel = toy.arrays["block_0_expand/kernel"]
    if toy.variant == "pruned":
        assert np.mean(kernel == 0) == pytest.approx(0.6, abs=0.01)
    elif toy.variant == "clustered":
        assert len(np.unique(kernel)) <= 8 < len(np.unique(toy.arrays["stem_conv/kernel"]))
    else:
        assert {"stem_conv_prelu/rest", "stem_conv_prelu_rest/range", "image/range"} <= set(
            toy.arrays
        )
        assert not any(name.endswith("alpha") for name in toy.arrays)
        (first_low, first_high), (low, high) = (
            arrays["block_1_add/range"] for arrays in (toy.first, toy.arrays)
        )
        assert low < 0 < high and abs(high / first_high - 1) > 1e-3
        assert low / first_low == pytest.approx(high / first_high)


def test_a_state_that_will_not_do_is_one_sentence(toy):
    other = FineTuning(toy.again.student, None, dataclasses.replace(toy.asked, seed=9))
    with pytest.raises(XcosError, match="run with other settings"):
        other.restore(toy.state)
    content = toy.state.read_bytes()
    toy.state.write_bytes(b"no archive")
    with pytest.raises(XcosError, match="delete it to start again"):
        toy.again.restore(toy.state)
    toy.state.write_bytes(content)


class Faces:
    """Eight encoded faces."""

    def __init__(self, faces):
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


def test_a_set_that_is_not_there(tmp_path):
    asked = Request("xcos-mobilefacenet-2", "qat", [str(tmp_path / "none")])
    with pytest.raises(XcosError, match="is no prepared set; make one with `xcos prepare`"):
        fine_tune(asked, tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_processes_that_start_later_keep_their_keras():
    make_student(Request("", "pruned", []), {}, None, ())
    assert "TF_USE_LEGACY_KERAS" not in os.environ
