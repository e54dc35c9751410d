"""Searches of all faces against one by one in NumPy, and the command's tables."""

import json

import numpy as np
import pytest

from tests.search.conftest import entries
from xcos_tf import Verifier, XcosError
from xcos_tf.cli.main import main
from xcos_tf.search import identification
from xcos_tf.search.identification import Identification, identify
from xcos_tf.search.thresholds import FPIR, needed_fmr


class Templates:
    """Features and whose they are, as a `TemplateStore` has them."""

    def __init__(self, features, labels):
        self._features, self.labels = features, np.array(labels, np.int32)

    def __len__(self):
        return len(self.labels)

    def read(self, start, stop):
        return self._features[start:stop]

    def check_preset(self, config):
        pass


@pytest.fixture(scope="module")
def verifier():
    return Verifier.from_preset()


@pytest.fixture(scope="module")
def templates():
    noise = np.stack([x.feature for x in entries(60, shape=(7, 7, 32))])
    people = np.stack([x.feature for x in entries(25, seed=1, shape=(7, 7, 32))])
    labels = np.array([*range(25), *range(20), *range(15)])
    return Templates(noise + 0.2 * people[labels], labels)


def one_by_one(scores, labels):
    """Return ranks and best mates, and best strangers, as the definitions say."""
    ranks, mates, strangers = [], [], []
    for i, row in enumerate(scores):
        mine = [j for j in range(len(row)) if labels[j] == labels[i] and j != i]
        others = [row[j] for j in range(len(row)) if labels[j] != labels[i]]
        strangers.append(max(others))
        if mine:
            mates.append(max(row[mine]))
            ranks.append(1 + sum(x >= mates[-1] for x in others))
    return ranks, mates, strangers


@pytest.mark.parametrize("rows", [7, 128])
def test_it_agrees_with_searches_one_by_one(verifier, templates, rows, monkeypatch):
    monkeypatch.setattr(identification, "_ROWS", rows)
    monkeypatch.setattr(identification, "CANDIDATES", 59)  # so that all are compared
    found = {x.score: x for x in identify(templates, verifier)}
    assert list(found) == ["patched", "correlated", "learned"]
    for score, result in found.items():
        features = templates.read(0, 60)
        scores = np.stack(
            [
                verifier.compare_pairs(np.broadcast_to(x, features.shape), features, score)
                for x in features
            ]
        )
        ranks, mates, strangers = one_by_one(scores, templates.labels)
        assert 1 < np.mean(ranks) < 20  # neither all found nor none
        np.testing.assert_array_equal(result.ranks, ranks)
        np.testing.assert_allclose(result.mates, mates, atol=1e-5)
        np.testing.assert_allclose(result.strangers, strangers, atol=1e-5)
        different = templates.labels[:, None] != templates.labels
        assert result.comparisons == different.sum()
        greatest = np.sort(scores[different])[::-1][: len(result.impostors)]
        np.testing.assert_allclose(result.impostors, greatest, atol=1e-5)


def test_of_the_learned_attention_the_candidates_are_compared(verifier, templates, monkeypatch):
    monkeypatch.setattr(identification, "CANDIDATES", 1)
    *_, by_index, learned = identify(templates, verifier)
    first = by_index.ranks == 1  # for whom the only candidate is a mate
    assert first.any() and not first.all()
    assert (learned.ranks[first] == 1).all() and np.isneginf(learned.mates[~first]).all()
    assert learned.rank(10**6).value == pytest.approx(first.mean())


def test_shares_and_thresholds_by_hand():
    scores = np.array([0.9, 0.5, -np.inf], np.float32)
    impostors = np.linspace(0.8, 0, 1001, dtype=np.float32)
    found = Identification(
        "learned", scores, np.array([1, 3, 2**62]), np.array([0.6, 0.3, 0.2, 0.1]), impostors, 10**5
    )
    assert [found.rank(k).value for k in (1, 2, 3)] == pytest.approx([1 / 3, 1 / 3, 2 / 3])
    assert found.fpir(0.3).value == 0.5 and found.fpir(0.7).value == 0
    assert found.fnir(0.8).value == pytest.approx(2 / 3) and found.fnir(0.95).value == 1
    threshold = found.threshold(1e-3)  # a hundred of 100,000 may match
    assert (impostors >= threshold).sum() == 100
    assert found.threshold(1e-6) is None
    assert found.thresholds() == {
        "100": found.threshold(needed_fmr(100)),
        "1000": found.threshold(needed_fmr(1000)),
    }


@pytest.mark.parametrize("faces", [1, 10, 1000, 10**6])
def test_the_rate_of_pairs_gives_the_rate_of_searches(faces):
    assert 1 - (1 - needed_fmr(faces)) ** faces == pytest.approx(FPIR)


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]])
def test_too_few_people(verifier, templates, labels):
    with pytest.raises(XcosError, match="two people or more, one of whom has two"):
        identify(Templates(templates.read(0, 3), labels), verifier)


@pytest.fixture
def people(photos, tmp_path):
    for person, names in {"Obama": ("obama", "obama2"), "Biden": ("biden",)}.items():
        (tmp_path / "photos" / person).mkdir(parents=True)
        for name in names:
            link = tmp_path / "photos" / person / f"{name}.jpg"
            link.write_bytes((photos / f"{name}.jpg").read_bytes())
    assert main(["align", str(tmp_path / "photos"), str(tmp_path / "faces")]) == 0
    return tmp_path / "faces"


def test_the_command_prints_tables_or_json(people, capsys):
    capsys.readouterr()
    words = ["evaluate", str(people), "--identification", "--preset", "xcos-mobilefacenet-2"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "3 faces of 2 people" in shown and "each searched among the 2 others; 2 have" in shown
    assert "| xcos-mobilefacenet-2 | learned | 100.00 % (15.81–100.00) | 100.00 %" in shown
    assert main([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["set"]["with a mate"] == 2 and document["fpir"] == 0.01
    assert [x["score"] for x in document["results"]] == ["patched", "correlated", "learned"]
    assert all(x["rank_1"]["value"] == 1 for x in document["results"])


def test_options_that_do_not_go_with_it(people, capsys):
    words = ["evaluate", str(people), "--identification"]
    for others in (["--all-pairs"], ["--draw", "5"], ["--report", "a.html"]):
        assert main([*words, *others]) == 2
        assert "--identification searches each face of a folder, without" in capsys.readouterr().err
