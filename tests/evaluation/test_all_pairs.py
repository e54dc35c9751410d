import itertools
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.verifying import untrained_preset
from xcos_tf.errors import XcosError
from xcos_tf.evaluation import all_pairs
from xcos_tf.evaluation.all_pairs import compare_all, count_pairs
from xcos_tf.evaluation.matcher import Matcher
from xcos_tf.evaluation.templates import TemplateInfo, open_templates, write_templates
from xcos_tf.metrics import histogram, rates
from xcos_tf.metrics.histogram import BINS
from xcos_tf.metrics.intervals import share
from xcos_tf.templates import Gallery, fixed_weight_scores

EDGES = np.linspace(-1, 1, BINS + 1)


@dataclass
class InMemory:
    features: np.ndarray
    labels: np.ndarray

    @property
    def names(self):
        return [f"face {i}" for i in range(len(self.labels))]

    def read(self, start, stop):
        return self.features[start:stop]


def dyadic_templates(random, count):
    """Grids of 4×4 cells that are unit vectors along an axis: every score is a multiple of 1/16,
    computed without rounding, and lies on the edge of a bin."""
    axes, signs = random.integers(0, 3, (count, 4, 4)), random.choice([-1, 1], (count, 4, 4))
    features = np.zeros((count, 4, 4, 4), np.float32)
    np.put_along_axis(features, axes[..., None], signs[..., None].astype(np.float32), axis=-1)
    features[count // 2] = features[0]  # duplicates, which score exactly 1
    features[-1] = -features[0]  # and the opposite, exactly −1
    return InMemory(features, random.integers(0, max(2, count // 4), count).astype(np.int32))


def uniform(first, second):
    return fixed_weight_scores(Gallery(first), Gallery(second), np.full(16, 1 / 16))


@pytest.mark.parametrize(
    "count, block", [(2, 1), (2, 8), (3, 2), (41, 1), (41, 7), (41, 40), (41, 41), (41, 64)]
)
def test_every_pair_is_counted_once_in_its_bin(random, count, block):
    templates = dyadic_templates(random, count)
    found = count_pairs(templates, uniform, "patched", {"0.1": 0.25, "0.01": 0.3}, block)
    upper = np.triu_indices(count, k=1)
    scores = uniform(templates.features, templates.features)[upper]
    same = np.equal.outer(templates.labels, templates.labels)[upper]
    assert scores.min() == -1 and (count == 2 or scores.max() == 1)
    for kind, counts in ((same, found.genuine), (~same, found.impostor)):
        assert counts.dtype == np.int64
        np.testing.assert_array_equal(counts, np.histogram(scores[kind], BINS, (-1, 1))[0])
    for fmr, threshold in (("0.1", 0.25), ("0.01", 0.3)):
        assert found.genuine_reaching[fmr] == np.sum(scores[same] >= threshold)
        assert found.impostor_reaching[fmr] == np.sum(scores[~same] >= threshold)
    assert found.genuine_pairs + found.impostor_pairs == count * (count - 1) // 2


def test_thresholds_between_floats():
    # 0.7 lies above the float32 next to it and 0.3 below.
    templates = InMemory(np.zeros((2, 1), np.float32), np.zeros(2, np.int32))
    for threshold in (0.7, 0.3):
        for score in (np.float32(threshold), np.nextafter(np.float32(threshold), np.float32(2))):
            found = count_pairs(
                templates, lambda a, b, s=score: np.full((2, 2), s), "x", {"0.1": threshold}, 2
            )
            assert found.genuine_reaching["0.1"] == int(float(score) >= threshold)


def test_scores_of_an_order_are_those_of_the_upper_triangle(random):
    templates = InMemory(random.normal(size=(11, 1)), np.arange(11, dtype=np.int32))

    def difference(first, second):  # not symmetric
        return np.tanh(first - second.T)

    found = count_pairs(templates, difference, "learned", {}, 4)
    scores = difference(templates.features, templates.features)[np.triu_indices(11, k=1)]
    np.testing.assert_array_equal(found.impostor, np.histogram(scores, BINS, (-1, 1))[0])
    assert not found.genuine.any()


@pytest.fixture(scope="session")
def matchers(tmp_path_factory):
    xcos = Matcher(untrained_preset(tmp_path_factory.getbasetemp()))
    return {"xcos": xcos, "plain": Matcher("mobilefacenet")}


def write_store(path, features, labels, weights):
    names = [f"{label}/{i}.jpg" for i, label in enumerate(labels)]
    people = [str(i) for i in range(max(labels) + 1)]
    info = TemplateInfo("x", weights, "", people, names, [], np.array(labels, np.int32))
    write_templates(path, info, features.shape[1:], [features])
    return open_templates(path)


@pytest.mark.parametrize(
    "kind, score",
    [(k, s) for k, s in itertools.product(["xcos"], ["patched", "correlated", "learned"])]
    + [("xcos", "flattened"), ("plain", "cosine")],
)
def test_counts_are_those_of_the_verifier(random, matchers, tmp_path, monkeypatch, kind, score):
    matcher = matchers[kind]
    labels = [0, 0, 0, 1, 2, 2, 3, 4, 5, 5, 5, 5, 6]
    shape = (7, 7, 32) if kind == "xcos" else (192,)
    people = random.normal(size=(7, *shape))
    features = (people[labels] + random.normal(size=(13, *shape))).astype(np.float32)
    features[6] = features[7]
    store = write_store(tmp_path / "templates", features, labels, matcher.sha256)
    for block in ("NETWORK_BLOCK", "PRODUCT_BLOCK"):
        monkeypatch.setattr(all_pairs, block, 5)
    found = compare_all(store, matcher, score)
    # All at once, by the code that verifies; the flattened cosine written out.
    if score == "flattened":
        flat = features.reshape(13, -1) / np.linalg.norm(features.reshape(13, -1), axis=1)[:, None]
        matrix = flat @ flat.T
    else:
        matrix = matcher.verifier.compare(Gallery(features), Gallery(features), score)
    upper = np.triu_indices(13, k=1)
    scores, same = matrix[upper], np.equal.outer(labels, labels)[upper]
    for kind, counts in ((same, found.genuine), (~same, found.impostor)):
        assert counts.sum() == kind.sum()
        # Scores within rounding of an edge may be on either side of it.
        reaching = np.cumsum(counts[::-1])[::-1]
        at_least = (scores[kind, None] >= EDGES[:-1] + 1e-5).sum(axis=0)
        at_most = (scores[kind, None] >= EDGES[:-1] - 1e-5).sum(axis=0)
        at_most[0] = kind.sum()
        assert (at_least <= reaching).all() and (reaching <= at_most).all()
    assert found.score == score
    assert found.thresholds == matcher.verifier.config["thresholds"].get(score, {})
    for fmr, threshold in found.thresholds.items():
        assert abs(scores - threshold).min() > 1e-5  # so that these are exact
        assert found.fmr(fmr) == share(int(np.sum(scores[~same] >= threshold)), int(sum(~same)))
        assert found.fnmr(fmr) == share(int(np.sum(scores[same] < threshold)), int(sum(same)))
    assert found.auc.low - 1e-9 <= rates.auc(scores, same) <= found.auc.high + 1e-9
    assert found.eer == histogram.eer(found.genuine, found.impostor)
    assert found.tar_at_far(0.1) == histogram.tar_at_far(found.genuine, found.impostor, 0.1)


def test_pairs_of_one_kind():
    def half(first, second):
        return np.full((len(first), len(second)), 0.5)

    features = np.zeros((4, 1), np.float32)
    one = count_pairs(InMemory(features, np.zeros(4, np.int32)), half, "x", {"0.1": 0.6}, 3)
    assert (one.genuine_pairs, one.impostor_pairs) == (6, 0)
    assert one.fmr("0.1") is None and one.fnmr("0.1").value == 1
    all_different = InMemory(features, np.arange(4, dtype=np.int32))
    many = count_pairs(all_different, half, "x", {"0.1": 0.5}, 3)
    assert (many.genuine_pairs, many.impostor_pairs) == (0, 6)
    assert many.fmr("0.1").value == 1 and many.fnmr("0.1") is None
    for pairs in (one, many):
        assert (pairs.auc, pairs.eer, pairs.tar_at_far(0.5)) == (None, None, None)


def test_one_face_is_no_pair():
    with pytest.raises(XcosError, match="all against all takes two"):
        count_pairs(InMemory(np.zeros((1, 4)), np.zeros(1, np.int32)), uniform, "x", {}, 8)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_score_that_is_no_number(value):
    def compare(first, second):
        scores = np.zeros((len(first), len(second)))
        scores[(first == 5) & (second.T == 8)] = value
        return scores

    templates = InMemory(np.arange(10.0)[:, None], np.arange(10, dtype=np.int32))
    with pytest.raises(XcosError, match=f"the score of face 5 and face 8 is {value}; check"):
        count_pairs(templates, compare, "x", {}, 4)


def test_templates_of_another_preset(random, matchers, tmp_path):
    store = write_store(
        tmp_path / "templates", np.ones((2, 7, 7, 32), np.float32), [0, 1], "0" * 64
    )
    with pytest.raises(XcosError, match="templates by other weights"):
        compare_all(store, matchers["xcos"], "patched")


MEMORY = """
import resource, sys
import numpy as np
from xcos_tf.evaluation.all_pairs import count_pairs
from xcos_tf.metrics import intervals  # SciPy is no part of what is measured
class Templates:
    labels = np.arange(12_000, dtype=np.int32) // 3
    names = ()
    features = np.random.default_rng(0).normal(size=(12_000, 8)).astype(np.float32) / 10
    def read(self, start, stop):
        return self.features[start:stop]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = count_pairs(Templates(), lambda a, b: a @ b.T, "x", {"0.1": 0.1}, 1024)
assert found.genuine_pairs == 12_000 and found.impostor_pairs == 12_000 * 11_999 // 2 - 12_000
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_is_that_of_a_block():
    # A parent's peak is its child's to begin with, so another process stands between.
    between = "import subprocess, sys; subprocess.run(sys.argv[1:], check=True)"
    run = subprocess.run(
        [sys.executable, "-c", between, sys.executable, "-c", MEMORY],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    unit = 1 if sys.platform == "darwin" else 1024
    # All scores at once would be 576 MB, or 72 million pairs' positions 1.1 GB.
    assert int(run.stdout) * unit < 100e6
