import importlib
import sys

import pytest

from tools.code_version import code_version

MODULES = {
    "__init__": "",
    "top": "from toycode.middle import thing\n",
    "middle": "import numpy\nfrom toycode import bottom\nthing = bottom\n",
    "bottom": "import os\n",
    "other": "",
}


@pytest.fixture
def version(tmp_path, monkeypatch):
    """A function from changed sources to the version of `toycode.top`."""
    folder = tmp_path / "toycode"
    folder.mkdir()
    monkeypatch.syspath_prepend(tmp_path)

    def of(**changed):
        for name, source in {**MODULES, **changed}.items():
            (folder / f"{name}.py").write_text(source)
        try:
            return code_version(["toycode.top"], within=["toycode"])
        finally:  # as in a process that starts anew
            for name in [x for x in sys.modules if x.split(".")[0] == "toycode"]:
                del sys.modules[name]
            importlib.invalidate_caches()

    return of


@pytest.mark.parametrize("name", ["top", "middle", "bottom"])
def test_a_change_of_what_is_used_is_another_version(version, name):
    assert version(**{name: MODULES[name] + "more = 1\n"}) != version()


def test_a_change_of_what_is_not_used_is_not(version):
    assert version(other="more = 1\n") == version()


def test_methods_count_what_they_share():
    corrrise = code_version(["xcos_tf.explain.methods.corrrise"])
    assert corrrise != code_version(["xcos_tf.explain.methods.occlusion"])
    assert corrrise != code_version(["xcos_tf.explain.methods.corrrise"], within=[])
