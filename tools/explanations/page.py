"""The page of the benchmark: tables, what they mean, and the curves."""

from collections.abc import Sequence

from tools.explanations.drawn_pairs import SEED
from tools.explanations.figure import draw_curves
from tools.explanations.rows import CONTROL, CurvePoint, Measure
from tools.explanations.run import Found
from tools.explanations.summary import curve_points, measures
from tools.explanations.tables import (
    checks_table,
    dissimilarity_table,
    faithfulness_table,
    gains_table,
    kinds_table,
    statements,
)
from tools.paper.part import Part
from tools.paper.tables import on
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.verifier import DEFAULT_FMR

NAME = "explanations"
CSV, CURVES_CSV = f"{NAME}.csv", f"{NAME}-curves.csv"
HOW = (
    "A method explains, and is judged by, the preset and score of its line. Areas are those under "
    "the accuracy of that verifier, at its preset's threshold for FMR "
    f"{DEFAULT_FMR:g}, while the pixels that a map calls most similar are removed from both faces "
    "(deletion: the smaller the area, the better) or alone revealed (insertion: the greater); for "
    "dissimilarity, the most dissimilar ones of impostor pairs, where maps are signed. Two faces "
    "of which nothing is left are alike, and so accepted.",
    "A verifier that bears more has greater areas whatever the map, so areas compare maps of one "
    f"verifier. Gains are over the map `{CONTROL}` on the same verifier, pair by pair, and places "
    "go by gains; above 0 is better. The random map is one for both faces: to take away different "
    "places of each hurts a score more, from which methods gain whose two maps differ.",
    "Cell ablation is the mean rank correlation between a map of face A, pooled to 7×7 cells, and "
    "the drop of the score when each cell is covered.",
    "Sanity: rank correlation with the map of the same pair after all weights were shuffled, and "
    "with that of faces moved by a pixel; the greatest difference of a map when A and B change "
    "places.",
    "Intervals are of 95 %, by the bootstrap over pairs; they take the pairs as drawn "
    "independently, and are not widened for the number of comparisons.",
    "Cost: medians over pairs; each explanation was timed right after a plain verification of the "
    "same pair by the baseline. Methods that can explain any verifier were timed in TFLite, "
    "beside a verification in TFLite; the others in TensorFlow.",
)


def page(found: Sequence[Found], vset: VerificationSet) -> Part:
    """Return everything that was measured of all contenders on pairs of a set."""
    rows = measures(found, vset.fingerprint)
    points = curve_points(found, vset.fingerprint)
    bodies = (
        faithfulness_table(rows),
        statements(rows),
        f"## Gain over a random map\n\n{gains_table(rows)}",
        f"## The same on genuine and on impostor pairs\n\n{kinds_table(rows)}",
        f"## Dissimilarity maps, on impostor pairs\n\n{dissimilarity_table(rows)}",
        f"## Sanity and cost\n\n{checks_table(rows)}",
    )
    same, checked = found[0].same, len(found[0].checked)
    drawn = (
        f"{len(same):,} pairs, {same.sum():,} of them genuine, were drawn from the set by seed "
        f"{SEED}; sanity is of {checked} of them."
    )
    presets = dict.fromkeys((row.preset, row.preset_sha256) for row in rows)
    return Part(
        NAME,
        "How faithful explanations of face verification are",
        "\n\n".join(body for body in bodies if body),
        [
            *on(vset),
            drawn,
            *HOW,
            *(f"Preset `{name}`: weights SHA-256 {digest}." for name, digest in presets),
        ],
        {CSV: (Measure, rows), CURVES_CSV: (CurvePoint, points)},
        draw_curves(points),
    )
