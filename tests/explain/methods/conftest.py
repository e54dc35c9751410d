"""Shared fixtures."""

import numpy as np
import pytest

from tests.explain.toys import noise


@pytest.fixture
def pair(random) -> np.ndarray:
    """Two faces that have nothing in common, uint8 (2, 112, 112, 3)."""
    return noise(random, 2)
