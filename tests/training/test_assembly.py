"""What a configuration makes of the shipped presets."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from xcos_tf.errors import XcosError
from xcos_tf.models.presets import load_preset
from xcos_tf.models.weights import named_weights, read_arrays
from xcos_tf.training.assembly import (
    PENALTY,
    assemble,
    context_conv,
    fit_context,
    start_grid_head,
)
from xcos_tf.training.checkpoints import trainer_state
from xcos_tf.training.config import ModelConfig, OptimizerConfig
from xcos_tf.training.config_reader import read_config

SHIPPED, _ = read_config(Path(__file__).parents[2] / "configs/xcos-mobilefacenet.yaml")
FACES = np.random.default_rng(0).uniform(-1, 1, (12, 112, 112, 3)).astype(np.float32)


def changed(section=None, **changes):
    if section is None:
        return SHIPPED.model_copy(update=changes)
    part = getattr(SHIPPED, section).model_copy(update=changes)
    return SHIPPED.model_copy(update={section: part})


def modelled(**section):
    return changed(model=ModelConfig(**section))


def unit(embeddings):
    return embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def assembled():
    return assemble(SHIPPED, people=5, steps=100, steps_per_epoch=10)


def test_the_teacher_goes_on_from_the_shared_stem(assembled):
    stem = assembled.stem(FACES[:2])
    assert stem.shape == (2, 7, 7, 128)
    whole = load_preset("mobilefacenet").network
    np.testing.assert_allclose(assembled.ask_teacher(stem), unit(whole(FACES[:2])), atol=1e-5)
    grid = assembled.network.features(FACES[:2])
    np.testing.assert_allclose(assembled.features(stem), grid, atol=1e-4)


def test_a_step_on_what_the_stem_gives_is_a_step_on_the_faces(assembled):
    pairs = {"first": [[0, 1, 4]], "second": [[2, 3, 5]], "same": [[1, 0, 1]]}
    batch = {name: tf.constant(value, tf.int32) for name, value in pairs.items()}
    batch["label"] = tf.constant([[0, 1, 0, 2, 3, 3]], tf.int32)
    seen = {**batch, "stem": assembled.stem(FACES[:6])[tf.newaxis]}
    expected = assembled.losses_of({**batch, "input": tf.constant(FACES[:6][None])}, training=False)
    found = assembled.losses_of(seen, training=False)
    assert {"identification", "learned", "patched", "total"} == found.keys()
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-5, err_msg=name)


def test_only_what_follows_the_stem_is_trained_and_kept(assembled):
    assert set(assembled.learning_rates) == {"backbone", "grid_head", "learned", "margin_head"}
    frozen = {id(v) for v in assembled.network.backbone.non_trainable_variables}
    assert frozen and not frozen & {id(v) for v in trainer_state(assembled).values()}


def test_a_teacher_with_another_trunk_sees_the_images(tmp_path):
    from xcos_tf.models.presets import save_preset

    teacher = load_preset("mobilefacenet")
    kernel = teacher.network.backbone.get_layer("stem_conv").weights[0]
    kernel.assign(1.1 * np.asarray(kernel))
    save_preset(tmp_path / "other", teacher.config, teacher.network)
    assembled = assemble(changed(teacher=str(tmp_path / "other")), 5, 100, 10)
    assert assembled.stem(FACES[:2]).shape == FACES[:2].shape
    embeddings = unit(teacher.network(FACES[:2]))
    np.testing.assert_allclose(assembled.ask_teacher(FACES[:2]), embeddings, atol=1e-5)
    trained = {id(variable) for variable in assembled.trainable_variables}
    backbone = named_weights(assembled.network.backbone)
    assert id(backbone["block_13_expand/kernel"]) in trained
    assert id(backbone["block_12_project/kernel"]) not in trained


def test_the_linear_tail_is_a_verifier_before_any_training(assembled):
    start_grid_head(SHIPPED, assembled, tf.data.Dataset.from_tensor_slices(FACES).batch(5))
    grids = np.asarray(assembled.network.features(FACES[:4]))
    # Noise gives all cells about the same feature; centred, they are about 0 on the whole.
    assert np.abs(grids.mean(0)).max() < 0.5 * np.abs(grids).max() and grids.std() > 0


def with_head(optimizers=SHIPPED.optimizers, **options):
    xcos = SHIPPED.model.xcos.model_copy(update=options)
    return changed(optimizers=optimizers, model=SHIPPED.model.model_copy(update={"xcos": xcos}))


RIDGE = SHIPPED.optimizers.model_copy(update={"context": "ridge"})


def test_the_context_is_nearest_to_the_teachers_embeddings_and_not_trained():
    assembled = assemble(with_head(RIDGE, channels=2, context=192), 5, 100, 10)
    random = np.random.default_rng(3)
    blocks = random.normal(size=(3, 50, 7, 7, 128)), random.normal(size=(3, 50, 192))
    fit_context(assembled, zip(*blocks, strict=True))
    # Least squares with a row for each penalty, which does not reach the bias.
    grids = np.asarray(assembled.features(np.concatenate(blocks[0])), np.float64).reshape(150, -1)
    rows = np.concatenate([grids, np.ones((150, 1))], axis=1)
    penalty = np.sqrt(PENALTY * np.square(rows).sum() / rows.shape[1]) * np.eye(rows.shape[1])[:-1]
    wanted = np.concatenate([*blocks[1], np.zeros((len(penalty), 192))])
    expected = np.linalg.lstsq(np.concatenate([rows, penalty]), wanted, rcond=None)[0]
    kernel, bias = map(np.asarray, context_conv(assembled.network).weights)
    np.testing.assert_allclose(kernel.reshape(98, 192), expected[:-1], atol=1e-3)
    np.testing.assert_allclose(bias, expected[-1], atol=1e-3)
    trained = {id(variable) for variable in assembled.trainable_variables}
    assert id(context_conv(assembled.network).kernel) not in trained


def test_an_xcos_preset_hands_on_all_that_fits():
    config = changed("start", preset="xcos-mobilefacenet", grid_head=None)
    assembled = assemble(config, 5, 100, 10)
    theirs = read_arrays(load_preset("xcos-mobilefacenet").network)
    for path, value in read_arrays(assembled.network).items():
        np.testing.assert_array_equal(value, theirs[path], err_msg=path)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (changed("start", frozen_until="block_99"), "a layer of the backbone, whose last are"),
        # Of the last, and of one that a shortcut goes around.
        (changed("start", frozen_until="feature_conv_prelu"), "layer before the backbone's last"),
        (changed("start", frozen_until="block_13_project"), "that nothing goes around"),
        (changed(teacher="xcos-mobilefacenet"), "is an xCos preset"),
        (with_head(RIDGE, context=16), r"needs model\.xcos\.context 192, the length"),
        (modelled(backbone={"kind": "ir"}, xcos={}), "has other weights"),
        (modelled(backbone={"kind": "ir", "chanels": 3}, xcos={}), "describes no network"),
        (
            changed("optimizers", head=OptimizerConfig(name="Adm", learning_rate=1.0)),
            "no optimizer 'Adm'; did you mean 'Adam'",
        ),
    ],
)
@pytest.mark.usefixtures("presets_loaded_once")
def test_mistakes_are_one_sentence(config, sentence):
    with pytest.raises(XcosError, match=sentence):
        assemble(config, 5, 100, 10)


@pytest.mark.parametrize(
    "config",
    [
        changed("start", preset="xcos-mobilefacenet"),
        with_head(channels=193),
        with_head(batch_norm=True),
        with_head(cell_affine=False),
    ],
)
@pytest.mark.usefixtures("presets_loaded_once")
def test_a_grid_head_needs_a_linear_tail(config):
    with pytest.raises(XcosError, match="needs a preset with a linear embedding head"):
        assemble(config, 5, 100, 10)


@pytest.mark.usefixtures("presets_loaded_once")
def test_rates_rise_with_the_batch(assembled):
    larger = assemble(changed("batch", times=4), 5, 100, 10).learning_rates
    expected = {part: 4 * rate for part, rate in assembled.learning_rates.items()}
    assert larger == pytest.approx(expected) and all(expected.values())
