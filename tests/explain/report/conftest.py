"""Fixtures of the report's tests."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.explain.report.making import SCRIPT, make_scores, measured
from xcos_tf.evaluation.measurement import UnderOcclusion
from xcos_tf.evaluation.verification_set import Skipped
from xcos_tf.explain.report.page import write_report


@pytest.fixture(scope="session")
def report(explained, tmp_path_factory) -> Path:
    """A report with everything: an xCos and a plain preset, occlusion, a gallery, skipped photos.

    Its names are hostile, and so long that they would not fit on one line.
    """
    vset, scores = explained
    vset = replace(vset, skipped=[Skipped(f"{SCRIPT} {k}.jpg", "no face") for k in range(30)])
    scores = [*scores, make_scores(vset, preset=f"{SCRIPT}/a_preset_in_a_folder_with_a_long_name")]
    occlusion = [
        UnderOcclusion(x.preset, x.score, share, 0.9 - share / 2, 0.01)
        for x in scores
        for share in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
    ]
    path = tmp_path_factory.mktemp("report") / "report.html"
    command = f"xcos evaluate {SCRIPT} {'long/' * 40}"
    write_report(path, vset, measured(vset, *scores), vset.photos.read, occlusion, command)
    return path
