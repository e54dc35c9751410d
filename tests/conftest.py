"""Shared fixtures."""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

PHOTOS = Path(__file__).parent / "photos"


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(20211)


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of sample photos."""
    return PHOTOS
