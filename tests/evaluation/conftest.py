from functools import cache

import pytest

from xcos_tf.models.preset_folder import bundled_presets
from xcos_tf.verifier import Verifier

_load = cache(Verifier.from_preset)


@pytest.fixture(autouse=True)
def loaded_once(monkeypatch):
    """Load each bundled preset once for all tests here: most of their time would go into that."""
    load = Verifier.from_preset

    def from_preset(name):
        return _load(name) if name in bundled_presets() else load(name)

    monkeypatch.setattr(Verifier, "from_preset", from_preset)
