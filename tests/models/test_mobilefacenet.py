import numpy as np
import pytest

from xcos_tf.models.mobilefacenet import mobilefacenet


@pytest.mark.parametrize("batch_norm", [True, False])
def test_shapes(batch_norm):
    model = mobilefacenet(batch_norm=batch_norm)
    assert model.input_shape == (None, 112, 112, 3)
    assert model.output_shape == (None, 7, 7, 512)


def test_padding_is_tensorflows_same():
    """At stride 2 on an even side, SAME pads only after the last pixel."""
    model = mobilefacenet(batch_norm=False)
    layer = model.get_layer("stem_conv")
    image = np.zeros((1, 112, 112, 3), np.float32)
    image[0, 0, 0] = 1
    kernel = np.arange(9, dtype=np.float32).reshape(3, 3, 1, 1)
    layer.set_weights([np.broadcast_to(kernel, (3, 3, 3, 64)), np.zeros(64, np.float32)])
    assert layer(image).numpy()[0, 0, 0, 0] == 0  # met by the kernel's corner, not its centre


def test_odd_sizes_are_refused():
    with pytest.raises(ValueError, match="multiple of 16"):
        mobilefacenet(input_size=100)
