import numpy as np

from xcos_tf.training.correlation import StreamingCorrelation


def test_blocks_agree_with_numpy_at_a_large_offset(random):
    cosines = random.normal(size=1000) * 1e-3 + 1000
    maps = random.normal(size=(1000, 2, 3)) * 1e-3 - 500
    maps[:, 0, 1] += 2 * (cosines - 1000)
    maps[:, 1, 2] -= (cosines - 1000) * 5
    stream = StreamingCorrelation((2, 3))
    for start, stop in ((0, 1), (1, 400), (400, 400), (400, 1000)):
        stream.update(maps[start:stop], cosines[start:stop])
    expected = [np.corrcoef(maps[:, i, j], cosines)[0, 1] for i in range(2) for j in range(3)]
    np.testing.assert_allclose(stream.result().ravel(), expected, atol=1e-6)
    assert stream.count == 1000
    assert stream.result()[0, 1] > 0.8 and stream.result()[1, 2] < -0.9


def test_a_constant_cell_gets_zero():
    stream = StreamingCorrelation((1, 2))
    stream.update(np.array([[[1.0, 0.1]], [[1.0, 0.2]], [[1.0, 0.4]]]), np.array([0.1, 0.2, 0.4]))
    np.testing.assert_allclose(stream.result(), [[0, 1]], atol=1e-6)
