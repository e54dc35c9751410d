"""What is held against each other: a method, and the verifier that it explains and is judged by."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from tools.explanations.rows import CONTROL
from xcos_tf.errors import XcosError
from xcos_tf.explain.explanation import Method
from xcos_tf.explain.methods.registry import method
from xcos_tf.explain.methods.xcos import NAMES
from xcos_tf.models.comparison import PLAIN_COSINE
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

    @cached_property
    def identity(self) -> dict[str, str]:
        """What its scores follow from, for caches."""
        model = json.dumps(self.config["model"], sort_keys=True)
        return {"weights": self.sha256, "model": model, "attention": self._only}

    @property
    def sha256(self) -> str:
        """Of the weights, as the configuration states it; loading checked it."""
        return self.config["weights"]["sha256"]


@dataclass(frozen=True, eq=False)
class Contender:
    """A method on a verifier."""

    method: Method
    verifier: OneScore

    @property
    def label(self) -> str:
        """Who it is, for progress bars."""
        return f"{self.method.name} on {self.verifier.config['name']} {self.verifier.attention}"


def plain_cosine(preset: str) -> tuple[str, str]:
    """Return what names the verifier by a baseline's only score."""
    return preset, PLAIN_COSINE


def contenders(names: Sequence[str], baseline: str, xcos: str) -> list[Contender]:
    """Return the methods of these names, each on the verifiers that it can explain.

    A method of a grid explains `xcos`, by its own attention; one of embeddings explains
    `baseline`; one that can explain any verifier explains both, `xcos` by L, as areas under curves
    compare maps of one verifier, and not verifiers. The control explains every verifier that is
    there, and is there whether asked for or not.

    Args:
        names: of methods.
        baseline: a plain preset, its name or folder.
        xcos: an xCos preset with every attention that is asked for.

    Raises:
        XcosError: there is no method or no preset of a name, or it is not of its kind.
    """
    embedding, grid = plain_cosine(baseline), (xcos, "learned")
    methods = [method(name) for name in dict.fromkeys((*names, CONTROL))]
    places = [
        (x, target) for x in methods if x.name != CONTROL for target in _targets(x, embedding, grid)
    ]
    targets = dict.fromkeys(target for _, target in places) or (embedding, grid)
    verifiers = {target: OneScore(*target) for target in targets}
    [control] = [x for x in methods if x.name == CONTROL]
    places += [(control, target) for target in targets]
    return [Contender(x, verifiers[target]) for x, target in places]


def _targets(which: Method, embedding, grid) -> list[tuple[str, str]]:
    """Return the preset and attention of each verifier that a method explains."""
    if which.needs == "grid":
        [attention] = [attention for attention, name in NAMES.items() if name == which.name]
        return [(grid[0], attention)]
    return [embedding] if which.needs == "embedding" else [embedding, grid]
