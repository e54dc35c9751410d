"""The model that is trained: both branches, and one step of L = L_id + λ·L_cos."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import tensorflow as tf
from tensorflow import keras

from xcos_tf.models.margins import MarginHead
from xcos_tf.models.partial_fc import SampledRows, sample_classes
from xcos_tf.models.similarity import unit_length
from xcos_tf.training.locality import locality_loss, swap_rectangles
from xcos_tf.training.loss_scale import LossScale, only_if
from xcos_tf.training.losses import identification_loss, xcos_loss
from xcos_tf.training.optimizers import (
    apply_summed,
    create_variables,
    current_rate,
    optimizer_variables,
)


@dataclass(frozen=True)
class Part:
    """A part of a trainer that has an optimizer of its own.

    Attributes:
        layer: whose trainable weights these are.
        optimizer: that trains them.
        l2: weight decay as PyTorch's SGD and Adam mean it, and the paper with them: `l2` times
            the weight is added to its gradient.
    """

    layer: keras.layers.Layer
    optimizer: keras.optimizers.Optimizer
    l2: float = 0.0


class Trainer(keras.Model):
    """One step for every way of training; driven by `fit` or by a loop of one's own.

    A batch is a dictionary whose first axis counts groups, so that it can be split between
    replicas and micro-batches without parting a pair. With G groups of N faces and P pairs:

        input: float32 (G, N, ...), what `features` takes.
        label: int32 (G, N), whose the faces are.
        first, second: int32 (G, P), the pairs, as places in their group.
        same: int32 (G, P), 1 where a pair is genuine, else 0; where L_cos is balanced, every group
            has as many genuine pairs.
        teacher: float32 (G, N, dimension), of unit length, where the teacher's embeddings are
            known beforehand; else the teacher is asked.

    The pairs are not needed for a plain recogniser, which is trained by L_id alone.
    """

    def __init__(
        self,
        features: keras.Model,
        margin_head: MarginHead,
        weights: Mapping[str, float],
        comparisons: Mapping[str, keras.Model] | None = None,
        teacher: Callable[[tf.Tensor], tf.Tensor] | None = None,
        stem: Callable[[tf.Tensor], tf.Tensor] | None = None,
        sample: int | None = None,
        accumulate: int = 1,
        clip_norm: float | None = None,
        scale_loss: bool = False,
        seed: int = 0,
        feature: str = "flattened",
        balance: str | None = None,
        **kwargs,
    ):
        """Put the pieces together.

        Args:
            features: from an input to a grid feature (N, h, w, c), or to an embedding (N, d).
            margin_head: of L_id.
            weights: of the losses, by name: "identification", "locality" (see `locality_loss`),
                and "patched" and "learned" for L_cos (Eq. 10) of these scores; a loss that is left
                out is not computed.
            comparisons: of an `XCos` or a `FaceEmbedder`.
            teacher: from inputs to embeddings, frozen; needed for L_cos unless batches bring them.
            stem: the frozen start of the backbone, which `features` and `teacher` then go on
                from, so that both cost it once.
            sample: classes in each step's softmax (Partial FC); all when None. Weights, optimizer
                slots and decay of the others are left alone in that step; see `SampledRows`.
            accumulate: micro-batches that a replica's groups are worked off in, one after another.
            clip_norm: limit of the global norm of all gradients together.
            scale_loss: whether the loss is scaled against underflow; for mixed_float16.
            seed: of the sampled classes.
            feature: of L_id, where `features` gives a grid: "flattened", which the margin head
                scales to unit length as a whole; or "cells", each of which is scaled first.
            balance: "genuine" for an L_cos of which genuine and impostor pairs each make half.

        Raises:
            ValueError: L_cos is wanted without comparisons.
        """
        super().__init__(**kwargs)
        self.features = features
        self.margin_head = margin_head
        self.weights_of_losses = {name: w for name, w in weights.items() if w}
        self.comparisons = {
            name: (comparisons or {}).get(name)
            for name in self.weights_of_losses
            if name not in ("identification", "locality")
        }
        if None in self.comparisons.values():
            raise ValueError(
                f"Expected `comparisons` to have {tuple(self.comparisons)}, whose loss has a "
                f"weight. Received: comparisons={comparisons}"
            )
        # In closures, so that what stays frozen is no part of checkpoints.
        self._ask_teacher = lambda: teacher
        self._ask_stem = lambda: stem
        self._accumulate = accumulate
        self.sampled = None
        if sample is not None and sample < margin_head.classes:
            self.sampled = SampledRows(margin_head.kernel, sample)
        self._clip_norm, self._seed = clip_norm, seed
        self._cells_first, self._balanced = feature == "cells", balance == "genuine"
        self.loss_scale = LossScale() if scale_loss else None
        self._trained: list[tuple[list, keras.optimizers.Optimizer, float]] = []

    def compile(self, parts: list[Part], **kwargs):
        """Say which optimizer trains which part; a part that is not named stays as it is.

        The first optimizer is also the one that Keras's callbacks see.
        """
        super().compile(optimizer=parts[0].optimizer, **kwargs)
        self.built = True  # its pieces are; `fit` would call this model to find out
        self._trained = [(self._variables(part.layer), part.optimizer, part.l2) for part in parts]
        self.part_optimizers = [part.optimizer for part in parts]
        self._part_names = [part.layer.name for part in parts]
        for variables, optimizer, _ in self._trained:
            create_variables(optimizer, variables)
            if self.sampled:
                self.sampled.follow(optimizer_variables(optimizer))

    def _variables(self, layer: keras.layers.Layer) -> list:
        """Return what an optimizer trains of a layer: of a sampled kernel, the rows of a step."""
        if layer is self.margin_head and self.sampled:
            return [self.sampled.rows]
        return layer.trainable_variables

    @property
    def learning_rates(self) -> dict[str, float]:
        """The present rate of each part, by its layer's name."""
        rates = (current_rate(optimizer) for optimizer in self.part_optimizers)
        return dict(zip(self._part_names, rates, strict=True))

    def train_step(self, batch):
        """Make one step on this replica's groups; returns the losses, means over all replicas."""
        replicas = tf.distribute.get_replica_context()
        count = replicas.num_replicas_in_sync
        kept = self._sampled_classes(replicas, batch["label"])
        if kept:
            self.sampled.take(kept[0])
        variables = [variable for part, _, _ in self._trained for variable in part]
        losses, gradients = self._accumulated(batch, kept, variables)
        # The optimizers could add up over replicas; but the norm is that of the sum.
        gradients = [gradient / count for gradient in gradients]
        gradients = replicas.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        if self.loss_scale:
            gradients, finite = self.loss_scale.unscale(gradients)
        decays = [l2 for part, _, l2 in self._trained for _ in part]
        gradients = [
            gradient + l2 * tf.cast(variable, gradient.dtype) if l2 else gradient
            for gradient, variable, l2 in zip(gradients, variables, decays, strict=True)
        ]
        if self._clip_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, self._clip_norm)

        def apply():
            rest = iter(gradients)
            for part, optimizer, _ in self._trained:
                apply_summed(optimizer, [next(rest) for _ in part], part)

        if self.loss_scale:
            only_if(finite, apply)
        else:
            apply()
        if kept:
            self.sampled.put(kept[0])
        return replicas.all_reduce(tf.distribute.ReduceOp.MEAN, losses)

    def _sampled_classes(self, replicas, labels):
        if not self.sampled:
            return None
        labels = replicas.all_gather(tf.reshape(labels, [-1]), axis=0)
        step = tf.cast(self.optimizer.iterations, tf.int32)
        seed = tf.stack([self._seed, step])
        return sample_classes(labels, self.margin_head.classes, self.sampled.rows.shape[0], seed)

    def _accumulated(self, batch, kept, variables):
        """Return the mean losses and gradients of the micro-batches, one worked after another."""
        losses, gradients = None, None
        for number in range(self._accumulate):
            after = [] if gradients is None else gradients
            with tf.control_dependencies(after):
                part = {
                    name: tf.identity(tf.split(value, self._accumulate)[number])
                    for name, value in batch.items()
                }
                with tf.GradientTape() as tape:
                    part_losses = self.losses_of(part, kept)
                    total = part_losses["total"]
                    if self.loss_scale:
                        total = self.loss_scale.scale(total)
                part_gradients = tape.gradient(total, variables)
            if losses is None:
                losses, gradients = part_losses, part_gradients
            else:
                losses = {name: losses[name] + value for name, value in part_losses.items()}
                gradients = [a + b for a, b in zip(gradients, part_gradients, strict=True)]
        count = float(self._accumulate)
        return (
            {name: value / count for name, value in losses.items()},
            [gradient / count for gradient in gradients],
        )

    def losses_of(self, batch: dict, kept=None) -> dict[str, tf.Tensor]:
        """Return each loss of some groups, and their weighted "total", float32 scalars."""
        groups, faces = tf.unstack(tf.shape(batch["label"]))
        images = _flatten(batch["input"])
        inputs = self._after_stem(images)
        features = tf.cast(self.features(inputs, training=True), tf.float32)
        labels = tf.reshape(batch["label"], [-1])
        losses = {}
        if "identification" in self.weights_of_losses:
            flat = features
            if len(features.shape) == 4:
                cells = unit_length(features) if self._cells_first else features
                flat = tf.reshape(cells, (tf.shape(cells)[0], -1))
            if kept is None:
                logits = self.margin_head(flat, labels)
            else:
                labels = tf.gather(kept[1], labels)
                logits = self.margin_head(flat, labels, self.sampled.rows)
            losses["identification"] = identification_loss(logits, labels)
        if self.comparisons:
            offset = tf.range(groups)[:, tf.newaxis] * faces
            first = tf.reshape(batch["first"] + offset, [-1])
            second = tf.reshape(batch["second"] + offset, [-1])
            same = tf.reshape(batch["same"], [-1])
            embeddings = self._teacher_embeddings(batch, inputs)
            target = tf.reduce_sum(
                tf.gather(embeddings, first) * tf.gather(embeddings, second), axis=-1
            )
            pair = [tf.gather(features, first), tf.gather(features, second)]
            for name, comparison in self.comparisons.items():
                score = comparison(pair, training=True)["xcos"]
                losses[name] = xcos_loss(score, target, same if self._balanced else None)
        if "locality" in self.weights_of_losses:
            seed = tf.stack([self._seed, tf.cast(self.optimizer.iterations, tf.int32)])
            changed, own, other = swap_rectangles(images, features.shape[1:3], seed)
            # Statistics of such faces are not to go into batch normalisation.
            changed = self.features(self._after_stem(changed), training=False)
            losses["locality"] = locality_loss(features, tf.cast(changed, tf.float32), own, other)
        weights = self.weights_of_losses
        losses["total"] = tf.add_n([weights[name] * value for name, value in losses.items()])
        return losses

    def _after_stem(self, images):
        if not self._ask_stem():
            return images
        return tf.stop_gradient(tf.cast(self._ask_stem()(images), tf.float32))

    def _teacher_embeddings(self, batch, inputs):
        if "teacher" in batch:
            return _flatten(batch["teacher"])
        return tf.stop_gradient(unit_length(self._ask_teacher()(inputs)))


def _flatten(groups: tf.Tensor) -> tf.Tensor:
    """Join the first two axes."""
    return tf.reshape(groups, tf.concat([[-1], tf.shape(groups)[2:]], axis=0))
