import io
import itertools

import numpy as np
import pytest
from PIL import Image

from tests.data.records.sources import jpeg
from xcos_tf.data.face_set import join_sets
from xcos_tf.data.records.reader import PreparedSet
from xcos_tf.data.records.writer import open_source, prepare
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.thresholds import fixed_attention_thresholds, spread_over_people
from xcos_tf.metrics.rates import threshold_at_fmr
from xcos_tf.verifier import Verifier


def test_faces_are_dealt_evenly():
    labels = np.array([0] * 50 + [1] * 2 + [2] + [3] * 30)
    chosen = spread_over_people(labels, 10, seed=1)
    assert np.bincount(labels[chosen]).tolist() == [4, 2, 1, 3] or np.bincount(
        labels[chosen]
    ).tolist() == [3, 2, 1, 4]
    assert len(set(chosen)) == 10
    np.testing.assert_array_equal(chosen, spread_over_people(labels, 10, seed=1))
    np.testing.assert_array_equal(spread_over_people(labels, 4, seed=1), chosen[:4])
    assert set(labels[chosen[:4]]) == {0, 1, 2, 3}
    assert spread_over_people(labels, 10, seed=2).tolist() != chosen.tolist()
    assert sorted(spread_over_people(labels, 1000, seed=1)) == list(range(len(labels)))


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("held-out")
    for person, count in enumerate((6, 5, 4)):
        (folder / "photos" / str(person)).mkdir(parents=True)
        for i in range(count):
            (folder / "photos" / str(person) / f"{i}.jpg").write_bytes(jpeg(10 * person + i, 112))
    prepare(open_source(folder / "photos"), folder / "set", 1)
    return join_sets([PreparedSet(folder / "set")])


def test_thresholds_are_those_of_all_impostor_pairs(faces):
    verifier = Verifier.from_preset("mobilefacenet")
    found = fixed_attention_thresholds(verifier, faces, "cosine")
    assert (found.impostor_pairs, found.people) == (6 * 5 + 6 * 4 + 5 * 4, 3)
    assert found.at == {}  # a hundred pairs are the fewest for FMR 1e-2
    faces = faces.select(np.array([True, True, False]))
    images = [np.asarray(Image.open(io.BytesIO(x))) for x in faces.read(np.arange(11))]
    templates = [verifier.enroll(image, aligned=True) for image in images]
    scores = [
        float(verifier.compare(templates[a], templates[b])[0, 0])
        for a, b in itertools.product(range(6), range(6, 11))
    ]
    # A rate that 30 pairs can show.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xcos_tf.metrics.rates.FALSE_MATCH_RATES", ("0.1", "0.01"))
        found = fixed_attention_thresholds(verifier, faces, "cosine")
    assert list(found.at) == ["0.1"]
    assert found.at["0.1"] == pytest.approx(threshold_at_fmr(np.array(scores), 0.1), abs=1e-4)


def test_faces_of_another_size(faces):
    verifier = Verifier.from_preset("mobilefacenet")
    with pytest.raises(XcosError, match="a face of the sets is 112×112 pixels and the models"):
        fixed_attention_thresholds(verifier, faces, "cosine", size=96)
