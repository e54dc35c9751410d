import numpy as np
import pytest
from sklearn.metrics import det_curve, roc_curve

from xcos_tf.errors import XcosError
from xcos_tf.metrics.curves import det, roc, thin
from xcos_tf.metrics.rates import fmr_fnmr


def assert_points(curve, thresholds, fmr, fnmr):
    np.testing.assert_array_equal(curve.thresholds, thresholds)
    np.testing.assert_allclose(curve.fmr, fmr, rtol=0, atol=1e-15)
    np.testing.assert_allclose(curve.fnmr, fnmr, rtol=0, atol=1e-15)


def test_roc_is_scikit_learns(pairs):
    scores, same = pairs
    fpr, tpr, thresholds = roc_curve(same, scores, drop_intermediate=False)
    curve = roc(scores, same)
    assert_points(curve, thresholds, fpr, 1 - tpr)
    np.testing.assert_allclose(curve.tar, tpr, rtol=0, atol=1e-15)


@pytest.mark.parametrize("highest", ["genuine", "impostor"])
@pytest.mark.parametrize("lowest", ["genuine", "impostor"])
def test_det_is_scikit_learns(pairs, highest, lowest):
    scores, same = pairs
    scores = np.concatenate([scores, [-9, -8, 8, 9]]).astype(scores.dtype)
    same = np.concatenate([same, [lowest == "genuine"] * 2, [highest == "genuine"] * 2])
    fpr, fnr, thresholds = det_curve(same, scores)
    assert_points(det(scores, same), thresholds[::-1], fpr[::-1], fnr[::-1])


def test_curves_worked_by_hand():
    scores = np.array([0.9, 0.8, 0.6, 0.6, 0.4, 0.1])
    same = np.array([True, True, True, False, False, False])
    thresholds, fmr = [np.inf, 0.9, 0.8, 0.6, 0.4, 0.1], np.array([0, 0, 0, 1, 2, 3]) / 3
    fnmr = np.array([3, 2, 1, 0, 0, 0]) / 3
    assert_points(roc(scores, same), thresholds, fmr, fnmr)
    assert_points(det(scores, same), thresholds[2:4], fmr[2:4], fnmr[2:4])
    # Nothing is traded where the kinds are apart.
    assert_points(det(np.array([0.1, 0.2, 0.7, 0.8]), [0, 0, 1, 1]), [0.7], [0], [0])
    assert_points(det(np.zeros(4), [0, 0, 1, 1]), [np.inf, 0], [0, 1], [1, 0])


def test_each_point_is_what_its_threshold_gives(pairs):
    scores, same = pairs
    curve = roc(scores, same)
    for threshold, *rates in zip(curve.thresholds, curve.fmr, curve.fnmr, strict=True):
        assert fmr_fnmr(scores, same, threshold) == tuple(rates)


@pytest.mark.parametrize("curve_of", [roc, det])
def test_one_kind_of_pairs_has_no_curve(curve_of):
    with pytest.raises(XcosError, match="all genuine"):
        curve_of(np.arange(3.0), np.ones(3, bool))


@pytest.mark.parametrize("shape", ["smooth", "a long step of ties", "few genuine"])
@pytest.mark.parametrize("curve_of", [roc, det])
def test_thinning_keeps_the_shape(random, curve_of, shape):
    same = random.random(50_000) < (0.001 if shape == "few genuine" else 0.5)
    scores = random.normal(0.5 * same, 0.2)
    if shape == "a long step of ties":
        scores[(scores > 0.2) & (scores < 0.4)] = 0.3
    whole = curve_of(scores, same)
    thinned = thin(whole, points=200)
    assert 100 <= len(thinned) <= 200 < len(whole)
    kept = np.flatnonzero(np.isin(whole.thresholds, thinned.thresholds))
    assert_points(thinned, whole.thresholds[kept], whole.fmr[kept], whole.fnmr[kept])
    assert kept[0] == 0 and kept[-1] == len(whole) - 1
    # What lies between is in the box of two kept points, as both rates are monotone; so small
    # boxes are all it takes, on every axis that somebody draws.
    apart = np.diff(kept) > 1
    assert apart.any()
    with np.errstate(divide="ignore"):
        for rate in (whole.fmr, whole.fnmr, np.log(whole.fmr), np.log(whole.fnmr)):
            finite = rate[np.isfinite(rate)]
            boxes = np.abs(np.diff(np.clip(rate[kept], finite.min(), None)))[apart]
            assert boxes.max() <= 8 / 200 * (finite.max() - finite.min()) * 1.1


def test_a_short_curve_stays_whole(pairs):
    curve = roc(*pairs)
    assert thin(curve, len(curve)) is curve
    assert len(thin(curve, len(curve) - 1)) < len(curve)
