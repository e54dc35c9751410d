"""Deletion and insertion by hand, on verifiers whose right map is known, and on a preset."""

from itertools import pairwise

import numpy as np
import pytest

from tests.explain.toys import WeighedCells, noise
from xcos_tf.data.aligner import FaceAligner
from xcos_tf.data.photo import read_photo
from xcos_tf.errors import XcosError
from xcos_tf.explain.faithfulness.cell_ablation import true_drops
from xcos_tf.explain.faithfulness.deletion import (
    accuracy_under_removal,
    area,
    removal_order,
    scores_under_removal,
)
from xcos_tf.explain.faithfulness.fills import FILLS
from xcos_tf.explain.methods.registry import method
from xcos_tf.metrics.intervals import mean_over_pairs
from xcos_tf.verifier import Verifier

LEFT, RIGHT = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
THRESHOLD = 0.5  # of the toys


class LeftPixel:
    """Looks at the left of two pixels; the score is the product of both faces' red there."""

    def embed(self, faces):
        return faces[:, 0, 0, :1] / np.float32(255)

    def compare_pairs(self, features_a, features_b):
        return (features_a * features_b)[:, 0]


def two_pixels(map_a, map_b=None, steps=2, **rest):
    """Return the scores of two white pixels and two more, removed by black."""
    white = np.full((1, 2, 3), 255, np.uint8)
    maps = map_a, map_a if map_b is None else map_b
    return scores_under_removal(LeftPixel(), (white, white), maps, "black", steps=steps, **rest)


@pytest.mark.parametrize(
    ("reveal", "values", "scores", "under"),
    [
        (False, LEFT, [1, 0, 0], 0.25),
        (False, RIGHT, [1, 1, 0], 0.75),
        (True, LEFT, [0, 1, 1], 0.75),
        (True, RIGHT, [0, 0, 1], 0.25),
    ],
)
def test_curves_of_two_pixels_worked_by_hand(reveal, values, scores, under):
    in_turn = two_pixels(values, reveal=reveal)
    np.testing.assert_allclose(in_turn, [scores, scores])
    np.testing.assert_allclose(two_pixels(values, reveal=reveal, both=True), [scores])
    assert area(in_turn.mean(axis=0)) == pytest.approx(under)


def test_one_face_is_changed_at_a_time_each_by_its_own_map():
    np.testing.assert_allclose(two_pixels(LEFT, RIGHT), [[1, 0, 0], [1, 1, 0]])
    np.testing.assert_allclose(two_pixels(RIGHT, LEFT), [[1, 1, 0], [1, 0, 0]])


def test_both_faces_change_together_only_if_asked_to():
    shown = []

    class Watched(LeftPixel):
        def compare_pairs(self, features_a, features_b):
            shown.append(np.concatenate([features_a, features_b], axis=1).tolist())
            return super().compare_pairs(features_a, features_b)

    white = np.full((1, 2, 3), 255, np.uint8)
    common = Watched(), (white, white), (LEFT, LEFT), "black"
    scores_under_removal(*common, steps=1)
    scores_under_removal(*common, steps=1, both=True)
    assert shown == [[[1, 1], [0, 1]], [[1, 1], [1, 0]], [[1, 1], [0, 0]]]


def test_verdicts_are_counted_over_the_turns_and_a_score_at_the_threshold_is_accepted():
    scores = np.array([[0.9, 0.5, 0.1], [0.9, 0.4, 0.6]])
    np.testing.assert_allclose(accuracy_under_removal(scores, True, 0.5), [1, 0.5, 0.5])
    np.testing.assert_allclose(accuracy_under_removal(scores, False, 0.5), [0, 0.5, 0.5])


def test_areas_are_linear():
    assert area(np.array([1, 1, 0])) == 0.75
    curves = np.array([[1, 0.2, -0.4], [0.5, 0.5, 0.1]])
    assert area(curves.mean(axis=0)) == pytest.approx(np.mean([area(curve) for curve in curves]))


def test_a_coarse_map_removes_its_cell_first():
    coarse = np.zeros((7, 7))
    coarse[2, 4] = 1
    order = removal_order(coarse, (112, 112))
    first = np.argwhere(order < 100)
    np.testing.assert_allclose(first.mean(axis=0), [2.5 * 16 - 0.5, 4.5 * 16 - 0.5], atol=0.6)


def test_pixels_of_equal_value_go_in_no_pattern():
    order = removal_order(np.zeros((7, 7)), (112, 112), seed=1)
    assert sorted(order.ravel()) == list(range(112**2))
    rows = np.argwhere(order < 1000)[:, 0]
    assert rows.mean() == pytest.approx(55.5, abs=4)
    np.testing.assert_array_equal(order, removal_order(np.ones((1, 1)), (112, 112), seed=1))


def test_to_reveal_by_a_negated_map_is_to_remove_from_the_other_end(cells, random):
    verifier, face, stranger = cells
    values = random.random((112, 112)), random.random((112, 112))
    common = verifier, (face, stranger)
    deleted = scores_under_removal(*common, values, "mean", steps=4)
    revealed = scores_under_removal(*common, [-x for x in values], "mean", reveal=True, steps=4)
    np.testing.assert_allclose(revealed, deleted[:, ::-1], atol=1e-6)
    np.testing.assert_allclose(area(revealed), area(deleted), atol=1e-6)


def test_other_fills_are_refused():
    with pytest.raises(XcosError, match="no fill 'pink'"):
        white = np.full((1, 2, 3), 255, np.uint8)
        scores_under_removal(LeftPixel(), (white, white), (LEFT, LEFT), "pink")


