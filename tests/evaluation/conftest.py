import pytest


@pytest.fixture(autouse=True)
def _loaded_once(loaded_once):
    """Most of the time of the tests here would go into loading presets."""
