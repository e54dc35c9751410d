"""Maps, numbers and names in words: which parts of the faces agree, and what those weighed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from xcos_tf.explain.regions import region_masks, region_means

if TYPE_CHECKING:
    from xcos_tf.explain.explanation import Explanation

# A region with less of the weight hardly moved the score, so it is not what a reader should hear.
NEGLIGIBLE_SHARE = 0.01
# Regions that differ by less look the same to two decimals.
NOTICEABLE_DIFFERENCE = 0.005
# A guessed drop of this size has the right sign nine times in ten, smaller ones less often.
TRUSTED_DROP = 0.02
_NAMED = 2  # regions of each kind
SIDES_NOTE = "left and right as seen in the picture"


def enough_decimals(score: float, threshold: float) -> tuple[str, str]:
    """Return both with two decimals, or as many as show that they differ, up to six."""
    for decimals in range(2, 7):
        shown = as_number(score, decimals), as_number(threshold, decimals)
        if shown[0] != shown[1]:
            return shown
    return as_number(score, 2), as_number(threshold, 2)


def as_number(value: float, decimals: int) -> str:
    """Return a value with so many decimals, a proper minus sign, and no sign for zero."""
    text = f"{value:.{decimals}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def as_sentence(text: str) -> str:
    """Return a text with a capital letter and a full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def short_title(title: str, longest: int = 27) -> str:
    """Return a title in printable letters on one line, its middle left out if it is too long."""
    # File names need not be valid Unicode, nor free of line breaks.
    title = str(title).encode("utf-8", "replace").decode("utf-8")
    title = "".join(letter if letter.isprintable() else " " for letter in title).strip()
    if len(title) <= longest:
        return title
    return f"{title[: longest // 2]}…{title[-(longest // 2) :]}"


class RegionSummary(NamedTuple):
    """What the maps say about one part of the face; left and right are the viewer's.

    Attributes:
        similarity: mean of S over its cells, weighted by W, in [−1, 1]; the plain mean where W is
            all 0 there.
        weight_share: its share of all weight, in [0, 1]; shares sum to 1 (unless all are 0).
    """

    name: str
    similarity: float
    weight_share: float


def region_summary(similarity_map: np.ndarray, attention_map: np.ndarray) -> list[RegionSummary]:
    """Return what the maps say about each part of the face, from top left to bottom right.

    Args:
        similarity_map: S, float (h, w) in [−1, 1].
        attention_map: W, float (h, w). A negative weight, which P can have, counts for the mean
            and the share by its size.

    Raises:
        ValueError: the shapes differ or are not (h, w), or a value is not finite.
    """
    similarity, attention = check_maps(similarity_map, attention_map)
    size = np.abs(attention)
    means, masks = region_means(similarity, size), region_masks(*size.shape)
    total = float(size.sum()) or 1.0
    return [RegionSummary(x, means[x], float(size[masks[x]].sum()) / total) for x in means]


def describe_maps(similarity_map: np.ndarray, attention_map: np.ndarray) -> str:
    """Say in one sentence which parts of two faces are most and least alike.

    For example "most alike: nose bridge, left eye; least alike: mouth, which carried 14 % of the
    weight (left and right as seen in the picture)". Parts with under 1 % of the weight are passed
    over. Of equally similar parts the one with more weight is named first, then the one further
    up, then the one further left. The sentence has no capital letter and no full stop.

    Arguments and errors are those of `region_summary`.
    """
    regions = region_summary(similarity_map, attention_map)
    counted = [region for region in regions if region.weight_share >= NEGLIGIBLE_SHARE] or regions
    values = [region.similarity for region in counted]
    if len(counted) == 1:
        sentence = f"the {counted[0].name} alone decided, with similarity {as_number(values[0], 2)}"
    elif max(values) - min(values) < NOTICEABLE_DIFFERENCE:
        mean = as_number(float(np.mean(values)), 2)
        return f"all parts of the face are equally alike, with similarity {mean}"
    else:
        sentence = _extremes(counted)
    return _with_sides(sentence)


