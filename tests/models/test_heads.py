import numpy as np
import pytest

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


def test_fc_head_ignores_dropout_at_inference(random):
    head = fc_head((7, 7, 8), 4)
    x = random.normal(size=(3, 7, 7, 8)).astype(np.float32)
    np.testing.assert_array_equal(head(x).numpy(), head(x, training=False).numpy())
