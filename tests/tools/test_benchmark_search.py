"""The measurement of stores: synthetic people with a known answer, and a store of few."""

from types import SimpleNamespace

import numpy as np
import pytest

from tools import benchmark_search
from tools.search import measuring
from tools.search.measuring import SyntheticPeople
from xcos_tf.evaluation.templates import TemplateInfo, write_templates
from xcos_tf.models.preset_config import read_config
from xcos_tf.models.preset_folder import find_preset


@pytest.fixture
def real(monkeypatch):
    monkeypatch.setattr(measuring, "PEOPLE", 40)
    random = np.random.default_rng(0)
    people = random.normal(size=(20, 1, 7, 7, 32))
    photos = people + 0.5 * random.normal(size=(20, 3, 7, 7, 32))
    return photos.reshape(60, 7, 7, 32).astype(np.float32), np.repeat(np.arange(20), 3)


def test_synthetic_people_are_like_themselves(real):
    people = SyntheticPeople(*real)
    block = people.block(7)
    assert block.shape == (40, 5, 7, 7, 32)
    np.testing.assert_allclose(np.linalg.norm(block, axis=-1), 1, rtol=1e-5)
    np.testing.assert_array_equal(block, SyntheticPeople(*real).block(7))
    scores = np.einsum("pahwc,qbhwc->pqab", block, block) / 49
    of_one, of_two = scores[np.eye(40, dtype=bool)], scores[~np.eye(40, dtype=bool)]
    assert np.median(of_one) > 0.6 > np.median(of_two) + 0.2


def test_enrolled_and_searched_are_photos_of_the_same(real):
    people = SyntheticPeople(*real)
    stretches = list(people.enrolled(170))
    assert [len(x) for x in stretches] == [160, 10]
    np.testing.assert_array_equal(
        stretches[1], people.block(1).reshape(-1, 7, 7, 32)[[*range(4), *range(5, 9), 10, 11]]
    )
    np.testing.assert_array_equal(people.searched(3), people.block(0)[:3, 4])


def test_nobody_with_two_faces_is_refused(real):
    with pytest.raises(ValueError, match="Expected two templates of one person"):
        SyntheticPeople(real[0], np.arange(60))


def test_a_store_is_measured_against_every_face(real, tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "SEARCHES", 4)
    monkeypatch.setattr(measuring, "in_fresh_process", lambda work, *args: work(*args))
    weights = read_config(find_preset("xcos-mobilefacenet-2"))["weights"]["sha256"]
    names, labels = [str(i) for i in range(60)], real[1].astype(np.int32)
    info = TemplateInfo("xcos-mobilefacenet-2", weights, "", names, names, [], labels)
    write_templates(tmp_path / "real", info, (7, 7, 32), [real[0]])
    args = SimpleNamespace(
        templates=tmp_path / "real",
        cache=tmp_path / "kept",
        work=tmp_path,
        folder=[170],
        postgres=[],
    )
    [report] = benchmark_search._measure(args)
    [(_, [row])] = report.rows.values()
    assert (row.store, row.faces, row.recall, row.unranked) == ("folder", 170, 1.0, 1.0)
    assert min(row.search_p50, row.find_p50, row.explain_p50) > 0 and row.search_gib > 0.05
    assert "| a folder | 170 | " in report.page("") and report.figure.axes
    # What the index does not have counts as missed.
    url = str(tmp_path / "store")
    exact = measuring._make(url, args.templates, 170)["exact"]
    exact[:, 5:] = 999
    assert measuring._search(url, args.templates, exact)["recall"].tolist() == [0.5] * 4
