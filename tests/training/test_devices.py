import pytest
import tensorflow as tf

from xcos_tf.errors import XcosError
from xcos_tf.training.config import DevicesConfig
from xcos_tf.training.loop import build_strategy, is_chief


def test_one_device():
    strategy = build_strategy(DevicesConfig())
    assert strategy.num_replicas_in_sync == 1 and is_chief(strategy)


def test_what_comes_too_late_or_is_missing_is_said(monkeypatch):
    tf.constant(1.0)
    with pytest.raises(XcosError, match="process of its own"):
        build_strategy(DevicesConfig(strategy="mirrored", logical_cpus=2))
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(XcosError, match="TF_CONFIG"):
        build_strategy(DevicesConfig(strategy="multi_worker"))