def describe_drops(drops_a: np.ndarray, drops_b: np.ndarray, same: bool) -> str:
    """Say in one sentence which parts of the faces decided, by what covering them would do.

    For example "decided by: left cheek (+0.05), nose tip (+0.04); against: mouth (−0.02), by how
    much the score would drop if one cell there were covered (left and right as seen in the
    picture)". Of each part the cell speaks whose mean drop of both faces is greatest, for or
    against: cells do not add up. Where people differ, it is decided by what speaks against. A cell
    under `TRUSTED_DROP` is not named.

    Args:
        drops_a, drops_b: float (h, w), as by `Verifier.score_drops`.
        same: the verdict.

    Raises:
        ValueError: the shapes differ or are not (h, w), or a value is not finite.
    """
    drops_a, drops_b = check_maps(drops_a, drops_b)
    mean, masks = (drops_a + drops_b) / 2, region_masks(*drops_a.shape)
    strongest = {x: float(max(mean[inside], key=abs)) for x, inside in masks.items()}
    ordered = sorted(strongest, key=lambda name: -round(strongest[name], 6))
    speaking_for = [x for x in ordered if strongest[x] >= TRUSTED_DROP]
    against = [x for x in reversed(ordered) if strongest[x] <= -TRUSTED_DROP]
    sides = (speaking_for[:_NAMED], against[:1]) if same else (against[:_NAMED], speaking_for[:1])
    deciding, opposing = (_with_values(names, strongest) for names in sides)
    if not deciding and not opposing:
        return "no part decided alone: covering one cell would hardly move the score"
    said = f"decided by: {deciding or 'no part alone'}"
    if opposing:
        said += f"; against: {opposing}"
    return _with_sides(f"{said}, by how much the score would drop if one cell there were covered")


def explanation_sentence(explanation: "Explanation") -> str:
    """Say in words what a map of the pair shows; empty where each face has its own.

    Of xCos: the parts that add most to the score and the one that takes most from it, each with the
    sum of S·W over its cells. Of any other: the parts whose mean is highest, and lowest.
    """
    if not explanation.per_pair:
        return ""
    if explanation.similarity_map is None:
        return as_sentence(_marked_most(explanation.map_a, explanation.signed))
    cells = explanation.similarity_map * explanation.attention_map
    sums = {x: float(cells[inside].sum()) for x, inside in region_masks(*cells.shape).items()}
    ordered = sorted(sums, key=lambda name: -round(sums[name], 6))
    adding = [x for x in ordered[:_NAMED] if sums[x] >= NOTICEABLE_DIFFERENCE]
    taking = [x for x in ordered[-1:] if sums[x] <= -NOTICEABLE_DIFFERENCE]
    said = f"adds most to the score: {_with_values(adding, sums) or 'no part'}"
    if taking:
        said += f"; takes most from it: {_with_values(taking, sums)}"
    return as_sentence(_with_sides(said))


def check_maps(similarity_map, attention_map) -> tuple[np.ndarray, np.ndarray]:
    """Return S and W as float64 (h, w).

    Raises:
        ValueError: the shapes differ or are not (h, w), or a value is not finite.
    """
    similarity = np.asarray(similarity_map, np.float64)
    attention = np.asarray(attention_map, np.float64)
    if similarity.ndim != 2 or similarity.shape != attention.shape or not similarity.size:
        raise ValueError(
            "Expected two maps of the same shape (h, w). "
            f"Received: {similarity.shape=}, {attention.shape=}"
        )
    if not (np.isfinite(similarity).all() and np.isfinite(attention).all()):
        raise ValueError(f"Expected finite maps. Received: {similarity=}, {attention=}")
    return similarity, attention


def _extremes(regions: list[RegionSummary]) -> str:
    """Name the best one or two regions, and the worst, of at least two that differ."""
    # Rounded, so that rounding errors do not decide between equals; sorting keeps their order.
    best = sorted(regions, key=lambda r: (-round(r.similarity, 6), -round(r.weight_share, 6)))
    worst = min(regions, key=lambda r: (round(r.similarity, 6), -round(r.weight_share, 6)))
    if best[0].similarity > 0:
        # The second is named if it can be called alike too: nearer to the best than to the worst.
        middle = (best[0].similarity + worst.similarity) / 2
        alike = [region.name for region in best[:2] if region.similarity > max(0.0, middle)]
        opening = f"most alike: {', '.join(alike)}"
    else:
        opening = f"no part is alike, the {best[0].name} comes closest"
    share = f"{100 * worst.weight_share:.0f} % of the weight"
    return f"{opening}; least alike: {worst.name}, which carried {share}"


def _marked_most(values: np.ndarray, signed: bool) -> str:
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
    return _with_sides(said)


def _with_values(names: Sequence[str], values: Mapping[str, float]) -> str:
    """Return names with their values, such as "mouth (−0.02), chin (+0.10)"."""
    return ", ".join(f"{x} ({values[x]:+.2f})" for x in names).replace("(-", "(−")


def _with_sides(sentence: str) -> str:
    """Return a sentence that says whose left and right it speaks of, if it does."""
    sided = not {"left", "right"}.isdisjoint(sentence.replace(",", " ").split())
    return f"{sentence} ({SIDES_NOTE})" if sided else sentence
