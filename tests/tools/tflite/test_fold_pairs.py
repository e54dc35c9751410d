"""All pairs within folds, counted by hand."""

import numpy as np

from tools.tflite.pricing import all_pairs_of_folds
from xcos_tf.evaluation.pairs import PairSet

PHOTOS = ["a/a_1.jpg", "a/a_2.jpg", "b/b_1.jpg", "c/c_1.jpg", "c/c_2.jpg", "d/d_1.jpg"]


def test_every_pair_of_a_folds_photos():
    first, second, fold = np.array([[0, 1, 3, 5], [1, 2, 4, 3], [4, 4, 7, 7]])
    listed = PairSet(PHOTOS, first, second, np.array([True, False, True, False]), fold)
    found = all_pairs_of_folds(listed)
    pairs = sorted(zip(found.fold, found.first, found.second, found.same, strict=True))
    assert pairs == [
        (4, 0, 1, True),
        (4, 0, 2, False),
        (4, 1, 2, False),
        (7, 3, 4, True),
        (7, 3, 5, False),
        (7, 4, 5, False),
    ]
    assert found.photos == PHOTOS
