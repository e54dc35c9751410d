import subprocess
import sys

import pytest

from xcos_tf.errors import XcosError
from xcos_tf.explain.methods.registry import METHODS, method


@pytest.mark.parametrize("name", METHODS)
def test_each_name_gives_the_method_of_that_name(name):
    found = method(name)
    assert found.name == name
    assert found.needs in ("grid", "embedding", "any")
    assert callable(found.explain)


def test_the_names_are_those_of_the_issue():
    assert set(METHODS) == {
        *("xcos", "xcos-correlated", "xcos-patched", "tail", "occlusion", "corrrise"),
        *("gradcam", "gradcam++", "layercam", "scorecam", "saliency", "smoothgrad"),
        *("random", "face-centre", "xcos-whatif"),
    }


def test_another_name_is_refused():
    with pytest.raises(XcosError, match=r"there is no method 'gradcan'.*use one of xcos, "):
        method("gradcan")


def test_the_names_are_known_without_anything_heavy():
    program = """
import sys
from xcos_tf.explain.methods.registry import METHODS
assert not {"tensorflow", "keras", "numpy", "scipy"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_every_method_has_a_title_of_its_own_and_a_meaning():
    titles = [entry.title for entry in METHODS.values()]
    assert len(set(titles)) == len(titles)
    assert all(len(entry.meaning) > 20 for entry in METHODS.values())
