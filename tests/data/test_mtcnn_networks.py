import gc
import sys

from xcos_tf.data.mtcnn_networks import load_networks


def test_weights_are_loaded_without_a_file_that_joblib_opens(monkeypatch):
    """Such a file ends in a traceback on standard error from Python 3.13 on."""

    class Forbidden:
        def __init__(self, *args, **kwargs):
            raise AssertionError("opened a file of lz4's")

    passed_over = []
    monkeypatch.setattr("joblib.compressor.LZ4FrameFile", Forbidden)
    monkeypatch.setattr(sys, "unraisablehook", passed_over.append)
    assert len(load_networks()) == 3
    gc.collect()
    assert not passed_over
