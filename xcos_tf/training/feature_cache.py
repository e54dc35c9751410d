"""Outputs of what stays frozen, computed once: the trunk's feature maps, teacher embeddings."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tqdm import tqdm

from xcos_tf.data.augmentation import augment_face, blend_faces
from xcos_tf.data.people import People
from xcos_tf.errors import XcosError
from xcos_tf.models.preprocessing import normalise_pixels

CHUNK = 512


@dataclass(frozen=True)
class FeatureCache:
    """What the frozen models make of each variant of each face.

    Variant 0 is the face as it is, variant 1 its mirror image, the rest are augmented; the last
    `blended` of them were first blended with a random face of the cache.

    Attributes:
        features: float16 (variants, images, h, w, c), the trunk's output.
        teacher: float32 (variants, images, dimension), the teacher's embedding, of unit length.
        labels: int32 (images,).
    """

    features: np.ndarray
    teacher: np.ndarray
    labels: np.ndarray


def _read(path):
    image = tf.image.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
    return tf.ensure_shape(image, (112, 112, 3))


def _variant(image, variant, seed):
    if variant == 0:
        return image
    return image[:, ::-1] if variant == 1 else augment_face(image, seed)


def _chunk_of_variants(people, variant, blend, start, seed):
    paths = np.array([str(path) for path in people.paths])
    others = np.random.default_rng([seed, variant]).permutation(len(paths))
    indices = np.arange(start, min(start + CHUNK, len(paths)), dtype=np.int32)

    def face(path, other, index):
        seeds = tf.stack([seed + 1000 * variant, index])
        image = blend_faces(_read(path), _read(other), seeds) if blend else _read(path)
        return normalise_pixels(_variant(image, variant, seeds))

    dataset = tf.data.Dataset.from_tensor_slices((paths[indices], paths[others[indices]], indices))
    return dataset.map(face, num_parallel_calls=2).batch(64)


def build_feature_cache(
    folder: str | os.PathLike,
    people: People,
    trunk: keras.Model,
    teacher_tail: keras.Model,
    variants: int,
    blended: int,
    seed: int,
    signature: str = "",
) -> FeatureCache:
    """Compute, or finish computing, the cache in `folder`, and open it.

    An interrupted run goes on where it stopped. A folder made from other people, models or
    settings is refused by its signature, so that a cache is never mistaken for another.

    Args:
        folder: where the arrays are kept.
        people: the faces, 112×112.
        trunk: from normalised images (N, 112, 112, 3) to a feature map (N, h, w, c).
        teacher_tail: from that feature map to the teacher's embedding (N, dimension).
        variants: how many variants of each face, at least 1.
        blended: how many of them, the last ones, are of blended faces.
        seed: of the augmentation.
        signature: names what the cached values depend on, such as the weights' SHA-256.

    Returns:
        The cache, memory-mapped.

    Raises:
        XcosError: the folder's cache has another signature.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    count = len(people.paths)
    # Set, person and file name say which faces these are, wherever their folder stands.
    names = "\n".join("/".join(path.parts[-3:]) for path in people.paths)
    facts = {
        "images": count,
        "faces": hashlib.sha256(names.encode()).hexdigest(),
        "variants": variants,
        "blended": blended,
        "seed": seed,
        "signature": signature,
    }
    state_path = folder / "state.json"
    state = json.loads(state_path.read_text()) if state_path.exists() else {**facts, "done": 0}
    if {key: state.get(key) for key in facts} != facts:
        raise XcosError(
            f"the cache in {folder} was made with other people, models or settings; "
            "remove the folder or give another"
        )
    shapes = {
        "features": ((variants, count, *trunk.output_shape[1:]), np.float16),
        "teacher": ((variants, count, teacher_tail.output_shape[-1]), np.float32),
    }
    arrays = {}
    for name, (shape, dtype) in shapes.items():
        path = folder / f"{name}.npy"
        mode = "r+" if path.exists() else "w+"
        arrays[name] = np.lib.format.open_memmap(path, mode, dtype, shape)

    @tf.function
    def run(images):
        features = trunk(images)
        return features, tf.math.l2_normalize(teacher_tail(features), axis=-1)

    chunks = [(v, s) for v in range(variants) for s in range(0, count, CHUNK)]
    for done, (variant, start) in enumerate(
        tqdm(chunks, desc="features", unit="chunk", initial=0, disable=state["done"] == len(chunks))
    ):
        if done < state["done"]:
            continue
        at = start
        blend = variant >= variants - blended
        for images in _chunk_of_variants(people, variant, blend, start, seed):
            features, embeddings = run(images)
            stop = at + len(images)
            arrays["features"][variant, at:stop] = features.numpy()
            arrays["teacher"][variant, at:stop] = embeddings.numpy()
            at = stop
        for array in arrays.values():
            array.flush()
        temporary = state_path.with_suffix(".tmp")
        temporary.write_text(json.dumps({**facts, "done": done + 1}))
        os.replace(temporary, state_path)
    return FeatureCache(arrays["features"], arrays["teacher"], people.labels)