@pytest.fixture
def cells(random):
    """A verifier of cells of random weights, a face, and a stranger's."""
    weights = random.dirichlet(np.full(49, 0.3)).reshape(7, 7)
    return WeighedCells(weights), *noise(random, 2)


@pytest.mark.parametrize("fill", FILLS)
def test_the_right_map_comes_first_and_its_reverse_last(fill, cells, random):
    verifier, face, _ = cells
    right = true_drops(verifier, face, face, fill)
    np.testing.assert_allclose(right, verifier.weights, atol=0.02)
    maps = {"right": right, "random": random.random((7, 7)), "reverse": -right}
    for reveal, best in ((False, min), (True, max)):
        areas = {
            name: area(
                scores_under_removal(verifier, (face, face), (x, x), fill, reveal, steps=5)
            ).mean()
            for name, x in maps.items()
        }
        assert best(areas, key=areas.get) == "right"
        assert abs(areas["right"] - areas["random"]) > 0.1 < abs(areas["random"] - areas["reverse"])
        assert (areas["right"] < areas["random"] < areas["reverse"]) != reveal


@pytest.mark.parametrize("fill", FILLS)
def test_nobody_is_the_same_of_whom_nothing_is_left(fill, cells):
    verifier, face, stranger = cells
    for other in (face, stranger):
        maps = verifier.weights, -verifier.weights
        deleted, revealed = (
            scores_under_removal(verifier, (face, other), maps, fill, reveal, steps=3)
            for reveal in (False, True)
        )
        assert deleted[:, -1].max() < THRESHOLD and revealed[:, 0].max() < THRESHOLD
        np.testing.assert_allclose(deleted[:, 0], revealed[:, -1], atol=1e-6)


def test_strangers_rise_only_where_both_faces_lose_the_same(cells):
    verifier, face, stranger = cells

    class Colours(WeighedCells):
        """The same, with each cell's colour, which blanks share."""

        def embed(self, faces):
            cells = faces.reshape(-1, 7, 16, 7, 16, 3).swapaxes(2, 3).astype(np.float32) + 1
            lengths = np.linalg.norm(cells.reshape(-1, 7, 7, 768), axis=-1)
            return cells / lengths[..., np.newaxis, np.newaxis, np.newaxis]

    pair, maps = (face, stranger), (verifier.weights, verifier.weights)
    threshold = 0.9  # noise and noise score 0.75
    common = Colours(verifier.weights), pair, maps, "black"
    assert scores_under_removal(*common).max() < threshold
    assert scores_under_removal(*common, both=True)[0, -1] > threshold


def test_a_random_map_takes_a_genuine_pairs_score_down_and_down(random):
    verifier = WeighedCells(random.dirichlet(np.ones(49)).reshape(7, 7))
    curves = []
    for face in noise(random, 12):
        values = random.random((7, 7))
        scores = scores_under_removal(verifier, (face, face), (values, values), "mean")
        curves.append(scores.mean(axis=0))
    shares = [mean_over_pairs(column) for column in np.transpose(curves)]
    for before, after in pairwise(shares):
        assert after.value <= before.high and after.low <= before.value
    assert shares[0].value == pytest.approx(1) and shares[-1].value == pytest.approx(0, abs=1e-6)


@pytest.fixture(scope="module")
def people(photos):
    """The aligned faces of two photos of one person and of one of another."""
    found = FaceAligner().align(
        [read_photo(photos / f"{name}.jpg") for name in ("obama", "obama2", "biden")]
    )
    return [face.image for face in found]


@pytest.fixture(scope="module")
def preset():
    return Verifier.from_preset()


@pytest.fixture(scope="module")
def curves(people, preset):
    """Scores by kind of pair, map, fill and whether pixels are revealed."""
    found = {}
    for kind, pair in (("genuine", people[:2]), ("impostor", people[::2])):
        drops = [true_drops(preset, *faces, "imputed") for faces in (pair, pair[::-1])]
        maps = {"right": drops, "reverse": [-x for x in drops]}
        for name in ("xcos", "random", "face-centre"):
            explained = method(name).explain(preset, *pair)
            maps[name] = explained.map_a, explained.map_b
        for name, of_pair in maps.items():
            fills = FILLS if name == "xcos" else ("imputed",)
            for fill in fills:
                for reveal in (False, True):
                    found[kind, name, fill, reveal] = scores_under_removal(
                        preset, pair, of_pair, fill, reveal, steps=4
                    )
    return found


def test_on_a_preset_nobody_is_the_same_of_whom_nothing_is_left(curves, preset):
    for (_, _, _, reveal), scores in curves.items():
        assert scores[:, 0 if reveal else -1].max() < preset.threshold()


def test_on_a_preset_strangers_never_rise_above_the_threshold(curves, preset):
    for (kind, *_), scores in curves.items():
        if kind == "impostor":
            assert scores.max() < preset.threshold()


def test_on_a_preset_the_right_map_comes_first_and_its_reverse_last(curves):
    for pair in ("genuine", "impostor"):
        for reveal in (False, True):
            areas = {
                name: area(scores).mean() * (1 if reveal else -1)
                for (kind, name, fill, revealed), scores in curves.items()
                if (kind, fill, revealed) == (pair, "imputed", reveal)
            }
            assert max(areas, key=areas.get) == "right"
            assert areas["right"] > areas["random"] + 0.05
            assert min(areas, key=areas.get) == "reverse"
