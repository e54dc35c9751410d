"""Optimizers by name, with their arguments checked, and what Keras 2 and 3 call their parts.

There are three kinds: those of Keras 3, those of Keras 2, and those of tensorflow-addons, which
derive from Keras 2's legacy optimizers.
"""

import difflib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from tensorflow import keras

from xcos_tf.errors import XcosError, explained, extra, reason_of, shown

ADDONS = "Addons>"


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


def build_optimizer(
    section: dict,
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
    layer: keras.layers.Layer | None = None,
) -> Part:
    """Build an optimizer from a configuration's section.

    Args:
        section: {"name": ..., its arguments}. The name is one of Keras's, such as "SGD", "Adam" or
            "AdamW" ("Lamb" on Keras 3), or "Addons>" and one of tensorflow-addons', such as
            "Addons>LAMB", on TensorFlow 2.15. Of the arguments, `l2` is ours, see `Part`. Keras's
            own `weight_decay` takes learning rate · decay · weight off the weight instead, apart
            from the gradient.

    Raises:
        XcosError: the name or an argument is unknown, or the optimizer refuses a value, or
            tensorflow-addons is wanted and not there.
    """
    arguments = dict(section)
    name, l2 = arguments.pop("name", None), arguments.pop("l2", 0.0)
    cls = _find(str(name))
    taken = [key for key in inspect.signature(cls.__init__).parameters if key not in _NOT_OURS]
    for key in arguments:
        if key not in taken:
            raise XcosError(f"the optimizer {name} takes no {key!r}; {_hint(key, [*taken, 'l2'])}")
    what = f"the optimizer {name} refuses {arguments}"
    with explained(what, "give other values", (TypeError, ValueError)):
        return Part(layer, cls(learning_rate=learning_rate, **arguments), float(l2))


def try_optimizer(section: dict, learning_rate: float) -> None:
    """Make two steps of an optimizer on a small kernel, outside of any strategy's scope.

    Keras checks few of an optimizer's arguments before its first step. Raises XcosError as
    `build_optimizer` does, or if a step fails, or ends in NaN or infinity.
    """
    layer = keras.layers.Dense(2, use_bias=False, kernel_initializer="ones")
    layer.build((None, 2))
    optimizer, weights = build_optimizer(section, learning_rate).optimizer, layer.trainable_weights
    reason = "its steps end in NaN or infinity"
    try:
        create_variables(optimizer, weights)
        for _ in range(2):
            apply_summed(optimizer, [tf.ones((2, 2))], weights)
        finite = np.isfinite(np.asarray(weights[0])).all()
    except Exception as error:  # of any kind
        finite, reason = False, reason_of(error)
    if not finite:
        raise XcosError(
            f"the optimizer {section['name']} cannot train with {shown(section)} ({reason}); give "
            "other values"
        )


# Of the loop, not of an optimizer: it clips all parts' gradients together and accumulates.
_NOT_OURS = {
    "self",
    "args",
    "kwargs",
    "learning_rate",
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "gradient_accumulation_steps",
    "jit_compile",
    "name",
}


def create_variables(optimizer: keras.optimizers.Optimizer, weights: Sequence) -> None:
    """Make all that an optimizer keeps for these weights now, not in its first step."""
    if hasattr(optimizer, "build"):
        optimizer.build(weights)
    else:  # what Keras 2 itself calls on legacy optimizers before it restores one
        optimizer._create_all_weights(weights)


def apply_summed(
    optimizer: keras.optimizers.Optimizer, gradients: Sequence[tf.Tensor], weights: Sequence
) -> None:
    """Make an optimizer's step with gradients that are summed over replicas already."""
    pairs = list(zip(gradients, weights, strict=True))
    if hasattr(optimizer, "_all_reduce_sum_gradients"):  # Keras 3 has no argument for it
        optimizer._all_reduce_sum_gradients = lambda summed: summed
        optimizer.apply_gradients(pairs)
    else:
        optimizer.apply_gradients(pairs, experimental_aggregate_gradients=False)


def optimizer_variables(optimizer: keras.optimizers.Optimizer) -> list:
    """Return the variables that an optimizer keeps, its count of steps among them."""
    variables = optimizer.variables
    return list(variables() if callable(variables) else variables)  # Keras 2's are a method


def read(variable) -> np.ndarray:
    """Return the value that a variable has on the first replica of this process.

    For weights, optimizers and counters it is the same on all. Keras 2 hands out TensorFlow's own
    distributed variables, and some of those are averaged over all replicas when they are read, so
    that all workers would have to read at once; but the chief alone writes checkpoints.
    """
    if isinstance(variable, tf.distribute.DistributedValues):
        variable = variable.distribute_strategy.experimental_local_results(variable)[0]
    return np.asarray(variable)


def current_rate(optimizer: keras.optimizers.Optimizer) -> float:
    """Return the learning rate that an optimizer is at."""
    rate = optimizer.learning_rate
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):  # a legacy optimizer's
        rate = rate(read(optimizer.iterations))
    return float(read(rate))


def _find(name: str) -> type:
    module, prefix = keras.optimizers, ""
    if name.startswith(ADDONS):
        with extra("addons", f"the optimizer {name}"):
            import tensorflow_addons

        module, prefix = tensorflow_addons.optimizers, ADDONS
    known = {
        prefix + key: value
        for key, value in vars(module).items()
        # The rest are schedules, bases, and wrappers of optimizers that have a rate already.
        if inspect.isclass(value) and "learning_rate" in inspect.signature(value).parameters
    }
    if name not in known:
        raise XcosError(f"there is no optimizer {name!r}; {_hint(name, list(known))}")
    return known[name]


def _hint(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
