"""A training run in its folder: opened, trained, finished as a preset.

The folder holds `config.yaml` and `run.json` (what it takes to repeat the run), `checkpoints/`,
`metrics.csv`, `train.log`, `tensorboard/`, and in the end `preset/`.
"""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path

import numpy as np
import tensorflow as tf

from xcos_tf.data.face_set import FaceSet, hold_out, join_sets, weigh_people
from xcos_tf.data.records.reader import PreparedSet
from xcos_tf.data.sampling import EpochSampler, GroupSampler, Sampler, draw_pairs
from xcos_tf.data.training_input import (
    Augmentation,
    face_batches,
    reading_problems,
    training_dataset,
)
from xcos_tf.errors import XcosError, counted, on_one_line
from xcos_tf.files import only_writer, read_bytes
from xcos_tf.metrics.rates import FOLDS, tenths, thresholds_at_fmrs
from xcos_tf.models.presets import save_preset
from xcos_tf.progress import Bar, log
from xcos_tf.training.assembly import assemble, fit_context, start_grid_head
from xcos_tf.training.checkpoints import BEST, CHECKPOINTS, Checkpoints
from xcos_tf.training.config import PARTS, TrainingConfig
from xcos_tf.training.config_reader import read_config
from xcos_tf.training.correlation_preset import Plan, measure_on
from xcos_tf.training.loop import Cadence, build_strategy, is_chief, train_loop
from xcos_tf.training.monitor import Monitor
from xcos_tf.training.optimizers import try_optimizer
from xcos_tf.training.pairs import check_pairs, joined, people_to_compare, some_positions
from xcos_tf.training.record import changes, record_run, writing
from xcos_tf.training.remembered import (
    REMEMBERED_FILE,
    Remembered,
    remember_faces,
    remember_teacher,
    remembered_dataset,
)
from xcos_tf.training.validation import HeldOut, Validation, WatchedPairs, pair_scores
from xcos_tf.yaml_text import parse_yaml

PRESET = "preset"
GENUINE = 0.5  # share of the pairs that P is measured on
START_FACES = 2000
CONTEXT_STEPS = 200  # whose faces the context is fitted to
LOG_EVERY = 50  # steps
Extras = Callable[[dict], Mapping[str, Callable[[Path], object]]]


