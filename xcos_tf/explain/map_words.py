"""An explanation in words: which parts of the faces agree, which do not, and which counted."""

import numpy as np

from xcos_tf.explain.explanation import Explanation
from xcos_tf.explain.notation import as_sentence
from xcos_tf.explain.regions import region_means
from xcos_tf.explain.words import SIDES_NOTE, describe, region_summary

_NAMED = 2  # regions of each kind


def explanation_sentence(explanation: Explanation) -> str:
    """Say in words what a map of the pair shows; empty where each face has its own.

    Of xCos: the sentence of `describe`, and the parts with the most weight. Of any other: the parts
    whose mean is highest, and lowest.
    """
    if not explanation.per_pair:
        return ""
    if explanation.similarity_map is None:
        return as_sentence(_extremes(explanation.map_a, explanation.signed))
    regions = region_summary(explanation.similarity_map, explanation.attention_map)
    first = as_sentence(describe(explanation.similarity_map, explanation.attention_map))
    heaviest = sorted(regions, key=lambda region: -round(region.weight_share, 6))[:_NAMED]
    shares = [f"{region.name} ({100 * region.weight_share:.0f} %)" for region in heaviest]
    return f"{first} Counted most: {', '.join(shares)}."


def _extremes(values: np.ndarray, signed: bool) -> str:
    means = region_means(values, np.ones_like(values))
    ordered = sorted(means, key=lambda name: -round(means[name], 6))
    highest, lowest = ordered[:_NAMED], ordered[-1]
    if means[highest[0]] - means[lowest] < 1e-6:
        return "all parts of the face are marked alike"
    if signed:
        speaking = [name for name in highest if means[name] > 0]
        against = lowest if means[lowest] < 0 else "no part"
        said = f"for the same person: {', '.join(speaking) or 'no part'}; against: {against}"
    else:
        said = f"marked most: {', '.join(highest)}; least: {lowest}"
    sided = any(word in said.replace(",", " ").split() for word in ("left", "right"))
    return f"{said} ({SIDES_NOTE})" if sided else said
