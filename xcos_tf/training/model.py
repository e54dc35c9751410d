"""The model that is trained: both branches, and one step of L = L_id + λ·L_cos."""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf
from tensorflow import keras

from xcos_tf.models.margins import ArcFaceHead, MarginHead
from xcos_tf.models.network import FaceEmbedder, XCos
from xcos_tf.models.normalisation import unit_length
from xcos_tf.models.partial_fc import SampledRows, sample_classes
from xcos_tf.training.gradients import LossScale, accumulated, only_if
from xcos_tf.training.losses import (
    covering_loss,
    identification_loss,
    xcos_loss,
)
from xcos_tf.training.optimizers import (
    Part,
    apply_summed,
    create_variables,
    current_rate,
    optimizer_variables,
)
from xcos_tf.training.pairs import cosines, in_groups, joined, places
from xcos_tf.training.stem import cut_at

NOT_L_COS = ("identification", "covering")


@keras.utils.register_keras_serializable(package="xcos_tf")
class Trainer(keras.Model):
    """Trains a network; for `fit` and its callbacks, or for a loop of one's own.

        trainer = Trainer(network, people=1000, teacher="mobilefacenet")
        trainer.compile(keras.optimizers.Adam(1e-3))
        trainer.fit(images_and_labels, epochs=10)
        trainer.network.save_to_preset("my-preset")

    It trains and evaluates on batches (image, label): float32 (N, H, W, 3) as the network takes
    them, and int (N,) in [0, people). Pairs for L_cos are formed in the step: each image has a
    partner of the same batch, see `pair_up`. Where pairs are drawn beforehand, a batch is a
    dictionary whose first axis counts groups, so that it can be split between replicas and
    micro-batches without parting a pair. With G groups of N faces and P pairs:

        input: float32 (G, N, H, W, 3).
        label: int32 (G, N), whose the faces are.
        first, second: int32 (G, P), the pairs, as places in their group.
        same: int32 (G, P), 1 where a pair is genuine, else 0; where L_cos is balanced, every group
            has as many genuine pairs.
        teacher: float32 (G, N, dimension), of unit length, where the teacher's embeddings are
            known beforehand; else the teacher is asked.
        stem: float32 (G, N, h, w, c), instead of `input`, where it is known what the frozen layers
            make of the faces.
        effect: float32 (G, C, h, w), for the covering loss: by how much the teacher's cosine of C
            pairs falls when a cell of the first face is covered. The group's last 2·C faces are
            theirs: the C first faces, then the C second ones.

    The pairs are not needed for a plain recogniser, which is trained by L_id alone. Called on
    images, or by `predict`, it gives what the network's `features` does.

    Attributes:
        network: that is trained; the one to use afterwards.
        margin_head: of L_id.
        teacher: frozen, or None.
        features: from the output of `stem` to the network's grid feature or embedding.
    """

    def __init__(
        self,
        network: XCos | FaceEmbedder,
        people: int | MarginHead,
        weights: Mapping[str, float] | None = None,
        teacher: FaceEmbedder | str | None = None,
        frozen_until: str | None = None,
        feature: str = "flattened",
        balance: str | None = None,
        sample: int | None = None,
        accumulate: int = 1,
        clip_norm: float | None = None,
        scale_loss: bool | None = None,
        seed: int = 0,
        shared: bool | None = None,
        **kwargs,
    ):
        """Put the pieces together.

        Args:
            people: how many there are to identify, by ArcFace; or another margin head.
            weights: of the losses, by name: "identification" (L_id), "covering" (see
                `covering_loss`), and the names of the network's `comparisons` for L_cos (Eq. 10) of
                these scores; a loss that is left out is not computed. By default L_id, and with a
                teacher L_cos of the network's own score, weigh 1 each.
            teacher: embedding network or the name of its preset, whose cosines L_cos learns. It is
                frozen. Needed for L_cos unless batches bring its embeddings.
            frozen_until: the last layer of the backbone that stays as it is. If the teacher's
                backbone starts alike, both cost that start once.
            feature: of L_id, where the network gives a grid: "flattened", which the margin head
                scales to unit length as a whole; or "cells", each of which is scaled first.
            balance: "genuine" for an L_cos of which genuine and impostor pairs each make half.
            sample: people in each step's softmax (Partial FC); all when None. Weights, optimizer
                slots and decay of the others are left alone in that step; see `SampledRows`.
            accumulate: micro-batches that a replica's batch is worked off in, one after another.
            clip_norm: limit of the global norm of all gradients together.
            scale_loss: whether the loss is scaled against underflow; by default where the network
                computes in float16.
            seed: of the sampled people and the pairs.
            shared: whether the teacher's backbone starts like the network's; by default its weights
                are compared. A saved trainer knows.

        Raises:
            ValueError: a loss has a weight and the network no such comparison, or the backbone no
                such layer.
        """
        # The pieces have precisions of their own.
        super().__init__(**{"dtype": "float32", **kwargs})
        if isinstance(teacher, str):
            teacher = FaceEmbedder.from_preset(teacher)
        if weights is None:
            own = getattr(network, "attention", "cosine")
            weights = {"identification": 1.0, **({own: 1.0} if teacher else {})}
        self._options = {
            "weights": dict(weights),
            "frozen_until": frozen_until,
            "feature": feature,
            "balance": balance,
            "sample": sample,
            "accumulate": accumulate,
            "clip_norm": clip_norm,
            "scale_loss": scale_loss,
            "seed": seed,
        }
        self.network, self.teacher = network, teacher
        if teacher is not None:
            teacher.trainable = False
        whole, known = network.features, isinstance(people, MarginHead)
        self.margin_head = people if known else ArcFaceHead(people, name="margin_head")
        if not self.margin_head.built:
            self.margin_head.build((None, int(np.prod(whole.output_shape[1:]))))
        self.weights_of_losses = {name: float(w) for name, w in weights.items() if w}
        scores = [name for name in self.weights_of_losses if name not in NOT_L_COS]
        if not set(scores) <= set(network.comparisons):
            raise ValueError(
                f"Expected `weights` to name losses among {(*NOT_L_COS, *network.comparisons)}. "
                f"Received: weights={weights}"
            )
        cut = cut_at(frozen_until, network, teacher, shared)
        self._options["shared"] = cut.stem is not None
        # In a closure, as its models are ways through the network and the teacher, not parts.
        self._cut = lambda: cut
        self._accumulate, self._seed = accumulate, seed
        self.sampled = None
        if sample is not None and sample < self.margin_head.classes:
            self.sampled = SampledRows(self.margin_head.kernel, sample, name="sampled_rows")
        if scale_loss is None:
            scale_loss = whole.compute_dtype == "float16"
        self.loss_scale = LossScale() if scale_loss else None
        means = {
            name: keras.metrics.Mean("loss" if name == "total" else name)
            for name in ("total", *self.weights_of_losses)
        }
        # In a closure, as Keras 2 takes what metrics hold for weights of the model.
        self._means = lambda: means
        self._parts = dict  # a function, see `compile`
        self.built = True  # its pieces are; Keras would call this model to find out

    def get_config(self):
        parts = {"network": self.network, "people": self.margin_head, "teacher": self.teacher}
        saved = {name: part and keras.layers.serialize(part) for name, part in parts.items()}
        return {**saved, **self._options, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        parts = {
            name: config[name] and keras.layers.deserialize(config[name])
            for name in ("network", "people", "teacher")
        }
        return cls(**{**config, **parts})

    def compile(
        self, optimizer: keras.optimizers.Optimizer | str | Sequence[Part] = "adam", **kwargs
    ):
        """Say how to train: by one optimizer, or by one for each part.

        Args:
            optimizer: of all that is not frozen and that a loss depends on; or `Part`s, where what
                is not named stays as it is. Keras's callbacks see the first one's.
            **kwargs: of Keras's `compile`, such as `jit_compile` and `steps_per_execution`.
        """
        if isinstance(optimizer, (str, keras.optimizers.Optimizer)):
            parts = [Part(self, keras.optimizers.get(optimizer))]
        else:
            parts = list(optimizer)
        super().compile(optimizer=parts[0].optimizer, **{"jit_compile": False, **kwargs})
        names = ["trainer" if part.layer is self else part.layer.name for part in parts]
        trained = [(part, self._variables(part.layer)) for part in parts]
        # In a closure, as their layers are ways through the network, not parts.
        by_name = dict(zip(names, trained, strict=True))
        self._parts = lambda: by_name
        for part, variables in trained:
            create_variables(part.optimizer, variables)
            if self.sampled:
                self.sampled.follow(optimizer_variables(part.optimizer))

    def get_compile_config(self):
        """Return how a saved trainer goes on training: by its one optimizer, if it has one."""
        if len(self._parts()) != 1:
            return None
        return {"optimizer": keras.optimizers.serialize(self.optimizer)}

    def compile_from_config(self, config):
        self.compile(keras.optimizers.deserialize(config["optimizer"]))

    @property
    def features(self) -> keras.Model:
        return self._cut().features

    @property
    def size(self) -> int:
        """Side of the square images, pixels."""
        return self.network.features.input_shape[1]

    @property
    def parts(self) -> dict[str, keras.layers.Layer]:
        """What can have an optimizer of its own, by the names that configurations have for it."""
        parts = {
            "backbone": self._cut().tail,
            "head": self.network.head,
            "margin_head": self.margin_head,
        }
        if "learned" in self.network.comparisons:
            parts["attention"] = self.network.comparisons["learned"]
        return parts

    @property
    def kept_layers(self) -> list[keras.layers.Layer]:
        """What can change in a step, with what is kept of a sample's people."""
        sampled = [self.sampled] if self.sampled else []
        return [self.features, *self._comparisons().values(), self.margin_head, *sampled]

    @property
    def learning_rates(self) -> dict[str, float]:
        """The present rate of each part, by its layer's name."""
        return {name: current_rate(x) for name, x in self.optimizers_by_part.items()}

    @property
    def optimizers_by_part(self) -> dict[str, keras.optimizers.Optimizer]:
        """What trains each part, by its layer's name."""
        return {name: part.optimizer for name, (part, _) in self._parts().items()}

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """Mean losses of an epoch; "loss" is the total."""
        return list(self._means().values())

    def call(self, images, training=False):
        return self.features(self.stem(images), training=training)

    @property
    def has_stem(self) -> bool:
        """Whether frozen layers come first, of which the teacher, if there is one, goes on too."""
        return self._cut().stem is not None

    def stem(self, images: tf.Tensor) -> tf.Tensor:
        """Return what `features` and `ask_teacher` take, of images float32 (N, H, W, 3)."""
        stem = self._cut().stem
        if stem is None:
            return images
        return tf.stop_gradient(tf.cast(stem(images, training=False), tf.float32))

    def teacher_of(self, batch: dict[str, tf.Tensor], inputs: tf.Tensor) -> tf.Tensor:
        """Return the teacher's embeddings that a batch brings, or else those of its `inputs`.

        See `ask_teacher`.
        """
        return joined(batch["teacher"]) if "teacher" in batch else self.ask_teacher(inputs)

    def ask_teacher(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return the teacher's embeddings, float32 (N, dimension) of unit length.

        Raises:
            ValueError: there is no teacher.
        """
        if self.teacher is None:
            raise ValueError(
                "Expected a `teacher`, or its embeddings in each batch, for L_cos. Received: "
                f"weights={self._options['weights']}, teacher=None"
            )
        return tf.stop_gradient(unit_length(self._cut().teacher(inputs, training=False)))

    def train_step(self, data):
        """Make one step on this replica's batch; returns the mean losses of the epoch so far."""
        return self._note(self.make_step(data))

    def test_step(self, data):
        """Return the mean losses of the evaluation so far. Each batch draws the same pairs."""
        return self._note(self.losses_of(self._grouped(data, -1), training=False))

    def make_step(self, data) -> dict[str, tf.Tensor]:
        """Make one step on this replica's batch; returns its losses, means over all replicas."""
        replicas = tf.distribute.get_replica_context()
        step = self._steps()
        batch = self._grouped(data, step)
        kept = None
        if self.sampled:
            labels = replicas.all_gather(tf.reshape(batch["label"], [-1]), axis=0)
            seed, sample = tf.stack([self._seed, step]), self.sampled.rows.shape[0]
            kept = sample_classes(labels, self.margin_head.classes, sample, seed)
            self.sampled.take(kept[0])
        parts = self._parts().values()
        variables = [(variable, part.l2) for part, trained in parts for variable in trained]
        losses, gradients = accumulated(
            lambda part: self.losses_of(part, kept),
            batch,
            [variable for variable, _ in variables],
            self._accumulate,
            self.loss_scale,
        )
        # The optimizers could add up over replicas; but the norm is that of the sum.
        gradients = [gradient / replicas.num_replicas_in_sync for gradient in gradients]
        gradients = replicas.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        if self.loss_scale:
            gradients, finite = self.loss_scale.unscale(gradients)
        gradients = [
            gradient + l2 * tf.cast(variable, gradient.dtype) if l2 else gradient
            for gradient, (variable, l2) in zip(gradients, variables, strict=True)
        ]
        limit = self._options["clip_norm"]
        if limit:
            gradients, _ = tf.clip_by_global_norm(gradients, limit)

        def apply():
            rest = iter(gradients)
            for part, trained in parts:
                apply_summed(part.optimizer, [next(rest) for _ in trained], trained)

        if self.loss_scale:
            only_if(finite, apply)
        else:
            apply()
        if kept:
            self.sampled.put(kept[0])
        return replicas.all_reduce(tf.distribute.ReduceOp.MEAN, losses)

    def losses_of(self, batch: Mapping, kept=None, training=True) -> dict[str, tf.Tensor]:
        """Return each loss of some groups, and their weighted "total", float32 scalars."""
        inputs = joined(batch["stem"]) if "stem" in batch else self.stem(joined(batch["input"]))
        features = tf.cast(self.features(inputs, training=training), tf.float32)
        labels = tf.reshape(batch["label"], [-1])
        losses = {}
        if "identification" in self.weights_of_losses:
            flat = features
            if len(features.shape) == 4:
                cells_first = self._options["feature"] == "cells"
                cells = unit_length(features) if cells_first else features
                flat = tf.reshape(cells, (tf.shape(cells)[0], -1))
            if kept is None:
                logits = self.margin_head(flat, labels)
            else:
                labels = tf.gather(kept[1], labels)
                logits = self.margin_head(flat, labels, self.sampled.rows)
            losses["identification"] = identification_loss(logits, labels)
        comparisons = self._comparisons()
        if comparisons:
            pairs = places(batch["label"], batch["first"], batch["second"])
            same = tf.reshape(batch["same"], [-1])
            target = cosines(self.teacher_of(batch, inputs), pairs)
            pair = [tf.gather(features, place) for place in pairs]
            balanced = self._options["balance"] == "genuine"
            for name, comparison in comparisons.items():
                score = comparison(pair, training=training)["xcos"]
                losses[name] = xcos_loss(score, target, same if balanced else None)
        if "covering" in self.weights_of_losses:
            effects = batch["effect"]
            shape = tf.concat([tf.shape(batch["label"]), features.shape[1:]], axis=0)
            grids = tf.reshape(features, shape)
            count = effects.shape[1]
            covered = [joined(grids[:, -2 * count : -count]), joined(grids[:, -count:])]
            maps = self.network.comparisons["learned"](covered, training=training)
            contributions = maps["similarity_map"] * maps["attention_map"]
            losses["covering"] = covering_loss(contributions, joined(effects))
        weights = self.weights_of_losses
        losses["total"] = tf.add_n([weights[name] * value for name, value in losses.items()])
        return losses

    def _comparisons(self) -> dict[str, keras.Model]:
        """Return what computes the scores whose L_cos has a weight."""
        comparisons = self.network.comparisons
        return {name: comparisons[name] for name in self.weights_of_losses if name in comparisons}

    def _variables(self, layer: keras.layers.Layer) -> list:
        """Return what an optimizer trains of a layer: of a sampled kernel, the rows of a step."""
        if layer is self:
            layers = [self.features, *self._comparisons().values()]
            layers += [self.margin_head] if "identification" in self.weights_of_losses else []
            return [variable for layer in layers for variable in self._variables(layer)]
        if layer is self.margin_head and self.sampled:
            return [self.sampled.rows]
        return layer.trainable_variables

    def _grouped(self, data, step) -> Mapping:
        """Return a batch in groups: as it is, or images and labels with pairs made of them."""
        if isinstance(data, Mapping):
            return data
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        seeds = [(self._seed + number, step) for number in range(self._accumulate)]
        return in_groups(images, labels, seeds, bool(self._comparisons()))

    def _steps(self) -> tf.Tensor:
        """Return how many steps have been made, int32."""
        return tf.cast(self.optimizer.iterations, tf.int32)

    def _note(self, losses):
        for name, value in losses.items():
            self._means()[name].update_state(value)
        return {mean.name: mean.result() for mean in self.metrics}