class Run:
    """A run that has been opened: faces, model and validation are in place.

    Attributes:
        config, folder, strategy: of the run.
        sets: the prepared sets of people.
        faces: `FaceSet` that is trained on.
        steps: in all.
        steps_per_epoch: in whole steps; an epoch of a run of epochs may end within one.
        groups: in a step's batch.
        trainer: the model, see `Trainer`.
        checkpoints, cadence: where and when to save.
    """

    def __init__(
        self,
        config: TrainingConfig,
        text: str,
        data: str | os.PathLike,
        folder: str | os.PathLike,
        until: ExitStack,
    ):
        """Open a new run, or one that was interrupted; its folder is made where it is not there.

        `config` and `text` are of `read_config`; `data` is the folder of the prepared sets. Others
        may write to the run's folder at the end of `until`.

        Raises:
            XcosError: a set or a preset cannot be used, the folder is of another configuration,
                is another process's at the moment or cannot be written, or the disk is too full
                for its checkpoints.
        """
        self.config, self.folder = config, Path(folder)
        self.sets = [PreparedSet(Path(data) / name) for name in config.data.sets]
        self._verification = _open_pairs(config, Path(data))
        everyone = join_sets(self.sets)
        self.faces, held_out = hold_out(everyone, config.data.hold_out, config.seed)
        self.groups, self.faces_per_step = config.batch.parts, config.batch.images
        # A run of epochs takes images in turn, one a group.
        taken = self.faces_per_step if config.steps else self.groups
        epoch = len(self.faces) / taken
        self.steps_per_epoch = max(1, round(epoch))
        self.steps = config.steps or math.ceil(config.epochs * len(self.faces) / taken)
        log.debug(f"{counted(len(self.faces), 'face')} train for {counted(self.steps, 'step')}")
        self._validate_every = config.validation.every or self.steps_per_epoch
        self.sampler = _sampler(self.faces, self.faces.labels, config, config.seed)
        place = self.folder / CHECKPOINTS
        if not Checkpoints(place, read_only=True).steps():
            check_pairs(config, self.faces, held_out)
        self.strategy = build_strategy(config.devices)
        self._chief = is_chief(self.strategy)
        for part in PARTS:  # outside of the strategy's scope
            if given := getattr(config.optimizers, part):
                try_optimizer(given.section, given.learning_rate)
        with self.strategy.scope():
            self.trainer = assemble(config, len(self.faces.people), self.steps, epoch)
        self._people_to_measure()  # or it would fail after the run
        for records in (*self.sets, *self._verification):
            records.check_size(self.trainer.size)
        if self._chief:  # not before the configuration is known to describe a model
            with writing(self.folder):
                until.enter_context(only_writer(self.folder, "xcos train"))
        self.checkpoints = Checkpoints(place, config.checkpoint.keep, read_only=not self._chief)
        made = self.checkpoints.steps()
        self._start = made[-1] if made else 0
        if self._chief:
            self._record(text)
            self.checkpoints.check_room(self.trainer)
        self.cadence = Cadence(config.checkpoint.every, config.checkpoint.minutes)
        start = config.start
        if start.grid_head and not start.checkpoint and not made:
            positions = some_positions(len(self.faces), START_FACES, config.seed)
            some = face_batches(self.faces, positions, self.trainer.size)
            start_grid_head(config, self.trainer, some)
        self._remembered = self._teacher = None
        if config.data.remember and not self.finished:
            self._remember(config.data.remember)
        if config.loss.teacher_input == "original" and not self.finished:
            self._teacher = remember_teacher(self.trainer, self.faces, self.folder, self._chief)
        self.held_out = self._validation = self._watched = self._monitor = None
        if self._chief and not self.finished:
            if len(held_out):
                limit = config.data.validation_faces
                strokes = config.validation.strokes
                self.held_out = HeldOut(held_out, self.trainer, limit, config.seed, strokes)
                if config.explains:
                    self._watched = WatchedPairs(held_out, self.trainer, config.seed)
            else:
                no_validation = "" if self._verification else "there is no validation, "
                print(
                    f"nobody is held out (data: hold_out): {no_validation}the last weights become "
                    "the preset, and it has no thresholds"
                )
            pairs = (config.validation.genuine, config.validation.impostor)
            self._validation = Validation(
                self.trainer, self.held_out, self._verification, *pairs, config.seed
            )
            self._monitor = Monitor(
                self.folder, self.steps, self.faces_per_step, self._start, steps_per_epoch=epoch
            )

    @property
    def finished(self) -> bool:
        """Whether the run has made its last step and written its preset."""
        return self._start == self.steps and (self.folder / PRESET).exists()

    def _record(self, text):
        if self._start > self.steps:
            raise XcosError(
                f"the run in {self.folder} has made {counted(self._start, 'step')} already, and "
                f"its length would be {self.steps:,}; give it that length or more"
            )
        if self.finished:
            changes(self.folder, text)  # which refuses another run's
            return
        devices = [device.name for device in tf.config.list_logical_devices()]
        sets = {records.folder.name: records.source["fingerprint"] for records in self.sets}
        seed = self.config.seed
        for change in record_run(self.folder, text, seed, devices, sets, self._start):
            print(f"from step {self._start:,} on, {on_one_line(change)}")

    def _remember(self, steps):
        if not self.trainer.has_stem:
            raise XcosError(
                "data.remember needs a teacher whose layers up to start.frozen_until are the "
                "network's own; leave it out or give another teacher"
            )
        everything = range(self.groups)
        rows = remember_faces(
            self.trainer,
            lambda first, last: self.dataset(first, last, everything, self.groups),
            steps,
            self.faces_per_step,
            self._covering("faces"),
            self.folder,
        )
        drawn = [self.sampler.draw(step, group) for step in range(steps) for group in everything]
        labels = np.concatenate([group.labels for group in drawn])
        near = self.config.batch.near
        embeddings = rows["teacher"].reshape(len(labels), -1) if near else None
        self.sampler = _sampler(self.faces, labels, self.config, self.config.seed + 1, embeddings)
        columns = (rows[name] for name in ("stem", "teacher", "covered"))
        self._remembered = Remembered(*columns, labels)

    def dataset(self, first: int, last: int, groups: range, batch_groups: int) -> tf.data.Dataset:
        """Return the batches of some steps and groups; see `training_dataset`."""
        if self._remembered is not None:
            of, pairs = (self._remembered, self.sampler), self._covering("pairs")
            return remembered_dataset(*of, first, last, groups, batch_groups, pairs)
        changes = Augmentation(**vars(self.config.augmentation))
        faces, sampler, size, teacher = self.faces, self.sampler, self.trainer.size, self._teacher
        return training_dataset(
            faces, sampler, changes, first, last, groups, size, batch_groups, teacher
        )

    def _covering(self, key):
        return getattr(self.config.loss.covering, key, 0)

    def train(self) -> int:
        """Train to the last step, or until SIGTERM; returns the steps made."""
        devices = self.config.devices
        with self._monitor or nullcontext():
            if self._monitor and not self.checkpoints.steps():
                self._validate(0)
            return train_loop(
                self.trainer,
                self.dataset,
                self.checkpoints,
                self.steps,
                self.groups,
                self.cadence,
                self.strategy,
                devices.jit_compile,
                devices.steps_per_execution,
                self._meet if self._monitor else None,
                (LOG_EVERY, self._validate_every),
            )

    def _meet(self, step, losses):
        self._monitor.met(step, losses, self.trainer.learning_rates)
        if step % self._validate_every == 0 or step == self.steps:
            self._validate(step)

    def _validate(self, step):
        config = self.config
        if config.optimizers.context:
            fit_context(self.trainer, self._seen())
        metric = config.validation.best_metric
        key = f"{config.best_by}/{metric}"
        before = [r[key] for r in self._monitor.history if key in r and r["step"] < step]
        results = self._validation.measure(config.scores or (config.best_by,))
        if not results:
            return
        self._monitor.validated(step, results)  # first: a kill in between repeats both
        if self._watched:
            self._monitor.pictures(step, self._watched.draw(config.best_by))
        sign = -1 if metric == "eer" else 1  # lower is better
        if key in results and all(sign * results[key] > sign * value for value in before):
            self.checkpoints.save(self.trainer, step, best=True)

    def _seen(self):
        """Go through the faces that are remembered, or else those of the first steps.

        Yields what the frozen layers make of a step's faces, and their teacher's embeddings.
        """
        kept, trainer = self._remembered, self.trainer
        if kept is not None:
            steps, blocks = len(kept.stem), zip(kept.stem, kept.teacher, strict=True)
        else:
            steps = min(self.steps, CONTEXT_STEPS)
            batches = self.dataset(0, steps, range(self.groups), self.groups)
            stems = ((batch, trainer.stem(joined(batch["input"]))) for batch in batches)
            blocks = ((stem, trainer.teacher_of(batch, stem)) for batch, stem in stems)
        with Bar(total=steps, desc="context", unit="step") as bar:
            for block in blocks:
                yield block
                bar.update()

    def finish(self, extras: Extras) -> Path | None:
        """Measure P on training pairs and thresholds on people held out, and write the preset.

        It has the best weights, or the last. Returns its folder; None on a worker that is not the
        chief. `extras` is called with the preset's configuration, to give its other files; see
        `save_preset`.

        Raises:
            XcosError: P cannot be measured or the preset not be written; the checkpoints stay.
        """
        if not self._chief:
            return None
        best = self.checkpoints.folder / BEST
        wanted = self.config.finish.weights == "best" and self.held_out
        path = best if wanted and best.exists() else None
        step = self.checkpoints.restore(self.trainer, path)
        try:
            self._write_preset(step, extras)
        except XcosError as error:
            raise XcosError(
                f"{error}; the weights are in {self.checkpoints.folder}, from which the same "
                "command goes on"
            ) from None
        return self.folder / PRESET

    def _write_preset(self, step: int, extras: Extras) -> None:
        config, trainer, network = self.config, self.trainer, self.trainer.network
        given, state = self.folder / "config.yaml", self.folder / "correlation.npz"
        scores, facts, thresholds = tuple(network.comparisons), {}, {}
        if faces := self._people_to_measure():
            # It goes on from `state` if it was interrupted.
            found = measure_on(
                network,
                faces,
                Plan(config.finish.correlation_pairs, GENUINE, seed=config.seed),
                lambda x: trainer.features(x, training=False),
                trainer.ask_teacher,
                state,
                [step],
                trainer.stem,
            )
            teacher = {"name": config.teacher}
            facts["correlation"] = {**found.facts(), "seed": config.seed, "teacher": teacher}
        if self.held_out:
            count, features = config.finish.threshold_pairs, self.held_out.embed()
            pairs = draw_pairs(self.held_out.labels, 0, count, config.seed + 1)
            for score in scores:
                thresholds[score] = thresholds_at_fmrs(pair_scores(network, features, pairs, score))
        validation = self._validation.measure(scores)
        described = {
            "name": config.name,
            "model": config.model.section,
            "thresholds": thresholds,
            "training": {
                "config": parse_yaml(read_bytes(given), given),
                "sets": {records.folder.name: records.source for records in self.sets},
                "people": len(self.faces.people),
                "images": len(self.faces),
                "steps": self.steps,
                "weights_of_step": step,
                "validation": {k: round(v, 5) for k, v in validation.items()},
            },
            **facts,
            **config.finish.facts,
        }
        save_preset(self.folder / PRESET, described, network, extras(described))
        state.unlink(missing_ok=True)
        (self.folder / REMEMBERED_FILE).unlink(missing_ok=True)

    def _people_to_measure(self) -> FaceSet | None:
        """Return the faces that P is measured on; None where it is not.

        Raises XcosError if they make no genuine pairs.
        """
        wanted = self.config.finish.correlation_pairs and self.config.teacher
        if not wanted or "correlated" not in self.trainer.network.comparisons:
            return None
        otherwise = "leave P as it is by finish: correlation_pairs: 0"
        return people_to_compare(self.faces, GENUINE, otherwise)


