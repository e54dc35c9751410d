import numpy as np
import pytest
from sklearn.model_selection import KFold

from xcos_tf.metrics.rates import deal_folds, dealt, tenths


@pytest.mark.parametrize("count", [10, 11, 19, 600, 605, 6000, 6001, 6009, 7000, 12000])
def test_tenths_are_those_of_kfold(count):
    expected = np.empty(count)
    for fold, (_, held_out) in enumerate(KFold(10).split(np.zeros(count))):
        expected[held_out] = fold
    np.testing.assert_array_equal(tenths(count), expected)
    assert tenths(count).dtype == np.int64


def test_few_pairs_are_dealt_one_by_one():
    np.testing.assert_array_equal(tenths(3), [0, 1, 2])


def test_pairs_of_lfw_come_back_into_their_folds():
    same = np.tile(np.repeat([True, False], 300), 10)
    np.testing.assert_array_equal(deal_folds(same), np.arange(6000) // 600)


def test_each_fold_has_its_share_of_both_kinds(random):
    same = random.random(1234) < 0.3
    fold = deal_folds(same)
    for kind in (True, False):
        counts = np.bincount(fold[same == kind])
        assert len(counts) == 10 and counts.max() - counts.min() <= 1
        assert (np.diff(fold[same == kind]) >= 0).all()  # in the order of the list


@pytest.mark.parametrize("rare", [True, False])
def test_there_are_no_more_folds_than_pairs_of_a_kind(rare):
    fold = deal_folds(np.array([not rare] * 20 + [rare] * 3))
    np.testing.assert_array_equal(np.bincount(fold), [8, 8, 7])
    assert dealt(fold).startswith("The pairs come without folds; they were dealt into 3 in")
