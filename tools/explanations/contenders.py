"""What is held against each other: a method, and the verifier that it explains and is judged by."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tools.explanations.rows import CONTROL
from tools.lite import lite_runner
from xcos_tf.errors import XcosError
from xcos_tf.explain.explanation import Method
from xcos_tf.explain.methods.registry import method
from xcos_tf.explain.methods.xcos import NAMES
from xcos_tf.models.preset_threshold import PLAIN_COSINE
from xcos_tf.models.presets import load_preset
from xcos_tf.verifier import Verifier


class OneScore(Verifier):
    """A verifier by one of its preset's attentions, so that nothing is judged by another."""

    def __init__(self, preset: str, attention: str):
        """Load a preset by name or folder.

        Raises:
            XcosError: it cannot be loaded, or has no such attention.
        """
        super().__init__(load_preset(preset))
        if attention not in super().attentions:
            kind = "plain" if attention == PLAIN_COSINE else "xCos"
            raise XcosError(
                f"the preset {self.config['name']!r} has no score {attention!r}; give the {kind} "
                "preset its place asks for"
            )
        self.source, self._only = preset, attention

    @property
    def attentions(self) -> tuple[str, ...]:
        """The one attention."""
        return (self._only,)

    @property
    def attention(self) -> str:
        """The same."""
        return self._only

    @property
    def identity(self) -> dict:
        """What its scores follow from, for caches."""
        return {"weights": self.sha256, "model": self.config["model"], "attention": self._only}

    @property
    def sha256(self) -> str:
        """Of the weights, as the configuration states it; loading checked it."""
        return self.config["weights"]["sha256"]


class LiteScore(OneScore):
    """The same scores sooner, for whoever asks for thousands: the backbone runs in TFLite.

    On one thread of a CPU, XNNPACK takes two thirds of TensorFlow's time for the same float32
    network. It keeps the weights that it was made with, whatever becomes of its network's.
    """

    def __init__(self, preset: str, attention: str):
        super().__init__(preset, attention)
        self._lite = lite_runner(self.network.features)

    def embed(self, faces: np.ndarray) -> np.ndarray:
        """Run the backbone on aligned faces; see `Verifier.embed`."""
        return self._lite(faces)


class Contender(NamedTuple):
    """A method on a verifier."""

    method: Method
    verifier: OneScore

    @property
    def label(self) -> str:
        """Who it is, for progress bars."""
        return f"{self.method.name} on {self.verifier.config['name']} {self.verifier.attention}"


def contenders(names: Sequence[str], baseline: str, xcos: str) -> list[Contender]:
    """Return the methods of these names, each on the verifiers that it can explain.

    A method of a grid explains the preset `xcos`, by its own attention; one of embeddings explains
    `baseline`; one that can explain any verifier explains both, `xcos` by L, as areas under curves
    compare maps of one verifier, and not verifiers. The control explains every verifier that is
    there, and is there whether asked for or not.

    Raises:
        XcosError: there is no method or no preset of a name, or it is not of its kind.
    """
    embedding, grid = (baseline, PLAIN_COSINE), (xcos, "learned")
    others = {"embedding": [embedding], "any": [embedding, grid]}
    letters = {name: attention for attention, name in NAMES.items()}
    places = []
    for name in dict.fromkeys(names):
        if name != CONTROL:
            which = method(name)
            targets = [(xcos, letters[name])] if which.needs == "grid" else others[which.needs]
            places += [(which, target) for target in targets]
    targets = dict.fromkeys(target for _, target in places) or (embedding, grid)
    verifiers = {target: OneScore(*target) for target in targets}
    control = method(CONTROL)
    places += [(control, target) for target in targets]
    return [Contender(x, verifiers[target]) for x, target in places]