def _sampler(
    faces: FaceSet,
    labels: np.ndarray,
    config: TrainingConfig,
    seed: int,
    embeddings: np.ndarray | None = None,
) -> Sampler:
    """Return what draws of faces with these labels, which may leave out some of the people."""
    batch = config.batch
    try:
        if config.epochs is not None:
            genuine = batch.genuine if batch.pairs else None
            return EpochSampler(labels, batch.parts, genuine, seed)
        weights = None
        if config.data.weights or config.data.remember:
            there = np.bincount(labels, minlength=len(faces.people)) > 0
            weights = weigh_people(faces, config.data.weights) * there
        drawn = batch.people, batch.faces, batch.pairs, batch.genuine
        return GroupSampler(labels, *drawn, seed, weights, batch.near, embeddings)
    except ValueError as error:
        raise XcosError(
            f"batch does not fit the {counted(len(faces.people), 'person', 'people')} that train: "
            f"{error}"
        ) from None


def _open_pairs(config: TrainingConfig, data: Path) -> list[PreparedSet]:
    verification = [PreparedSet(data / name) for name in config.data.verification]
    for records in verification:
        pairs = records.pairs()
        if not pairs:
            raise XcosError(f"{records.folder} holds no pairs; data: verification needs pair sets")
        if len(set(zip(tenths(len(pairs)), pairs.same, strict=True))) < 2 * FOLDS:
            raise XcosError(
                f"{records.folder} lacks genuine or impostor pairs in one of the {FOLDS} folds "
                "that its list is cut into; take it out of data: verification"
            )
    return verification


def train(
    configs: Sequence[str | os.PathLike],
    data: str | os.PathLike,
    folder: str | os.PathLike,
    extras: Extras = lambda config: {},
) -> int:
    """Open a run, train it to its last step, and finish it; see `read_config` and `Run.finish`.

    Returns:
        An exit code: 0, or 143 if it was told to stop.

    Raises:
        XcosError: see `read_config` and `Run`; or a face cannot be read, or is of another size.
    """
    with reading_problems(), ExitStack() as until:
        run = Run(*read_config(*configs), data, folder, until)
        if run.finished:
            finished = on_one_line(run.folder / PRESET)
            print(f"{finished} is finished; give another folder for another run")
            return 0
        made = run.train()
        if made < run.steps:
            print(f"stopped after {made} of {run.steps} steps; the same command goes on from there")
            return 143
        preset = run.finish(extras)
        if preset:
            print(f"wrote {on_one_line(preset)}")
        return 0
