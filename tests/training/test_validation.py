import numpy as np
import pytest

from tests.training.noisy_faces import Faces, small_pupil
from xcos_tf.data.records.source import Pairs
from xcos_tf.metrics.rates import kfold_accuracy
from xcos_tf.training import validation
from xcos_tf.training.validation import HeldOut, Validation, cosines, pair_scores, summarise


@pytest.fixture(scope="module")
def trainer():
    return small_pupil()


@pytest.mark.parametrize("kept_bytes", [2**30, 1000])
def test_features_and_embeddings_are_those_of_the_faces(trainer, monkeypatch, kept_bytes):
    monkeypatch.setattr(validation, "KEPT_BYTES", kept_bytes)
    faces = Faces()
    held_out = HeldOut(faces, trainer, limit=100, seed=0)
    grids = trainer.features(faces.normalised())
    np.testing.assert_allclose(held_out.embed(), grids, atol=1e-5)
    embeddings = np.array(trainer.ask_teacher(faces.normalised()))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    np.testing.assert_allclose(held_out.teacher, embeddings, atol=1e-5)


def test_the_limit_draws_faces(trainer):
    held_out = HeldOut(Faces(), trainer, limit=7, seed=3)
    assert len(held_out.labels) == len(held_out.embed()) == len(held_out.teacher) == 7


def test_scores_are_those_of_numpy(trainer):
    grids = np.random.default_rng(0).normal(size=(6, 2, 2, 4)).astype(np.float32)
    pairs = Pairs(np.array([0, 1, 2]), np.array([3, 4, 5]), np.array([True, False, True]))
    unit = grids / np.linalg.norm(grids, axis=-1, keepdims=True)
    expected = (unit[:3] * unit[3:]).sum(-1).mean((1, 2))
    found = pair_scores(trainer.network, grids, pairs, "patched")
    np.testing.assert_allclose(found, expected, atol=1e-5)
    flat = grids.reshape(6, -1)
    plain = (flat[:3] * flat[3:]).sum(1) / np.linalg.norm(flat[:3], axis=1)
    plain /= np.linalg.norm(flat[3:], axis=1)
    np.testing.assert_allclose(cosines(flat, pairs), plain, atol=1e-5)


def test_measures_are_named_and_right(trainer):
    held_out = HeldOut(Faces(), trainer, limit=100, seed=0)
    measured = Validation(trainer, held_out, [], 999, 999, seed=0)
    results = measured.measure(("learned", "patched"))
    kinds = {"auc", "eer", "tar_at_far_1e-3"}
    expected = {f"teacher/{kind}" for kind in kinds}
    expected |= {f"{s}/{kind}" for s in ("learned", "patched") for kind in (*kinds, "rmse")}
    assert results.keys() == expected
    pairs = measured.pairs
    assert len(pairs) == 190 and pairs.same.sum() == 40
    scores = pair_scores(trainer.network, held_out.embed(), pairs, "patched")
    squared = (scores - cosines(held_out.teacher, pairs)) ** 2
    balanced = (squared[pairs.same].mean() + squared[~pairs.same].mean()) / 2
    assert results["patched/rmse"] == pytest.approx(balanced**0.5)
    # Of 190 pairs, those in which a genuine one scores higher than an impostor one.
    higher = scores[pairs.same][:, None] > scores[~pairs.same]
    assert results["patched/auc"] == pytest.approx(higher.mean())
    assert results["patched/auc"] > 0.8  # the patterns are told apart even by random weights


def test_one_kind_of_pairs_has_no_rates():
    assert summarise(np.array([0.1, 0.2]), np.array([True, True])) == {}


def test_the_second_face_of_each_pair_is_covered(trainer):
    faces = Faces()
    held_out = HeldOut(faces, trainer, limit=100, seed=0, strokes=True)
    assert held_out.covered == len(faces)
    features, plain = held_out.embed(), HeldOut(faces, trainer, limit=100, seed=0)
    np.testing.assert_allclose(features[: len(faces)], plain.embed(), atol=1e-5)
    assert (
        np.abs(features[len(faces) :] - features[: len(faces)]).max((1, 2, 3)) > 0.01
    ).sum() > 15
    np.testing.assert_allclose(held_out.teacher, np.tile(plain.teacher, (2, 1)), atol=1e-6)
    again = HeldOut(faces, trainer, limit=100, seed=0, strokes=True)
    np.testing.assert_array_equal(again.embed(), features)

    measured = Validation(trainer, held_out, [], 30, 100, 5).measure(("patched",))
    pairs = Validation(trainer, plain, [], 30, 100, 5).pairs
    shifted = Pairs(pairs.first, pairs.second + len(faces), pairs.same)
    scores = pair_scores(trainer.network, features, shifted, "patched")
    assert measured["patched/auc"] == summarise(scores, pairs.same)["auc"]
    assert measured["teacher/auc"] == summarise(cosines(plain.teacher, pairs), pairs.same)["auc"]


def test_a_verification_set_is_measured_in_the_folds_of_its_evaluation(trainer, tmp_path):
    class Records(Faces):
        folder = tmp_path / "lfw"

        def pairs(self):
            # 24 pairs, genuine and impostor ones by turns: six folds of two, four of three.
            first = np.random.default_rng(9).integers(0, 10, 24)
            genuine = np.arange(24) % 2 == 0
            second = np.where(genuine, first // 5 * 5 + (first + 1) % 5, first + 10)
            return Pairs(first, second, genuine)

    records = Records()
    pairs = records.pairs()
    results = Validation(trainer, None, [records], 1, 1, seed=0).measure(["patched"])
    grids = np.asarray(trainer.features(records.normalised()))
    scores = pair_scores(trainer.network, grids, pairs, "patched")
    fold = np.repeat(np.arange(10), [3] * 4 + [2] * 6)
    expected = kfold_accuracy(scores, pairs.same, fold).mean
    assert results == {"patched/accuracy lfw": pytest.approx(expected)}
