"""`models.config`, read by TF Serving's own messages."""

import pytest
from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from xcos_tf.errors import XcosError
from xcos_tf.export.models_config import add_version


@pytest.fixture
def publish(tmp_path):
    """Put a version there and return {model: (versions, labels)} as a server reads them."""

    def publish(name, version):
        (tmp_path / name / str(version)).mkdir(parents=True)
        add_version(tmp_path, name, version)
        return {
            model.name: (
                list(model.model_version_policy.specific.versions),
                dict(model.version_labels),
            )
            for model in read(tmp_path)
        }

    return publish


def read(folder):
    text = (folder / "models.config").read_text()
    return text_format.Parse(text, ModelServerConfig()).model_config_list.config


def edit(folder, old, new):
    path = folder / "models.config"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_the_first_version_is_stable_and_further_ones_canary(publish, tmp_path):
    assert publish("a", 1) == {"a": ([1], {"stable": 1})}
    assert publish("a", 2) == {"a": ([1, 2], {"stable": 1, "canary": 2})}
    [model] = read(tmp_path)
    assert (model.base_path, model.model_platform) == ("/models/a", "tensorflow")


def test_a_version_that_loses_its_label_is_served_until_the_next_time(publish):
    publish("a", 1), publish("a", 2)
    assert publish("a", 3) == {"a": ([1, 2, 3], {"stable": 1, "canary": 3})}
    assert publish("a", 4) == {"a": ([1, 3, 4], {"stable": 1, "canary": 4})}


def test_stable_stays_where_it_was_moved_to(publish, tmp_path):
    publish("a", 1), publish("a", 2)
    edit(tmp_path, 'key: "stable"\n      value: 1', 'key: "stable"\n      value: 2')
    assert publish("a", 3) == {"a": ([2, 3], {"stable": 2, "canary": 3})}


def test_labels_of_versions_that_are_gone_are_dropped(publish, tmp_path):
    publish("a", 1), publish("a", 2)
    (tmp_path / "a" / "1").rmdir()
    assert publish("a", 3) == {"a": ([2, 3], {"stable": 2, "canary": 3})}


def test_further_labels_stay(publish, tmp_path):
    publish("a", 1)
    old = 'version_labels { key: "old" value: 1 }\n    '
    edit(tmp_path, "version_labels {", old + "version_labels {")
    assert publish("a", 2) == {"a": ([1, 2], {"old": 1, "stable": 1, "canary": 2})}


def test_models_beside_each_other(publish):
    publish("a", 1)
    assert publish("b", 7) == {"a": ([1], {"stable": 1}), "b": ([7], {"stable": 7})}


@pytest.mark.parametrize("policy", ["latest { num_versions: 2 }", "all { }"])
def test_another_policy_stays(policy, publish, tmp_path):
    publish("a", 1)
    edit(tmp_path, "specific {\n        versions: 1\n      }", policy)
    publish("a", 2)
    [model] = read(tmp_path)
    assert model.model_version_policy.WhichOneof("policy_choice") == policy.split()[0]
    assert dict(model.version_labels) == {"stable": 1, "canary": 2}


@pytest.mark.parametrize(
    "text", ["model_config_list {", "nonsense: 1", "model_config_list { config { model_type: 1 } }"]
)
def test_what_would_be_lost_is_refused(text, publish, tmp_path):
    (tmp_path / "models.config").write_text(text)
    with pytest.raises(XcosError, match="mend it or move it away") as caught:
        publish("a", 1)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "models.config").read_text() == text
