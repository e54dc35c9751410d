import numpy as np
import pytest

from xcos_tf.errors import XcosError
from xcos_tf.explain.whatif import fitting
from xcos_tf.explain.whatif.covering import CoveredFaces
from xcos_tf.explain.whatif.fitting import Mates, agreement, fit_covered_grids
from xcos_tf.models.comparison import comparison

SHAPE = (3, 3, 4)


@pytest.fixture(scope="module")
def compare():
    return comparison(SHAPE, "patched")


def world(count, seed):
    """Return faces of which covering a cell turns its feature to another, and its neighbours'."""
    random = np.random.default_rng(seed)
    people = random.normal(size=(count // 4, *SHAPE))
    labels = np.arange(count) % len(people)
    grids = (people[labels] + 0.5 * random.normal(size=(count, *SHAPE))).astype(np.float32)
    other = np.array([1.0, -1.0, 0.5, 0.0])
    own = np.eye(9).reshape(9, 3, 3, 1)
    covered = grids[:, np.newaxis] * (1 - own) + own * other
    return CoveredFaces(labels, grids, covered.astype(np.float16))


def test_it_learns_what_covering_does_and_for_faces_it_never_saw(compare):
    model = fit_covered_grids(world(64, 1), compare, seed=0, steps=120, channels=32)
    unseen = world(32, 2)
    guessed = model(unseen.grids).numpy()
    unchanged = np.square(unseen.grids[:, np.newaxis] - unseen.covered).mean()
    assert np.square(guessed - unseen.covered).mean() < unchanged
    assert agreement(unseen, model, compare, seed=0)["rank_correlation"] > 0.35


def test_a_right_guess_agrees_wholly_and_an_opposite_one_not(compare):
    faces = world(16, 3)
    places = {grid.tobytes(): i for i, grid in enumerate(faces.grids)}

    def right(grids):
        return faces.covered[[places[grid.tobytes()] for grid in grids]].astype(np.float32)

    assert agreement(faces, right, compare, seed=0) == {"rank_correlation": 1.0, "right_sign": 1.0}
    nothing = agreement(faces, lambda x: np.repeat(x[:, np.newaxis], 9, axis=1), compare, seed=0)
    assert abs(nothing["rank_correlation"]) < 0.05 and nothing["right_sign"] == 0


def test_signs_are_of_drops_that_were_guessed_as_large(compare, monkeypatch):
    true = np.array([0.1, 0.1, -0.1, -0.1, 0.1, -0.1, 0.1, -0.1, 0.0])
    guess = np.array([0.02, -0.03, -0.04, 0.03, 0.019, 0.019, 0.05, -0.001, 0.03])

    def drops(compare, grids, covered, others):
        return np.tile(guess if covered is grids else true, (len(grids), 2, 1))

    monkeypatch.setattr(fitting, "_drops", drops)
    found = agreement(world(16, 3), lambda grids: grids, compare, seed=0)
    assert found["right_sign"] == pytest.approx(3 / 6)


def test_the_same_seed_fits_the_same(compare):
    faces = world(16, 4)
    one, same, other = (
        fit_covered_grids(faces, compare, seed, steps=3, channels=4) for seed in (5, 5, 6)
    )
    grids = faces.grids[:2]
    np.testing.assert_array_equal(one(grids), same(grids))
    assert np.abs(one(grids) - other(grids)).max() > 1e-6
    mean = one.get_layer("covered").mean
    np.testing.assert_allclose(mean, faces.grids.mean(axis=0), rtol=1e-5, atol=1e-6)


def test_mates_are_of_the_same_person_and_of_another(random):
    labels = random.permutation(np.repeat([0, 1, 2, 3], [1, 2, 5, 9]))
    mates, seen = Mates(labels, random), set()
    for _ in range(50):
        first, same, other = mates.draw(6)
        assert len(set(first)) == 6
        assert (labels[first] == labels[same]).all() and (labels[first] != labels[other]).all()
        alone = labels[first] == 0
        assert ((first == same) == alone).all()
        seen |= set(first) | set(other)
    assert seen == set(range(17))


def test_grids_that_are_too_large_are_refused(compare):
    faces = world(16, 5)
    faces.covered[:] = np.inf
    with pytest.raises(XcosError, match=r"no finite.*use weights that give numbers"):
        fit_covered_grids(faces, compare, seed=0, steps=2, channels=4)
