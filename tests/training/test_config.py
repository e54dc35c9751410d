from pathlib import Path

import pytest
import yaml

from xcos_tf.errors import XcosError
from xcos_tf.training.config import read_config

SHIPPED = Path(__file__).parents[2] / "configs/xcos-mobilefacenet.yaml"


@pytest.fixture
def write(tmp_path):
    def write(change):
        values = yaml.safe_load(SHIPPED.read_text())
        change(values)
        path = tmp_path / "run.yaml"
        path.write_text(yaml.safe_dump(values))
        return path

    return write


def test_the_shipped_configuration_is_valid():
    config = read_config(SHIPPED)
    assert config.batch.people == 32
    assert config.source["name"] == config.name == "xcos-mobilefacenet"


@pytest.mark.parametrize(
    "change, sentence",
    [
        (lambda v: v.update(step=3), "unknown key 'step'; did you mean 'steps'"),
        (lambda v: v["loss"].update(lerned=1.0), "unknown key 'lerned'; did you mean 'learned'"),
        (lambda v: v.pop("steps"), "lacks steps"),
        (lambda v: v.update(steps="many"), "steps must be of type int"),
        (lambda v: v.update(steps=True), "steps must be of type int"),
        (lambda v: v["learning_rate"].update(backbone="1e-3"), "write 1.0e-3"),
        (lambda v: v.update(data=[1]), "must hold keys and values"),
    ],
)
def test_mistakes_are_named(write, change, sentence):
    with pytest.raises(XcosError, match=sentence):
        read_config(write(change))


def test_missing_file_and_bad_yaml(tmp_path):
    with pytest.raises(XcosError, match="cannot read"):
        read_config(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [1")
    with pytest.raises(XcosError, match="cannot read"):
        read_config(tmp_path / "bad.yaml")


def test_yaml_cannot_build_objects(tmp_path):
    (tmp_path / "evil.yaml").write_text("!!python/object/apply:os.system ['true']")
    with pytest.raises(XcosError, match="cannot read"):
        read_config(tmp_path / "evil.yaml")
