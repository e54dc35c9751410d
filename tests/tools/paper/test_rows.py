"""The baseline that an xCos preset is measured against."""

import pytest

from tools.paper.rows import namesake


@pytest.mark.parametrize(
    "preset, plain",
    [
        ("xcos-mobilefacenet", "mobilefacenet"),
        ("xcos-mobilefacenet-2", "mobilefacenet"),
        ("xcos-mobilefacenet-occlusion", "mobilefacenet-occlusion"),
        ("mobilefacenet", "mobilefacenet"),
        ("ir-50", "ir-50"),
    ],
)
def test_a_preset_is_called_after_its_baseline(preset, plain):
    assert namesake(preset) == plain
