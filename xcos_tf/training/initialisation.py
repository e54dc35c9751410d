"""A start for the grid head that already verifies faces, from an embedding head that is linear."""

import numpy as np
from tensorflow import keras


def has_linear_tail(grid_head: keras.Model, embedding_head: keras.Model) -> bool:
    """Return whether `start_from_linear_tail` can set a grid head by an embedding head."""
    own, tail = ({x.name: x for x in head.layers} for head in (grid_head, embedding_head))
    return (
        {"depthwise", "mix", "project"} <= tail.keys()
        and not {"depthwise_bn", "bn"} & (tail.keys() | own.keys())
        and "cell_affine" in own
        and grid_head.input_shape == embedding_head.input_shape
        and grid_head.output_shape[-1] <= embedding_head.output_shape[-1]
    )


def linear_tail(embedding_head: keras.Model) -> tuple[np.ndarray, np.ndarray]:
    """Return what a folded `depthwise_head` does to one cell.

    Its embedding is a constant plus the sum over cells of `matrix.T @ (scale[i, j] * x[i, j])`,
    as there is no non-linearity in it.

    Returns:
        scale float32 (h, w, c) and matrix float32 (c, dimension).
    """
    scale = np.asarray(embedding_head.get_layer("depthwise").weights[0])[..., 0]
    mix = np.asarray(embedding_head.get_layer("mix").weights[0])[0, 0]
    project = np.asarray(embedding_head.get_layer("project").weights[0])[0, 0]
    return scale, mix @ project


def start_from_linear_tail(
    grid_head: keras.Model, embedding_head: keras.Model, feature_maps: np.ndarray
) -> float:
    """Set a grid head with `cell_affine` to the main directions of the cells' contributions.

    Each cell's contribution to the embedding is centred over `feature_maps`, and the 1×1
    convolution projects onto the principal components of all cells' contributions.

    Args:
        grid_head: built with cell_affine=True and batch_norm=False.
        embedding_head: a folded `depthwise_head` on the same feature map.
        feature_maps: float32 (N, h, w, c), of training faces.

    Returns:
        The share of the contributions' variance that the grid feature keeps, in [0, 1].
    """
    scale, matrix = linear_tail(embedding_head)
    mean = feature_maps.mean(axis=0)
    contributions = ((feature_maps - mean) * scale).reshape(-1, matrix.shape[0]) @ matrix
    covariance = contributions.T @ contributions / len(contributions)
    values, vectors = np.linalg.eigh(covariance)
    conv = grid_head.get_layer("conv")
    channels = conv.weights[0].shape[-1]
    kernel = matrix @ vectors[:, ::-1][:, :channels]
    # Cells of about unit length suit the attention's convolutions.
    kernel /= np.sqrt(values.sum())
    conv.set_weights([kernel[np.newaxis, np.newaxis].astype(np.float32), np.zeros(channels)])
    grid_head.get_layer("cell_affine").set_weights([scale, -scale * mean])
    return float(values[::-1][:channels].sum() / values.sum())
