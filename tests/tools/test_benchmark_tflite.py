"""The price list of two variants on a few pairs of photos and of drawn faces."""

import numpy as np
import pytest
from PIL import Image

from tools.benchmark_tflite import main
from tools.generate_faces import draw_face
from tools.results import read_rows
from tools.tflite.pricing import all_pairs_of_folds, covered_pairs
from tools.tflite.tables import CoveredPrice, Price
from xcos_tf.data.occlusion import Occluder
from xcos_tf.evaluation.occluded import SHARES
from xcos_tf.evaluation.pair_lists import read_lfw_pairs
from xcos_tf.export.tflite.int8 import SHIPPED
from xcos_tf.metrics.rates import kfold_accuracy
from xcos_tf.verifier import Verifier

PAIRS = "2\t1\nobama\t1\t2\nobama\t1\tbiden\t1\ndrawn\t1\t2\ndrawn\t1\tbiden\t1\n"
ENDS = [(("obama", 1), ("obama", 2)), (("obama", 1), ("biden", 1))]
ENDS += [(("drawn", 1), ("drawn", 2)), (("drawn", 1), ("biden", 1))]


@pytest.fixture(scope="module")
def faces():
    """{(person, photo): uint8 (112, 112, 3)}."""
    names = {("obama", 1): "obama", ("obama", 2): "obama2", ("biden", 1): "biden"}
    faces = {x: np.asarray(Image.open(SHIPPED / f"{name}.png")) for x, name in names.items()}
    for photo in (1, 2):
        generators = [np.random.default_rng([7, x]) for x in (0, photo)]
        faces["drawn", photo] = np.asarray(draw_face(*generators))
    return faces


@pytest.fixture(scope="module")
def data(faces, tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    for (person, photo), face in faces.items():
        (root / "lfw" / person).mkdir(parents=True, exist_ok=True)
        Image.fromarray(face).save(root / "lfw" / person / f"{person}_{photo:04d}.png")
    (root / "pairs.txt").write_text(PAIRS)
    return root


def covered_accuracy(data, share):
    """Return the float preset's by the Python API, genuine and impostor pairs counting alike."""
    listed = read_lfw_pairs(data / "pairs.txt", data / "lfw")
    pairs = covered_pairs(all_pairs_of_folds(listed), seed=0)
    faces = [np.asarray(Image.open(data / "lfw" / name)) for name in pairs.photos]
    occluder, verifier = Occluder(share=share), Verifier.from_preset("xcos-mobilefacenet-2")
    covers = [occluder.cover(x.copy(), name) for x, name in zip(faces, pairs.photos, strict=True)]
    plain, covered = (verifier.embed(np.stack(x)) for x in (faces, covers))
    scores = verifier.compare_pairs(covered[pairs.first], plain[pairs.second])
    return kfold_accuracy(scores, pairs.same, pairs.fold, balanced=True).mean


@pytest.mark.slow
def test_price_list(data, faces, tmp_path):
    page = tmp_path / "page.md"
    tables = ("tflite", "tflite-all-pairs", "tflite-covered")
    page.write_text("".join(f"<!-- table: {x} -->\n<!-- end -->\n" for x in tables))
    words = [str(data), "--out", str(tmp_path / "out"), "--variants", "float16", "--rounds", "3"]
    assert main([*words, "--cache", str(tmp_path / "kept"), "--readme", str(page)]) == 0
    base, half = read_rows(tmp_path / "out" / "tflite.csv", Price)
    assert (base.variant, half.variant) == ("float32", "float16")
    assert (base.latency_1, base.latency_2) == (1, 1)
    assert half.latency_1 > 0 and half.verify_1 > 0
    ratio = half.verify_bare_1 / half.verify_1 / half.latency_1
    assert ratio == pytest.approx(base.verify_bare_1 / base.verify_1)  # of embed and bare backbone
    assert base.s_correlation == pytest.approx(1) and base.w_correlation == pytest.approx(1)
    assert 0.999 < half.s_correlation < 1
    assert half.embed_gzipped < half.embed_bytes < 0.51 * base.embed_bytes

    verifier = Verifier.from_preset("xcos-mobilefacenet-2")
    first, second = (
        verifier.embed(np.stack([faces[pair[side]] for pair in ENDS])) for side in (0, 1)
    )
    same = np.array([True, False, True, False])
    scores = verifier.compare_pairs(first, second)
    expected = kfold_accuracy(scores, same, np.array([0, 0, 1, 1]))
    assert base.accuracy == pytest.approx(expected.mean)
    assert base.fnmr == np.mean(scores[same] < base.threshold)  # no fold has more genuine pairs
    assert (base.genuine, base.impostor) == (2, 4)
    assert base.all_lost == base.all_lost_error == base.changed == base.changed_error == 0
    # Of each variant the grid features, and the scores of all pairs and of six shares.
    assert len(list((tmp_path / "kept").glob("*.safetensors"))) == 2 * (1 + 1 + len(SHARES))
    assert page.read_text().count("| `float16` |") == 3

    rows = read_rows(tmp_path / "out" / "tflite-covered.csv", CoveredPrice)
    assert [(row.variant, row.share) for row in rows] == [
        (variant, share) for variant in ("float32", "float16") for share in (*SHARES, None)
    ]
    assert {(row.genuine, row.impostor) for row in rows} == {(4, 4)}
    assert {row.more for row in rows} == {None}  # int8 was not measured
    assert all(row.lost == row.changed == 0 for row in rows[: len(rows) // 2])
    [half_covered] = [row for row in rows if (row.variant, row.share) == ("float32", 0.5)]
    assert half_covered.accuracy == pytest.approx(covered_accuracy(data, 0.5))
    assert (
        "Made by `python tools/benchmark_tflite.py DATA"
        in (tmp_path / "out" / "tflite.md").read_text()
    )


def test_no_lfw(tmp_path, capsys):
    assert main([str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "there is no lfw/" in capsys.readouterr().err
