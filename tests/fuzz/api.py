"""Arrays and templates that a program hands to the API."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from tests.fuzz.engine import Reader, Trial
from tests.fuzz.mutate import mutate_bytes
from tests.fuzz.photos import encoded_photos
from tests.models.test_presets import CONFIG, MODEL
from xcos_tf.errors import XcosError
from xcos_tf.export.encoded_faces import decode_faces
from xcos_tf.models.builder import build_network
from xcos_tf.models.presets import load_preset, save_preset
from xcos_tf.templates import Gallery, Template
from xcos_tf.verifier import Verifier

_KINDS = ("u1", "f4", "f4", "f4", "f8", "f2", "i8", "b1", "c8", "O", "U3")


def _odd(shape: tuple[int, ...], kind: str, random) -> np.ndarray:
    """Return an array, mostly of this shape and type."""
    sizes = list(shape)
    if random.random() < 0.5:
        sizes[random.integers(len(sizes))] = int(random.choice([0, 1, 2, 3, 5, 32, 33]))
    if random.random() < 0.2:
        del sizes[random.integers(len(sizes))]
    if random.random() < 0.2:
        sizes.insert(int(random.integers(len(sizes) + 1)), int(random.choice([0, 1, 2])))
    array = random.uniform(-1, 1, sizes)
    if random.random() < 0.2 and array.size:
        array.flat[0] = random.choice([np.nan, np.inf, 1e38, 1e308, -1e30])
    with np.errstate(all="ignore"):
        return array.astype(kind if random.random() < 0.6 else _KINDS[random.integers(len(_KINDS))])


def _verifiers(folder: Path) -> Trial:
    save_preset(folder / "tiny", CONFIG, build_network(MODEL))
    verifier = Verifier(load_preset(folder / "tiny"))
    face, grid = (2, 32, 32, 3), (2, *verifier.network.features.output_shape[1:])
    attentions = (*verifier.attentions, None, "", "cosine", 3)

    def draw(random):
        call = int(random.integers(6))
        attention = attentions[random.integers(len(attentions))]
        if call == 0:
            return call, attention, _odd(face, "u1", random), None
        return call, attention, _odd(grid, "f4", random), _odd(grid, "f4", random)

    def read(given):
        call, attention, a, b = given
        if call == 0:
            assert verifier.embed(a).shape == (len(a), *grid[1:])
        elif call == 1:
            assert verifier.compare_pairs(a, b, attention).shape == (len(a),)
        elif call == 2:
            maps = verifier.explain_pairs(a, b, attention)
            assert maps["xcos"].shape == (len(a),) == maps["attention_map"].shape[:1]
        elif call == 3:
            galleries = [Gallery(x) for x in (a, b)]
            assert verifier.compare(*galleries, attention).shape == (len(a), len(b))
        else:
            templates = [[Template(row, None) for row in x] for x in (a, b)]
            if call == 4 or not (templates[0] and templates[1]):
                assert verifier.compare(*templates, attention).shape == (len(a), len(b))
            else:
                assert verifier.verify(templates[0][0], templates[1][0], attention) is not None

    return Trial(draw, read)


def _encoded(folder: Path) -> Trial:
    """Inside a served model, where nothing may fail."""
    decode = tf.function(decode_faces, input_signature=[tf.TensorSpec([None], tf.string)])
    seeds = encoded_photos(["JPEG", "PNG", "GIF", "BMP"])

    def draw(random):
        return mutate_bytes(seeds[random.integers(len(seeds))], random, seeds)

    def read(content):
        faces, valid = decode(tf.constant([seeds[0], content]))
        assert faces.shape == (2, 112, 112, 3) and bool(valid[0])
        assert bool(valid[1]) or not faces[1].numpy().any()

    return Trial(draw, read)


READERS = (
    Reader("arrays for a verifier", _verifiers, 0.5, (XcosError, ValueError)),
    Reader("photos for a served model", _encoded, 0.5, speaks=True),
)
