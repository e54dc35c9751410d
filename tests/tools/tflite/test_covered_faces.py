"""Covered faces of a set are those that any other tool covers."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from PIL import Image

from tools.tflite.pricing import Bench, covered_faces
from xcos_tf.data.occlusion import Occluder
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.evaluation.verification_set import DecodedPhotos, VerificationSet
from xcos_tf.export.tflite.int8 import SHIPPED

NAMES = ["a/a_1.jpg", "b/b_1.jpg"]
FACES = np.stack([np.asarray(Image.open(SHIPPED / f"{x}.png")) for x in ("obama", "biden")])


def vset(names):
    ends = np.array([0]), np.array([1])
    pairs = PairSet(names, *ends, np.array([False]), np.array([0]))
    return VerificationSet("set", DecodedPhotos(names, FACES), pairs, True, "ab")


def test_each_face_is_covered_by_what_its_name_says():
    covered = covered_faces(vset(NAMES), Occluder(share=0.3, seed=5)).photos.pixels
    for position, name in enumerate(NAMES):
        expected = Occluder(share=0.3, seed=5).cover(FACES[position].copy(), name)
        np.testing.assert_array_equal(covered[position], expected)
        assert (expected != FACES[position]).any()
    np.testing.assert_array_equal(vset(NAMES).photos.pixels, FACES)


def test_what_is_kept_follows_from_what_covers(tmp_path):
    variant = SimpleNamespace(
        runtime=SimpleNamespace(identity="some models"), config={"variant": "toy"}
    )
    variant.embed = lambda faces: faces[:, ::16, ::16].astype(np.float32)
    variant.explain_pairs = lambda a, b: {"xcos": -np.abs(a - b).mean((1, 2, 3))}
    found = []
    for names in (NAMES, ["c/c_1.jpg", "b/b_1.jpg"]):
        bench = Bench(tmp_path, vset(names), tmp_path / "kept")
        ends = {"first": np.array([0, 1, 0, 1]), "second": np.array([0, 0, 0, 0])}
        kinds = {"same": np.array([True, False] * 2), "fold": np.array([0, 0, 1, 1])}
        pairs = replace(bench.vset.pairs, **ends, **kinds)
        for share, seed in ((0.3, 5), (0.4, 5), (0.3, 6), (0.3, 5)):
            judged = bench.judged(variant, pairs, Occluder(share=share, seed=seed))
            found.append(judged.scores.tolist())
    assert found[0] == found[3] and found[4] == found[7]
    assert len({tuple(x) for x in found}) == 6
