import numpy as np
import pytest
from tensorflow import keras

from xcos_tf.models.heads import depthwise_head, fc_head, grid_head


def test_grid_head_is_a_1x1_convolution(random):
    head = grid_head((7, 7, 12), channels=5, batch_norm=False)
    x = random.normal(size=(2, 7, 7, 12)).astype(np.float32)
    kernel, bias = head.get_layer("conv").get_weights()
    np.testing.assert_allclose(head(x).numpy(), x @ kernel[0, 0] + bias, atol=1e-5)


def test_cell_affine_scales_and_shifts_each_cell(random):
    head = grid_head((3, 2, 4), channels=5, cell_affine=True, batch_norm=False)
    scale, shift = random.normal(size=(2, 3, 2, 4)).astype(np.float32)
    head.get_layer("cell_affine").set_weights([scale, shift])
    x = random.normal(size=(2, 3, 2, 4)).astype(np.float32)
    kernel = head.get_layer("conv").get_weights()[0][0, 0]
    np.testing.assert_allclose(head(x).numpy(), (x * scale + shift) @ kernel, atol=1e-5)


def test_batch_norm_and_prelu_follow_as_in_the_authors_code():
    names = [layer.name for layer in grid_head((7, 7, 512)).layers]
    assert names[-3:] == ["conv", "bn", "prelu"]
    assert grid_head((7, 7, 512)).count_params() == 512 * 32 + 32 + 4 * 32 + 32


@pytest.mark.parametrize(
    "head, dimension", [(fc_head((7, 7, 64), 10), 10), (depthwise_head((7, 7, 64), 12), 12)]
)
def test_embedding_heads_give_one_vector(head, dimension, random):
    assert head(random.normal(size=(3, 7, 7, 64)).astype(np.float32)).shape == (3, dimension)


def randomise(model, random):
    """Weights whose statistics batch normalisation can invert."""
    for variable in model.weights:
        values = random.normal(0, 0.5, variable.shape)
        variable.assign(np.abs(values) + 0.5 if "variance" in variable.name else values)


def normalised(x, layer):
    """Batch normalisation at inference by its definition."""
    gamma, beta, mean, variance = layer.get_weights()
    return (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta


def test_fc_head_is_that_of_arcface(random):
    head = fc_head((2, 3, 8), 4)
    randomise(head, random)
    x = random.normal(size=(3, 2, 3, 8)).astype(np.float32)
    kernel, bias = head.get_layer("fc").get_weights()
    flat = normalised(x, head.get_layer("feature_bn")).reshape(3, -1)
    expected = normalised(flat @ kernel + bias, head.get_layer("embedding_bn"))
    np.testing.assert_allclose(head(x).numpy(), expected, rtol=1e-4, atol=1e-4)


def test_fc_head_drops_out_in_training_alone(random):
    head = fc_head((7, 7, 8), 4)
    dropout = head.get_layer("dropout")
    # From the head's own input, since batch normalisation by itself tells training from inference.
    dropped = keras.Model(head.input, [head.get_layer("feature_bn").output, dropout.output])
    x = random.normal(size=(30, 7, 7, 8)).astype(np.float32)
    before, after = (value.numpy() for value in dropped(x, training=False))
    np.testing.assert_array_equal(after, before)
    before, after = (value.numpy() for value in dropped(x, training=True))
    kept = after != 0
    assert kept.mean() == pytest.approx(0.4, abs=0.03)
    np.testing.assert_allclose(after[kept], before[kept] / 0.4, rtol=1e-5)
