import numpy as np
import pytest
from tensorflow import keras

from xcos_tf.errors import XcosError
from xcos_tf.explain.faithfulness.effective_field import (
    BATCH,
    effective_fields,
    locality,
    shares_nearby,
)

CELLS = [(0, 0), (1, 2)]


def grid_of(layer) -> keras.Model:
    image = keras.Input((12, 12, 3))
    return keras.Model(image, layer(image))


@pytest.fixture
def faces(random):
    return random.integers(0, 256, (BATCH + 2, 12, 12, 3), np.uint8)


def test_a_cell_of_its_own_patch_alone_holds_all_its_energy(faces):
    model = grid_of(keras.layers.Conv2D(5, 4, strides=4, use_bias=False))
    fields = effective_fields(model, faces, CELLS)
    for field, (row, column) in zip(fields, CELLS, strict=True):
        assert field.inside == pytest.approx(1)
        assert field.energy.sum() == pytest.approx(1)
        assert field.half_radius < np.hypot(1.5, 1.5) + 1e-6
        outside = field.energy.copy()
        outside[4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = 0
        assert not outside.any()


def test_the_energy_is_the_squared_gradient_of_the_norm_averaged_over_faces(faces):
    model = grid_of(keras.layers.Conv2D(5, 4, strides=4, use_bias=False))
    kernel = model.layers[-1].get_weights()[0].astype(np.float64).reshape(48, 5)
    patches = (faces[:, 4:8, 8:12].astype(np.float64) - 127.5) / 128
    features = patches.reshape(-1, 48) @ kernel
    # d‖x·K‖/dx = K·(x·K)/‖x·K‖
    gradients = features / np.linalg.norm(features, axis=1, keepdims=True) @ kernel.T
    expected = (gradients.reshape(-1, 4, 4, 3) ** 2).sum(axis=(0, 3))
    [field] = effective_fields(model, faces, [(1, 2)])
    np.testing.assert_allclose(field.energy[4:8, 8:12], expected / expected.sum(), atol=1e-5)


def test_a_cell_that_averages_the_face_holds_a_patchs_share(faces):
    class Everywhere(keras.layers.Layer):
        def call(self, images):
            mean = keras.ops.mean(images, axis=(1, 2), keepdims=True)
            return keras.ops.tile(mean, (1, 3, 3, 1))

        def compute_output_shape(self, shape):
            return (shape[0], 3, 3, shape[3])

    [corner, centre] = effective_fields(grid_of(Everywhere()), faces, [(0, 0), (1, 1)])
    np.testing.assert_allclose(corner.energy, 1 / 144, rtol=1e-4)
    assert corner.inside == centre.inside == pytest.approx(1 / 9, rel=1e-4)
    # Half of 144 pixels lie within the radius: distances from the patch's centre, in order.
    distances = np.sort(np.hypot(*(np.indices((12, 12)) - 5.5)).ravel())
    assert centre.half_radius == pytest.approx(distances[71], abs=0.3)
    assert corner.half_radius > centre.half_radius + 2


def test_a_cell_that_is_0_has_no_energy_and_does_no_harm(faces):
    model = grid_of(keras.layers.Conv2D(2, 4, strides=4, kernel_initializer="zeros"))
    [field] = effective_fields(model, faces, [(0, 0)])
    assert not field.energy.any()
    assert (field.inside, field.half_radius) == (0, 0)


def test_models_and_cells_that_are_none_are_refused(faces):
    model = grid_of(keras.layers.Conv2D(2, 4, strides=4))
    with pytest.raises(XcosError, match=r"no cell \(3, 0\) in a grid of 3×3"):
        effective_fields(model, faces, [(3, 0)])
    with pytest.raises(XcosError, match="gives an embedding without cells"):
        effective_fields(grid_of(keras.layers.Flatten()), faces, [(0, 0)])


@pytest.mark.parametrize("place", [(0, 0), (0, 3), (3, 0), (1, 2)])
def test_the_radius_is_from_the_patchs_centre(faces, place):
    layer = keras.layers.Conv2D(2, 4, strides=4, use_bias=False)
    model = grid_of(layer)
    kernel = np.zeros((4, 4, 3, 2), np.float32)
    kernel[place] = 1
    layer.set_weights([kernel])
    [field] = effective_fields(model, faces, [(1, 2)])
    assert field.half_radius == pytest.approx(np.hypot(place[0] - 1.5, place[1] - 1.5))


def test_shares_nearby_by_hand():
    energies = np.zeros((9, 6, 6))
    energies[:, 0, 0] = 1  # all cells look at the first one's corner
    assert shares_nearby(energies, (3, 3)) == (pytest.approx(1 / 9), pytest.approx(4 / 9))
    even = np.full((9, 6, 6), 1 / 36)
    near = (4 * 4 + 4 * 6 + 9) / 9 / 9  # corners, edges and the middle have 4, 6 and 9 near
    assert shares_nearby(even, (3, 3)) == (pytest.approx(1 / 9), pytest.approx(near))


@pytest.mark.parametrize("reach, inside", [(16, 1), (48, ((5 / 3 + 2 / 2) / 7) ** 2)])
def test_a_cell_that_sees_so_far_is_found_to(random, reach, inside):
    image = keras.Input((112, 112, 3))
    padded = keras.layers.ZeroPadding2D((reach - 16) // 2)(image)
    seen = keras.layers.Conv2D(1, reach, strides=16, kernel_initializer="ones")
    faces = random.integers(0, 256, (2, 112, 112, 3), np.uint8)
    own, near, radius = locality(keras.Model(image, seen(padded)), faces)
    # Along each side, five cells see three patches and the two at the ends see two.
    assert own == pytest.approx(inside) and near == pytest.approx(1)
    assert radius == pytest.approx(reach / np.sqrt(2 * np.pi), rel=0.35)
