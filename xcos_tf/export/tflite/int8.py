"""The grid in int8 without training: which way, and on which faces its limits are measured."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import tensorflow as tf

from xcos_tf.data.align_folder import find_photos
from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.data.augmentation import augment_face, mirror_face
from xcos_tf.data.occlude_folder import read_aligned_face
from xcos_tf.errors import XcosError
from xcos_tf.export.compression.equalise import equalised
from xcos_tf.export.compression.layout import grid_feature, simple_weights
from xcos_tf.export.compression.operations import Int8Operations, int8_ranges, with_rests
from xcos_tf.export.tflite.int8_layers import check_int8, folded_mobilefacenet, layered_grid
from xcos_tf.models.network import XCos
from xcos_tf.models.normalisation import normalise_pixels

SHIPPED = Path(__file__).with_name("representative")
"""Portraits of tests/photos, which are in the public domain, as `xcos align` cuts them out."""

MOST = 64


def int8_grid(network: XCos, faces: np.ndarray) -> Callable[..., tf.Tensor]:
    """Return what takes the place of a network's grid for the converter to make int8 of.

    Each result is rounded to one of 256 values between limits measured on the faces; kernels are
    left to the converter, which gives each output channel a scale of its own. The last 7×7×32
    products and sums stay in float32.

    Args:
        network: one that `check_int8` lets pass. MobileFaceNet is folded and equalised first, IR is
            taken as it is.
        faces: uint8 (N, 112, 112, 3) RGB.

    Returns:
        A function from images, float32 (N, 112, 112, 3) in [−1, 1], to the grid feature.

    Raises:
        XcosError: the network is of another kind.
    """
    check_int8(network)
    images = normalise_pixels(faces).numpy()
    folded, last = folded_mobilefacenet(network), lambda grid: grid
    if folded is not None:
        last = network.head.layers[-1]  # a PReLU
    try:
        weights = simple_weights(folded or network)
    except XcosError:  # IR and others, whose channels are not equalised
        return layered_grid(network, images)
    weights = with_rests(equalised(weights, images))
    operations = Int8Operations(weights, int8_ranges(weights, images))
    return lambda image, training=False: last(grid_feature(image, operations))


def representative_faces(folder: Path | None = None, count: int = MOST) -> np.ndarray:
    """Return faces to calibrate on, the same whenever it is called.

    Args:
        folder: of aligned faces, at any depth; those of another size and what cannot be read are
            passed over. By default the portraits that ship with the package, each in as many
            variations as it takes: mirrored, shifted, lighter, coarser, partly covered.
        count: how many, at the most; more than these are thinned out evenly.

    Returns:
        uint8 (N, 112, 112, 3) RGB, N ≥ 1.

    Raises:
        XcosError: there is no such folder, or no usable face in it.
    """
    if folder is None:
        portraits = _read(SHIPPED, count)
        return np.stack([_varied(portraits, number) for number in range(count)])
    if not Path(folder).is_dir():
        raise XcosError(
            f"there is no folder {folder} of representative faces; give a folder of aligned faces, "
            "or none for those that ship with xcos_tf"
        )
    faces = _read(Path(folder), count)
    if not faces:
        raise XcosError(
            f"{folder} holds no face of {FACE_SIZE}×{FACE_SIZE} pixels to calibrate int8 on; fill "
            "it by `xcos align`, or give no folder for those that ship with xcos_tf"
        )
    return np.stack(faces)


def _varied(portraits: list[np.ndarray], number: int) -> np.ndarray:
    """Return the portraits as they are, then variations of each in turn."""
    portrait = portraits[number % len(portraits)]
    if number < len(portraits):
        return portrait
    seed = tf.constant([0, number])
    return augment_face(mirror_face(tf.constant(portrait), seed), seed).numpy()


def _read(folder: Path, count: int) -> list[np.ndarray]:
    names = find_photos(folder)
    # In an order in which any beginning is spread over all of them.
    spread = np.argsort(np.modf(np.arange(len(names)) * 0.5 * (5**0.5 - 1))[0], kind="stable")
    faces = []
    for number in spread if len(names) > count else range(len(names)):
        with suppress(XcosError):
            faces.append(read_aligned_face(folder / names[number]))
        if len(faces) == count:
            break
    return faces
