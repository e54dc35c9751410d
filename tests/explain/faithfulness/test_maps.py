import numpy as np

from xcos_tf.explain.faithfulness.maps import at_pixels, pooled


def test_a_map_of_the_right_size_stays_as_it_is(random):
    values = random.normal(size=(5, 6))
    np.testing.assert_array_equal(at_pixels(values, (5, 6)), values.astype(np.float32))


def test_cells_keep_their_places_and_values_at_their_centres():
    values = np.arange(6.0).reshape(2, 3)
    fine = at_pixels(values, (6, 15))
    np.testing.assert_allclose(fine[1::3, 2::5], values, atol=1e-5)
    assert (np.diff(fine, axis=1) >= -1e-5).all()


def test_pooling_takes_the_mean_of_a_cell(random):
    values = random.normal(size=(112, 112))
    expected = values.reshape(7, 16, 7, 16).mean(axis=(1, 3))
    np.testing.assert_allclose(pooled(values, 7), expected, atol=1e-5)
    np.testing.assert_allclose(pooled(expected, 7), expected, atol=1e-6)


def test_pooling_weights_a_cell_that_lies_across_by_its_area():
    np.testing.assert_allclose(pooled(np.array([[3.0, 6.0, 9.0]] * 3), 2), [[4, 8]] * 2, atol=1e-5)


def test_values_between_two_centres_lie_on_a_line():
    fine = at_pixels(np.array([[0.0, 1.0]]), (1, 10))
    expected = np.interp(np.arange(10) + 0.5, [2.5, 7.5], [0, 1])
    np.testing.assert_allclose(fine[0], expected, atol=1e-6)
