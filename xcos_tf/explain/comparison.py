"""One pair explained by several methods, each by a preset of the kind that it needs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from xcos_tf.errors import XcosError
from xcos_tf.explain.explanation import Explanation, Method
from xcos_tf.explain.methods.registry import method
from xcos_tf.models.preset_config import read_config
from xcos_tf.models.preset_folder import bundled_presets, find_preset, namesake
from xcos_tf.verifier import Verifier

DEFAULT_BASELINE = "mobilefacenet"
# A method's first run is spent on building its model, so a quick one runs twice, to tell its time.
QUICK = 5.0


@dataclass(frozen=True)
class ExplainedScore:
    """One method's explanation of a score, which a preset has of this name.

    `threshold` is the preset's own at FMR 1e-3; None where it states none.
    """

    preset: str
    score: str
    threshold: float | None
    explanation: Explanation

    @property
    def same(self) -> bool | None:
        """The verdict, if there is a threshold."""
        return None if self.threshold is None else self.explanation.score >= self.threshold


def choose_methods(names: str) -> list[Method]:
    """Return the methods of a list such as "xcos,gradcam", each once, in its order."""
    return [method(name) for name in dict.fromkeys(part.strip() for part in names.split(","))]


def choose_presets(
    methods: Iterable[Method], preset: str, baseline: str | None = None
) -> list[str]:
    """Return the preset that each method explains; their configurations alone are read.

    A method that explains a grid, or any score, takes `preset`. One that explains the cosine of
    embeddings takes `baseline`; without one `preset`, if it is plain, and else the bundled plain
    preset that an xCos preset is named after, or `DEFAULT_BASELINE`.

    Raises:
        XcosError: there is no such preset, it is of another kind than a method needs, or no method
            needs the baseline.
    """
    methods, is_grid = list(methods), _has_grid(preset)
    others = [each.name for each in methods if each.needs == "embedding"]
    if baseline is not None:
        if not others:
            raise XcosError(
                "a baseline is for methods that explain the cosine of two embeddings, such as "
                "gradcam; leave it out or add one"
            )
        if _has_grid(baseline):
            raise XcosError(
                f"{others[0]!r} explains the cosine of two embeddings and the preset {baseline!r} "
                "has a grid; give a plain preset such as 'mobilefacenet' as the baseline"
            )
    elif not is_grid:
        baseline = preset
    else:
        plain = namesake(preset)
        baseline = plain if plain in bundled_presets() else DEFAULT_BASELINE
        baseline = DEFAULT_BASELINE if _has_grid(baseline) else baseline
    for each in methods:
        if each.needs == "grid" and not is_grid:
            raise XcosError(
                f"{each.name!r} explains the score of a grid and the preset {preset!r} has none; "
                "give an xCos preset, or leave this method out"
            )
    return [baseline if each.needs == "embedding" else preset for each in methods]


def explain_pair(
    verifier: Verifier, preset: str, method: Method, face_a: np.ndarray, face_b: np.ndarray
) -> ExplainedScore:
    """Explain a pair by one method; its cost is that of a second run, unless the first was slow.

    Args and errors are those of `Method.explain`; `preset` is the verifier's name for the record.
    """
    explanation = method.explain(verifier, face_a, face_b)
    if explanation.seconds < QUICK:
        explanation = method.explain(verifier, face_a, face_b)
    score = getattr(method, "attention", verifier.attentions[-1])
    try:
        threshold = verifier.threshold(score)
    except XcosError:  # it states none; the score has an explanation all the same
        threshold = None
    return ExplainedScore(preset, score, threshold, explanation)


def distinct_scores(rows: Sequence[ExplainedScore]) -> list[ExplainedScore]:
    """Return the first row of each score, as several methods may explain the same one."""
    first = {}
    for row in rows:
        first.setdefault((row.preset, row.score), row)
    return list(first.values())


def _has_grid(preset: str) -> bool:
    return "xcos" in read_config(find_preset(preset))["model"]
