import numpy as np

from xcos_tf.training.losses import covering_loss, identification_loss, xcos_loss


def test_xcos_loss_is_the_mean_over_pairs():
    score, target = np.float32([0.5, 0.0, 0.2, 0.1]), np.float32([1.0, 0.0, 0.0, 0.3])
    np.testing.assert_allclose(xcos_loss(score, target), (0.25 + 0.0 + 0.04 + 0.04) / 4, rtol=1e-6)


def test_balanced_it_weighs_genuine_and_impostor_pairs_alike():
    score, target = np.float32([0.5, 0.0, 0.2, 0.1]), np.float32([1.0, 0.0, 0.0, 0.3])
    same = np.array([True, False, False, False])
    expected = 0.5 * 0.25 + 0.5 * (0.0 + 0.04 + 0.04) / 3
    np.testing.assert_allclose(xcos_loss(score, target, same), expected, rtol=1e-6)


def test_balanced_and_without_one_kind_is_finite():
    value = xcos_loss(np.float32([0.5]), np.float32([0.0]), np.array([False]))
    np.testing.assert_allclose(value, 0.125)


def test_identification_loss_is_the_mean_cross_entropy(random):
    logits = random.normal(size=(4, 3)).astype(np.float32)
    labels = np.array([0, 2, 1, 1])
    log_softmax = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    np.testing.assert_allclose(
        identification_loss(logits, labels), -log_softmax[np.arange(4), labels].mean(), rtol=1e-5
    )


def test_covering_loss_is_one_less_the_mean_correlation(random):
    maps, effects = random.normal(size=(2, 5, 3, 4)).astype(np.float32)
    pairs = zip(maps, effects, strict=True)
    expected = 1 - np.mean([np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in pairs])
    np.testing.assert_allclose(covering_loss(maps, effects), expected, atol=1e-5)
    np.testing.assert_allclose(covering_loss(maps, 3 * maps + 1), 0, atol=1e-5)


def test_covering_loss_of_a_pair_that_nothing_changes_is_finite(random):
    maps = random.normal(size=(2, 3, 4)).astype(np.float32)
    np.testing.assert_allclose(covering_loss(maps, np.zeros_like(maps)), 1)
