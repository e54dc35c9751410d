import errno
import os
import re

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tensorflow import keras

from tests.training.small import one, small_batches, small_trainer
from xcos_tf.errors import XcosError
from xcos_tf.training import checkpoints
from xcos_tf.training.checkpoints import BEST, FORMAT, Checkpoints, take_weights, trainer_state
from xcos_tf.training.model import Part

BATCHES = small_batches(8)


def arrays_of(trainer):
    return {name: np.array(variable) for name, variable in trainer_state(trainer).items()}


def assert_same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def test_a_resumed_trainer_goes_on_as_if_it_had_never_stopped(tmp_path):
    saved, resumed = small_trainer(), small_trainer(seed=1)
    for index in range(3):
        saved.make_step(one(BATCHES, index))
    folder = Checkpoints(tmp_path / "a" / "b")
    folder.save(saved, 3)
    assert folder.restore(resumed) == 3
    for trainer in (saved, resumed):
        for index in range(3, 6):
            trainer.make_step(one(BATCHES, index))
    assert_same(arrays_of(saved), arrays_of(resumed))


def test_state_holds_momentum_and_moving_statistics():
    trainer = small_trainer()
    before = arrays_of(trainer)
    trainer.make_step(one(BATCHES, 0))
    after = arrays_of(trainer)
    changed = {name for name in after if not np.array_equal(after[name], before[name])}
    assert sum(name.startswith("optimizer") for name in changed) > len(trainer.trainable_weights)
    moving = {name for name in after if "/moving_" in name}
    assert len(moving) == 6 and moving <= changed


def test_variables_go_by_their_weights_paths(tmp_path):
    saved, other = small_trainer(), small_trainer(seed=1)
    for trainer, turned in ((saved, 1), (other, -1)):  # in whatever order its parts come
        learned = trainer.network.comparisons["learned"]
        parts = [trainer.network.features, learned, trainer.margin_head][::turned]
        trainer.compile([Part(x, keras.optimizers.SGD(0.1, momentum=0.9)) for x in parts])
    saved.make_step(one(BATCHES, 0))
    path = Checkpoints(tmp_path).save(saved, 1)
    arrays = load_file(path)
    assert {"model/grid/backbone/conv/kernel", "model/margin_head/kernel"} <= arrays.keys()
    momentum = [x for x in arrays if x.startswith("optimizer/learned/") and "embed_conv" in x]
    assert len(momentum) == 2  # of its kernel and its bias
    assert Checkpoints(tmp_path).restore(other) == 1
    assert_same(arrays_of(saved), arrays_of(other))


def test_a_checkpoint_of_an_older_version_is_refused(tmp_path):
    trainer, folder = small_trainer(), Checkpoints(tmp_path)
    path = folder.path(3)
    save_file({"model/00000": np.zeros(3)}, path, {"format": "1", "step": "3"})
    with pytest.raises(XcosError, match=r"older version, which trained otherwise; start a new"):
        folder.restore(trainer)


def test_the_last_few_and_the_best_are_kept(tmp_path):
    trainer, folder = small_trainer(), Checkpoints(tmp_path, keep=2)
    assert folder.restore(trainer) == 0
    for step in (5, 10, 15, 20):
        trainer.margin_head.kernel.assign(trainer.margin_head.kernel * 0.0 + step)
        folder.save(trainer, step, best=step == 10)
    assert folder.steps() == [15, 20]
    assert folder.restore(trainer) == 20
    assert folder.restore(trainer, tmp_path / BEST) == 10
    assert np.asarray(trainer.margin_head.kernel).max() == 10


def test_nothing_that_interrupts_the_writing_harms_what_is_there(tmp_path, monkeypatch):
    trainer, folder = small_trainer(), Checkpoints(tmp_path)
    folder.save(trainer, 1)
    before = folder.path(1).read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(XcosError, match=r"step 2 .*No space left.*last good one is .*000001"):
            folder.save(trainer, 2)
    assert folder.steps() == [1] and folder.restore(trainer) == 1
    assert [path.name for path in tmp_path.iterdir()] == [folder.path(1).name]
    assert folder.path(1).read_bytes() == before


def test_what_does_not_fit_is_refused(tmp_path):
    trainer, folder = small_trainer(), Checkpoints(tmp_path)
    path = folder.save(trainer, 4)
    small = small_trainer()
    two = dict(list(small._parts().items())[:2])
    small._parts = lambda: two
    with pytest.raises(XcosError, match="of another model"):
        folder.restore(small)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(XcosError, match=re.escape(f"{path} is damaged")):
        folder.restore(trainer)


def test_weights_that_are_not_finite_are_not_kept(tmp_path):
    trainer, folder = small_trainer(), Checkpoints(tmp_path / "run" / "checkpoints")
    folder.save(trainer, 1)
    trainer.margin_head.kernel.assign(trainer.margin_head.kernel * np.inf)
    with pytest.raises(
        XcosError, match=r"infinite by step 2 \(model/margin_head/kernel\); .*00001"
    ):
        folder.save(trainer, 2)
    assert folder.steps() == [1]


def test_the_precision_may_change(tmp_path):
    plain, scaled, folder = (
        small_trainer(),
        small_trainer(1, scale_loss=True),
        Checkpoints(tmp_path),
    )
    before = np.array(scaled.loss_scale.state)
    folder.save(plain, 1)
    assert folder.restore(scaled) == 1
    np.testing.assert_array_equal(scaled.loss_scale.state, before)
    np.testing.assert_array_equal(scaled.margin_head.kernel, plain.margin_head.kernel)
    folder.save(scaled, 2)
    assert folder.restore(small_trainer()) == 2


def test_weights_alone_are_taken_from_another_run(tmp_path):
    trained, folder = small_trainer(), Checkpoints(tmp_path / "run" / "checkpoints")
    folder.save(trained, 1)
    trained.make_step(one(BATCHES, 0))
    path = folder.save(trained, 2)
    wanted = {k: v for k, v in arrays_of(trained).items() if k.startswith("model/")}
    for source in (tmp_path / "run", tmp_path / "run" / "checkpoints", path):
        fresh = small_trainer(seed=1)
        optimizers = {k: v for k, v in arrays_of(fresh).items() if k.startswith("optimizer/")}
        take_weights(fresh, source)
        assert_same({**optimizers, **wanted}, arrays_of(fresh))
    arrays = load_file(path)
    arrays = {k: v[:0] if k.startswith("model/margin_head") else v for k, v in arrays.items()}
    save_file(arrays, path, {"format": FORMAT, "step": "2"})  # of other people
    take_weights(fresh, path)
    save_file(
        {k: v for k, v in arrays.items() if "/backbone/" not in k},
        path,
        {"format": FORMAT, "step": "2"},
    )
    with pytest.raises(XcosError, match=r"other weights than .* backbone \(model/grid/backbone/"):
        take_weights(fresh, path)


def test_a_folder_that_cannot_be_written_is_refused_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(XcosError, match="cannot be written; choose another folder"):
        Checkpoints(tmp_path / "file" / "run")


def test_too_little_room_is_refused_at_once(tmp_path, monkeypatch):
    trainer, folder = small_trainer(), Checkpoints(tmp_path, keep=3)
    folder.check_room(trainer)
    usage = checkpoints.shutil.disk_usage(tmp_path)
    little = usage._replace(free=100)
    monkeypatch.setattr(checkpoints.shutil, "disk_usage", lambda _: little)
    with pytest.raises(XcosError, match="free some space or keep fewer"):
        folder.check_room(trainer)
