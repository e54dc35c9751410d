"""Faces that int8 is calibrated on: how large each result gets when it sees them."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from xcos_tf.data.align_folder import find_photos
from xcos_tf.data.augmentation import augment_face, mirror_face
from xcos_tf.data.photo import read_photo
from xcos_tf.errors import XcosError

SHIPPED = Path(__file__).with_name("representative")
"""Portraits of tests/photos, which are in the public domain, as `xcos align` cuts them out."""

MOST = 64


def representative_faces(
    folder: Path | None = None, size: int = 112, count: int = MOST
) -> np.ndarray:
    """Return faces to calibrate on, the same whenever it is called.

    Args:
        folder: of aligned faces, at any depth; those of another size and what cannot be read are
            passed over. By default the portraits that ship with the package, each in as many
            variations as it takes: mirrored, shifted, lighter, coarser, partly covered.
        size: of a face, pixels.
        count: how many, at the most; more than these are thinned out evenly.

    Returns:
        uint8 (N, size, size, 3) RGB, N ≥ 1.

    Raises:
        XcosError: there is no such folder, or no usable face in it.
    """
    if folder is None:
        portraits = _read(SHIPPED, size, count)
        return np.stack([_varied(portraits, number) for number in range(count)])
    if not Path(folder).is_dir():
        raise XcosError(
            f"there is no folder {folder} of representative faces; give a folder of aligned faces, "
            "or none for those that ship with xcos_tf"
        )
    faces = _read(Path(folder), size, count)
    if not faces:
        raise XcosError(
            f"{folder} holds no face of {size}×{size} pixels to calibrate int8 on; fill it by "
            "`xcos align`, or give no folder for those that ship with xcos_tf"
        )
    return np.stack(faces)


def _varied(portraits: list[np.ndarray], number: int) -> np.ndarray:
    """Return the portraits as they are, then variations of each in turn."""
    portrait = portraits[number % len(portraits)]
    if number < len(portraits):
        return portrait
    seed = tf.constant([0, number])
    return augment_face(mirror_face(tf.constant(portrait), seed), seed).numpy()


def _read(folder: Path, size: int, count: int) -> list[np.ndarray]:
    names = find_photos(folder)
    # In an order in which any beginning is spread over all of them.
    spread = np.argsort(np.modf(np.arange(len(names)) * 0.5 * (5**0.5 - 1))[0], kind="stable")
    faces = []
    for number in spread if len(names) > count else range(len(names)):
        try:
            face = read_photo(folder / names[number])
        except XcosError:
            continue
        if face.shape == (size, size, 3):
            faces.append(face)
        if len(faces) == count:
            break
    return faces
