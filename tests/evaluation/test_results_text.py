import json
from dataclasses import replace

import numpy as np
import pytest

from tests.evaluation.counted import counted_set
from xcos_tf.evaluation.measurement import ScoredPairs, UnderOcclusion, measure
from xcos_tf.evaluation.results_text import results_document, results_tables
from xcos_tf.evaluation.verification_set import Skipped


@pytest.fixture
def vset():
    """200 pairs, of which 100 are impostors: enough for FAR 1e-2, not for 1e-3."""
    return counted_set(photos=6, pairs=200)


@pytest.fixture
def results(vset, random):
    values = (vset.pairs.same + random.normal(0, 0.4, 200)).astype(np.float32)
    thresholds = {"0.01": 1.0, "1e-3": 1.25}
    scores = [
        ScoredPairs("mine", "a" * 64, "learned", values, thresholds),
        ScoredPairs("mine", "a" * 64, "flattened", values, {}),
    ]
    return [(scored, measure(scored, vset.pairs)) for scored in scores]


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_table_has_the_rates_that_could_be_observed(vset, results):
    headline, heading, _, first, second = results_tables("here", vset, results).splitlines()
    assert headline == "200 pairs of 6 photos in here"
    assert cells(heading) == [
        *("preset", "score", "accuracy %", "AUC", "EER %"),
        *("TAR at FAR 1e-1", "TAR at FAR 1e-2", "at FMR 1e-3"),
    ]
    measured = results[0][1]
    row = cells(first)
    assert row[:2] == ["mine", "learned"]
    assert row[2] == f"{100 * measured.accuracy:.2f} ± {100 * measured.accuracy_std:.2f}"
    assert row[3:5] == [f"{measured.auc:.4f}", f"{100 * measured.eer:.2f}"]
    assert row[6].startswith(f"{100 * measured.tar_at_far[1e-2].value:.2f} % (")
    scores, same = results[0][0].values, vset.pairs.same
    fmr, fnmr = np.mean(scores[~same] >= 1.25), np.mean(scores[same] < 1.25)
    assert row[7] == f"FMR {100 * fmr:.2f} %, FNMR {100 * fnmr:.2f} %"
    assert cells(second)[7] == "no threshold"


def test_videos_notes_and_one_fold(vset, results):
    pairs = replace(vset.pairs, fold=np.zeros(200, np.int64))
    videos = [np.array([0, 1]), np.array([2, 3, 4, 5])]
    vset = replace(vset, pairs=pairs, videos=videos, notes=["One note.", "Another."])
    results = [(scored, measure(scored, pairs)) for scored, _ in results]
    table, notes = results_tables("here", vset, results).split("\n\n")
    assert table.startswith("200 pairs of 2 videos of 6 frames in here\n")
    assert cells(table.splitlines()[3])[2] == "—"
    assert notes == "One note.\nAnother."


def test_the_document_is_json_with_everything(vset, results):
    vset = replace(vset, skipped=[Skipped("a.jpg", "no face")], notes=["One note."])
    occlusion = [UnderOcclusion("mine", "learned", 0.1, 0.75, 0.125)]
    document = results_document(vset, results, occlusion)
    assert json.loads(json.dumps(document)) == document
    assert document["set"] == {
        "name": "drawn",
        "fingerprint": "f" * 64,
        "photos": 6,
        "videos": None,
        "pairs": 200,
        "genuine": 100,
        "impostor": 100,
        "folds": 3,
        "notes": ["One note."],
        "skipped": [{"name": "a.jpg", "reason": "no face"}],
    }
    first = document["results"][0]
    assert (first["preset"], first["sha256"], first["score"]) == ("mine", "a" * 64, "learned")
    assert first["at_threshold"]["0.01"]["threshold"] == 1.0
    assert first["tar_at_far"]["0.01"]["low"] < first["tar_at_far"]["0.01"]["value"]
    assert document["occlusion"] == [
        {
            "preset": "mine",
            "score": "learned",
            "share": 0.1,
            "accuracy": 0.75,
            "accuracy_std": 0.125,
        }
    ]
    assert "occlusion" not in results_document(vset, results)
