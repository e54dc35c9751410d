"""What needs a package that is not there says which extra has it."""

import re
import sys
from pathlib import Path

import pytest

from xcos_tf.errors import XcosError, extra
from xcos_tf.explain.methods.registry import method
from xcos_tf.export.compression.students import ClusteredStudent, PrunedStudent

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["gradcam", "scorecam", "smoothgrad"])
def test_methods_of_tf_keras_vis(name, monkeypatch):
    for module in ("", ".gradcam", ".gradcam_plus_plus", ".scorecam", ".saliency"):
        monkeypatch.setitem(sys.modules, f"tf_keras_vis{module}", None)
    monkeypatch.delitem(sys.modules, "xcos_tf.explain.methods.white_box", raising=False)
    with pytest.raises(XcosError, match=rf"^the method {name} needs .*xcos_tf\[saliency\]'$"):
        method(name)


@pytest.mark.parametrize(
    "student, name", [(PrunedStudent, "pruned"), (ClusteredStudent, "clustered")]
)
def test_compression(student, name, monkeypatch):
    for module in ("sparsity", "clustering"):
        monkeypatch.setitem(sys.modules, f"tensorflow_model_optimization.{module}", None)
    with pytest.raises(XcosError, match=rf"^the variant {name} needs .*xcos_tf\[compress\]'$"):
        student({}, 2, 1)


def test_what_is_named_is_an_extra():
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "xcos_tf").rglob("*.py")]
    named = {name for text in texts for name in re.findall(r'with extra\("(\w+)"', text)}
    named_here = {"saliency", "compress", "mobile", "serving", "heic", "addons", "convert"}
    assert named_here | {"postgres", "cluster", "serve", "camera"} == named
    there = re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(), re.M)
    assert named <= set(there)


def test_other_faults_pass():
    with pytest.raises(ZeroDivisionError), extra("mobile", "it"):
        raise ZeroDivisionError
