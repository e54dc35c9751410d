"""A trainer as a Keras user meets it: `fit`, callbacks, `evaluate`, `predict`, `save`."""

import csv
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.training.noisy_faces import Faces
from tests.training.small import small_network
from xcos_tf.models.network import FaceEmbedder, XCos
from xcos_tf.training.model import Part, Trainer
from xcos_tf.training.optimizers import optimizer_variables
from xcos_tf.training.pairs import pair_up

FACES = Faces()


def batches(size=10):
    """Return the faces and their labels, each batch with all four people."""
    order = np.random.default_rng(0).permutation(len(FACES))
    slices = FACES.normalised()[order], FACES.labels[order]
    return tf.data.Dataset.from_tensor_slices(slices).batch(size)


def teacher():
    keras.utils.set_random_seed(7)
    image = keras.Input((8, 8, 3), name="image")
    x = keras.layers.Conv2D(4, 3, strides=2, name="conv")(image)
    backbone = keras.Model(image, keras.layers.LeakyReLU(0.3, name="relu")(x))
    feature = keras.Input(backbone.output_shape[1:])
    flat = keras.layers.Flatten(name="flatten")(feature)
    return FaceEmbedder(backbone, keras.Model(feature, keras.layers.Dense(6, name="dense")(flat)))


def new_trainer(eager=True, **options):
    """Return one for a few steps, which take less time than to trace them, or for more."""
    taught = teacher()
    keras.utils.set_random_seed(0)
    trainer = Trainer(small_network(), 4, teacher=taught, **options)
    trainer.compile(keras.optimizers.Adam(3e-3), run_eagerly=eager)
    return trainer


def state_of(trainer):
    return [np.array(x) for x in (*trainer.weights, *optimizer_variables(trainer.optimizer))]


def test_each_face_has_a_partner_by_the_toss_of_a_coin():
    labels = np.arange(400) % 40
    partner, same = (x.numpy() for x in pair_up(tf.constant(labels), tf.constant([1, 2])))
    assert (partner != np.arange(400)).all()
    np.testing.assert_array_equal(same, labels[partner] == labels)
    assert 150 < same.sum() < 250  # 200 ± 10
    assert len(set(partner)) > 200
    again, other = (pair_up(tf.constant(labels), tf.constant([1, x]))[0] for x in (2, 3))
    np.testing.assert_array_equal(again, partner)
    assert (other.numpy() != partner).mean() > 0.9


def test_whoever_has_no_such_partner_gets_one_of_the_other_kind():
    alone = [pair_up(tf.constant([0, 1, 2]), tf.constant([s, 0])) for s in range(10)]
    assert all((p.numpy() != [0, 1, 2]).all() and not s.numpy().any() for p, s in alone)
    twins = [pair_up(tf.constant([5, 5]), tf.constant([s, 0])) for s in range(10)]
    assert all((p.numpy() == [1, 0]).all() and s.numpy().all() for p, s in twins)
    partner, same = pair_up(tf.constant([3]), tf.constant([0, 0]))
    assert (partner.numpy(), same.numpy()) == ([0], [1])


