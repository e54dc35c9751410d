"""Fixtures of the tests of galleries and of the report."""

import pytest

from tests.explain.report.making import SCRIPT, make_set
from tests.verifying import untrained_preset
from xcos_tf.evaluation.protocol import score_set


@pytest.fixture(scope="session")
def preset(tmp_path_factory) -> str:
    """The folder of an xCos preset with random weights in its head."""
    return str(untrained_preset(tmp_path_factory.getbasetemp()))


@pytest.fixture(scope="session")
def explained(preset):
    """A set of 40 pairs, and what the preset scores them, for real."""
    names = [f"{SCRIPT}/photo_of_a_person_{k}.jpg" for k in range(40)]
    vset = make_set(40, names=names, name=SCRIPT, notes=[SCRIPT])
    return vset, score_set([preset], vset)
