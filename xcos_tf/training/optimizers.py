"""Optimizers by name, with their arguments checked."""

import difflib
import inspect
from dataclasses import dataclass

from tensorflow import keras

from xcos_tf.errors import XcosError

ADDONS = "Addons>"


@dataclass(frozen=True)
class OptimizerWithDecay:
    """An optimizer, and the `l2` of a `Part` that goes with it."""

    optimizer: keras.optimizers.Optimizer
    l2: float


def build_optimizer(
    section: dict, learning_rate: float | keras.optimizers.schedules.LearningRateSchedule
) -> OptimizerWithDecay:
    """Build an optimizer from a configuration's section.

    Args:
        section: {"name": ..., its arguments}. The name is one of Keras's, such as "SGD", "Adam" or
            "AdamW" ("Lamb" on Keras 3), or "Addons>" and one of tensorflow-addons', such as
            "Addons>LAMB", on TensorFlow 2.15. Of the arguments, `l2` is ours: weight decay as
            PyTorch's SGD and Adam mean it, and the paper with them, which adds `l2` times a weight
            to its gradient. Keras's own `weight_decay` takes learning rate · decay · weight off
            the weight instead, apart from the gradient.
        learning_rate: a number or a schedule.

    Raises:
        XcosError: the name or an argument is unknown, or the optimizer refuses a value, or
            tensorflow-addons is wanted and not there.
    """
    arguments = dict(section)
    name, l2 = arguments.pop("name", None), arguments.pop("l2", 0.0)
    if isinstance(l2, bool) or not isinstance(l2, (int, float)) or l2 < 0:
        raise XcosError(f"an optimizer's l2 must be a number of 0 or more; it is {l2!r}")
    cls = _find(str(name))
    taken = [key for key in inspect.signature(cls.__init__).parameters if key not in _NOT_OURS]
    for key in arguments:
        if key not in taken:
            raise XcosError(f"the optimizer {name} takes no {key!r}; {_hint(key, [*taken, 'l2'])}")
    try:
        return OptimizerWithDecay(cls(learning_rate=learning_rate, **arguments), float(l2))
    except (TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise XcosError(
            f"the optimizer {name} refuses {arguments} ({reason}); give other values"
        ) from None


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


def _find(name: str) -> type:
    module, prefix = keras.optimizers, ""
    if name.startswith(ADDONS):
        try:
            import tensorflow_addons
        except ImportError:
            raise XcosError(
                f"the optimizer {name} needs tensorflow-addons; install it with "
                "pip install 'xcos_tf[addons]', on Python 3.11 or older"
            ) from None
        module, prefix = tensorflow_addons.optimizers, ADDONS
    known = {
        prefix + key: value
        for key, value in vars(module).items()
        if inspect.isclass(value) and key[0].isupper() and key not in _ABSTRACT
    }
    if name not in known:
        raise XcosError(f"there is no optimizer {name!r}; {_hint(name, list(known))}")
    return known[name]


_ABSTRACT = {"Optimizer", "LossScaleOptimizer", "KerasLegacyOptimizer"}


def _hint(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
