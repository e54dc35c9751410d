"""One training step of both branches on cached features: L_id + L_cos."""

import math
from collections.abc import Callable

import tensorflow as tf
from tensorflow import keras

from xcos_tf.models.margins import ArcFaceHead, CosFaceHead
from xcos_tf.models.network import XCosNetwork
from xcos_tf.models.similarity import normalise_cells
from xcos_tf.training.config import TrainingConfig
from xcos_tf.training.losses import identification_loss, xcos_loss

MARGIN_HEADS = {"arcface": ArcFaceHead, "cosface": CosFaceHead}


def trainable_tail(backbone: keras.Model, layer: str) -> keras.Model:
    """Return the part of a backbone that follows `layer`, sharing its weights."""
    return keras.Model(backbone.get_layer(layer).output, backbone.output, name="tail")


def frozen_trunk(backbone: keras.Model, layer: str) -> keras.Model:
    """Return the part of a backbone up to and including `layer`, sharing its weights."""
    return keras.Model(backbone.input, backbone.get_layer(layer).output, name="trunk")


def warm_cosine(peak: float, warmup: int, steps: int) -> Callable[[int], float]:
    """Return a learning rate that rises linearly from 0, then falls as a cosine to 1 % of peak."""

    def rate(step: int) -> float:
        if step < warmup:
            return peak * (step + 1) / warmup
        progress = (step - warmup) / max(1, steps - warmup)
        return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))

    return rate


class Trainer:
    """Holds the trained parts and their optimizers, and makes steps.

    The parts, each with a learning rate of its own: the backbone's tail, the grid head, the
    learned attention, and a margin head on the flattened grid whose cells are of unit length.
    """

    def __init__(self, network: XCosNetwork, people: int, config: TrainingConfig):
        """Build for a network whose backbone is cut at `config.trainable_from`."""
        self.config = config
        self.tail = trainable_tail(network.grid.get_layer("backbone"), config.trainable_from)
        self.grid_head = network.grid.get_layer("grid_head")
        self.learned = network.comparisons["learned"]
        self.patched = network.comparisons["patched"]
        self.margin_head = MARGIN_HEADS[config.loss.head](
            people, margin=config.loss.margin, scale=config.loss.scale, name="margin_head"
        )
        self.margin_head.build((None, math.prod(self.grid_head.output_shape[1:])))
        rates = config.learning_rate
        parts = (
            (self.tail, rates.backbone, config.weight_decay),
            (self.grid_head, rates.grid_head, config.weight_decay),
            (self.learned, rates.attention, 0.0),
            (self.margin_head, rates.margin_head, 0.0),
        )
        self._parts = []
        for part, peak, decay in parts:
            if peak > 0:
                optimizer = keras.optimizers.AdamW(learning_rate=peak, weight_decay=decay)
                optimizer.build(part.trainable_variables)
                rate = warm_cosine(peak, config.warmup_steps, config.steps)
                self._parts.append((part.trainable_variables, optimizer, rate))
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")

    def checkpoint(self) -> tf.train.Checkpoint:
        """Return everything that a run needs to go on as if it had never stopped."""
        return tf.train.Checkpoint(
            step=self.step,
            tail=self.tail,
            grid_head=self.grid_head,
            learned=self.learned,
            margin_head=self.margin_head,
            optimizers=[optimizer for _, optimizer, _ in self._parts],
        )

    def train_step(self, features, teacher, batch) -> dict[str, float]:
        """Make one step and return the losses.

        Args:
            features: float (N, h, w, c), the trunk's outputs.
            teacher: float (N, dimension), embeddings of unit length.
            batch: the `Batch` that says whose they are and which pairs to compare.

        Raises:
            FloatingPointError: a loss is NaN or infinite; go on from the last checkpoint.
        """
        step = int(self.step)
        for _, optimizer, rate in self._parts:
            optimizer.learning_rate.assign(rate(step))
        losses = self._update(
            tf.cast(features, tf.float32),
            tf.cast(teacher, tf.float32),
            tf.constant(batch.labels),
            tf.constant(batch.first),
            tf.constant(batch.second),
            tf.constant(batch.same),
        )
        losses = {name: float(value) for name, value in losses.items()}
        if not math.isfinite(losses["total"]):
            raise FloatingPointError(
                f"Expected a finite loss at step {step}, learning rate "
                f"{[float(rate(step)) for _, _, rate in self._parts]}. Received: {losses}"
            )
        self.step.assign_add(1)
        return losses

    @tf.function
    def _update(self, features, teacher, labels, first, second, same):
        weights = self.config.loss
        with tf.GradientTape() as tape:
            grids = self.grid_head(self.tail(features, training=True), training=True)
            pair = [tf.gather(grids, first), tf.gather(grids, second)]
            target = tf.reduce_sum(tf.gather(teacher, first) * tf.gather(teacher, second), -1)
            learned = xcos_loss(self.learned(pair, training=True)["xcos"], target, same)
            patched = xcos_loss(self.patched(pair)["xcos"], target, same)
            flat = tf.reshape(normalise_cells(grids), (tf.shape(grids)[0], -1))
            identification = identification_loss(self.margin_head(flat, labels), labels)
            total = (
                weights.learned * learned
                + weights.patched * patched
                + weights.identification * identification
            )
        variables = [variables for variables, _, _ in self._parts]
        flat_variables = [v for part in variables for v in part]
        gradients, _ = tf.clip_by_global_norm(
            tape.gradient(total, flat_variables), self.config.clip_norm
        )
        start = 0
        for part, optimizer, _ in self._parts:
            optimizer.apply_gradients(zip(gradients[start : start + len(part)], part, strict=True))
            start += len(part)
        return {
            "total": total,
            "learned": learned,
            "patched": patched,
            "identification": identification,
        }