def test_images_and_labels_make_the_step_of_the_pairs_that_are_formed(random):
    images, labels = next(iter(batches()))
    plain, paired = new_trainer(seed=5), new_trainer(seed=5)
    second, same = pair_up(labels, tf.constant([5, 0]))
    groups = {
        "input": images[tf.newaxis],
        "label": labels[tf.newaxis],
        "first": tf.range(10)[tf.newaxis],
        "second": second[tf.newaxis],
        "same": same[tf.newaxis],
    }
    losses = plain.make_step((images, labels)), paired.make_step(groups)
    assert losses[0].keys() == {"identification", "learned", "total"}
    for name, value in losses[0].items():
        assert float(value) == pytest.approx(float(losses[1][name]), rel=1e-5)
    for a, b in zip(state_of(plain), state_of(paired), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fitted")
    trainer = new_trainer(eager=False)
    history = trainer.fit(
        batches(),
        validation_data=batches(),
        epochs=12,
        verbose=0,
        callbacks=[
            keras.callbacks.ModelCheckpoint(
                str(folder / "best.keras"), monitor="val_loss", save_best_only=True
            ),
            keras.callbacks.CSVLogger(str(folder / "epochs.csv")),
            keras.callbacks.TensorBoard(str(folder / "tensorboard")),
            keras.callbacks.EarlyStopping(monitor="val_loss", mode="max", patience=9),
        ],
    )
    return trainer, history.history, folder


def test_fit_learns_and_callbacks_see_the_losses(fitted):
    trainer, history, folder = fitted
    names = {"loss", "identification", "learned"}
    assert history.keys() == names | {f"val_{name}" for name in names}
    assert history["val_loss"][-1] < 0.9 * history["val_loss"][0]
    for i, total in enumerate(history["loss"]):
        parts = history["identification"][i] + history["learned"][i]
        assert total == pytest.approx(parts, rel=1e-5)
    # Told that more is better, it stopped at the tenth epoch, nine after the best.
    assert len(history["loss"]) == 10
    with open(folder / "epochs.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["val_loss"]) for row in rows] == pytest.approx(history["val_loss"])
    assert list((folder / "tensorboard" / "validation").iterdir())
    assert int(trainer.optimizer.iterations) == 20


def test_evaluate_is_the_mean_of_all_batches_and_the_same_each_time(fitted):
    trainer, history, _ = fitted
    found = trainer.evaluate(batches(), verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(history["val_loss"][-1], rel=1e-5)
    each = [trainer.evaluate(b, verbose=0, return_dict=True)["loss"] for b in split(batches())]
    assert found["loss"] == pytest.approx(np.mean(each), rel=1e-5)
    before = state_of(trainer)
    trainer.evaluate(batches(), verbose=0)
    for a, b in zip(before, state_of(trainer), strict=True):
        np.testing.assert_array_equal(a, b)


def split(dataset):
    return [tf.data.Dataset.from_tensors(batch) for batch in dataset]


def test_predict_gives_features(fitted):
    trainer, _, _ = fitted
    grids = trainer.predict(batches(), verbose=0)
    images = np.concatenate([images for images, _ in batches()])
    np.testing.assert_allclose(grids, trainer.network.features(images), atol=1e-5)


FRESH = """
import sys
import numpy as np
import xcos_tf
from tensorflow import keras
trainer = keras.models.load_model(sys.argv[1])
np.savez(sys.argv[2], *[np.asarray(w) for w in trainer.network.weights])
print(trainer.evaluate(*np.load(sys.argv[3]).values(), batch_size=10, verbose=0)[0])
"""


@pytest.mark.slow
@pytest.mark.both_stacks
def test_the_best_one_is_loaded_in_another_process(fitted):
    trainer, history, folder = fitted
    images, labels = (np.concatenate(x) for x in zip(*batches(), strict=True))
    np.savez(folder / "data.npz", images, labels)
    words = [folder / "best.keras", folder / "weights.npz", folder / "data.npz"]
    done = subprocess.run(
        [sys.executable, "-c", FRESH, *map(str, words)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[-1]) == pytest.approx(min(history["val_loss"]), rel=1e-5)
    # The last epoch was the best one, so these are its weights.
    with np.load(folder / "weights.npz") as arrays:
        for a, b in zip(trainer.network.weights, arrays.values(), strict=True):
            np.testing.assert_array_equal(np.asarray(a), b)


def test_a_saved_trainer_goes_on_as_if_it_had_never_stopped(tmp_path):
    whole, saved = new_trainer(), new_trainer()
    whole.fit(batches(), epochs=2, verbose=0)
    saved.fit(batches(), epochs=1, verbose=0)
    saved.save(tmp_path / "saved.keras")
    loaded = keras.models.load_model(tmp_path / "saved.keras")
    loaded.run_eagerly = True
    loaded.fit(batches(), epochs=1, verbose=0)
    for a, b in zip(state_of(whole), state_of(loaded), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.slow
@pytest.mark.both_stacks
def test_backup_and_restore_takes_an_interrupted_fit_up(tmp_path):
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    def fit(trainer, *more):
        backup = keras.callbacks.BackupAndRestore(str(tmp_path / "backup"))
        return trainer.fit(batches(), epochs=3, verbose=0, callbacks=[backup, *more])

    whole, interrupted, resumed = new_trainer(), new_trainer(), new_trainer(seed=0)
    whole.fit(batches(), epochs=3, verbose=0)
    with pytest.raises(KeyboardInterrupt):
        fit(interrupted, Interrupt())
    assert fit(resumed).epoch == [2]
    for a, b in zip(state_of(whole), state_of(resumed), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_config_is_enough_to_build_it_again():
    trainer = new_trainer(
        weights={"patched": 0.5, "identification": 0.1},
        feature="cells",
        balance="genuine",
        sample=3,
        accumulate=2,
        clip_norm=1.0,
        seed=4,
    )
    again = Trainer.from_config(trainer.get_config())
    assert again.get_config() == trainer.get_config()
    assert again.margin_head.classes == 4 and again.sampled.rows.shape[0] == 3
    assert [w.shape for w in again.network.weights] == [w.shape for w in trainer.network.weights]
    again.compile("adam")  # which makes tables of moments too
    again.set_weights(trainer.get_weights())
    assert np.isfinite(float(again.make_step(next(iter(batches(2))))["total"]))


@pytest.mark.parametrize("shared", [True, False])
def test_a_trainer_with_frozen_layers_is_saved(tmp_path, shared):
    taught = teacher()
    network = XCos(teacher().backbone, channels=4)
    if not shared:
        network.backbone.weights[0].assign(2 * np.asarray(network.backbone.weights[0]))
    trainer = Trainer(network, 4, teacher=taught, frozen_until="conv")
    trainer.compile("sgd", run_eagerly=True)
    trainer.fit(batches(), epochs=1, verbose=0)
    trainer.save(tmp_path / "saved.keras")
    loaded = keras.models.load_model(tmp_path / "saved.keras")
    loaded.run_eagerly = True
    assert (loaded._cut().stem is not None) == (trainer._cut().stem is not None) == shared
    images, _ = next(iter(batches()))
    np.testing.assert_allclose(loaded(images), trainer(images), atol=1e-6)
    found = [x.evaluate(batches(), verbose=0, return_dict=True) for x in (loaded, trainer)]
    assert found[0] == pytest.approx(found[1], rel=1e-5)


def test_frozen_layers_and_the_teacher_stay_as_they_are():
    trainer = new_trainer(frozen_until="conv")
    before = [np.array(x) for x in (*trainer.network.backbone.weights, *trainer.teacher.weights)]
    trainer.fit(batches(), epochs=1, verbose=0)
    after = (*trainer.network.backbone.weights, *trainer.teacher.weights)
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, np.asarray(b))
    with pytest.raises(ValueError, match=r"`frozen_until`.*conv.*Received: frozen_until='cnov'"):
        new_trainer(frozen_until="cnov")


def test_two_optimizers_train_their_parts():
    trainer = new_trainer()
    parts = [trainer.parts["head"], trainer.parts["margin_head"]]
    sgd = [Part(part, keras.optimizers.SGD(0.1)) for part in parts]
    trainer.compile(sgd, run_eagerly=True)
    before = {id(x): np.array(x) for x in trainer.weights}
    trainer.fit(batches(), epochs=1, verbose=0)
    trained = [w for part in parts for w in part.trainable_weights]
    moved = [w for w in trainer.trainable_weights if (np.asarray(w) != before[id(w)]).any()]
    assert {id(w) for w in moved} == {id(w) for w in trained}


def test_l_cos_without_a_teacher_is_refused():
    trainer = Trainer(small_network(), 4, {"learned": 1.0})
    trainer.compile()
    with pytest.raises(ValueError, match=r"Expected a `teacher`.*teacher=None"):
        trainer.make_step(next(iter(batches())))
