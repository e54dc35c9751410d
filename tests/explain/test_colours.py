import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_rgb

from xcos_tf.errors import XcosError
from xcos_tf.explain.panels import COLOURS, colours_named

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def test_blue_is_similar_in_the_papers_colours():
    dissimilar, similar = colormaps[colours_named("paper").signed]([0.0, 1.0])[:, :3]
    assert similar[2] > 2 * similar[0] and dissimilar[0] > 2 * dissimilar[2]


@pytest.mark.parametrize("field", ["signed", "weight"])
def test_the_other_colours_grow_lighter_all_the_way(field):
    drawn = colormaps[getattr(COLOURS["cividis"], field)](np.linspace(0, 1, 64))[:, :3]
    assert (np.diff(drawn @ LUMA) > 0).all()
    assert np.dot(to_rgb(COLOURS["cividis"].for_same), LUMA) > 0.8
    assert np.dot(to_rgb(COLOURS["cividis"].against), LUMA) < 0.2


def test_unknown_colours_are_named():
    with pytest.raises(XcosError, match="no colours 'jet'; use one of paper, cividis"):
        colours_named("jet")
