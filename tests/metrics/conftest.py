"""Fixtures of metrics."""

import numpy as np
import pytest


@pytest.fixture(params=["distinct", "many ties", "float32"])
def pairs(request, random):
    """Scores of 300 overlapping pairs, and which are genuine."""
    same = random.random(300) < 0.4
    scores = random.normal(0.8 * same, 0.6)
    if request.param == "many ties":
        scores = scores.round(1)
    return scores.astype(np.float32) if request.param == "float32" else scores, same
