"""The charts with what has to be said about them: captions, and texts for who cannot see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from xcos_tf.evaluation.measurement import Measurement, UnderOcclusion
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.explain.notation import as_number
from xcos_tf.explain.report.charts import draw_det, draw_histogram, draw_occlusion, draw_roc
from xcos_tf.explain.report.content import Results, score_of
from xcos_tf.explain.report.gallery import stated_threshold
from xcos_tf.explain.report.pictures import figure_uri
from xcos_tf.explain.report.styles import Score, Style
from xcos_tf.metrics.curves import det

_SUMMARY_RATE = 1e-3


@dataclass(frozen=True)
class Illustration:
    """A chart in the page.

    Attributes:
        uri: the picture.
        alt: what it shows, for who cannot see it.
        caption: what one sees.
        title: above it.
        score: what it is about, if it is about one.
    """

    uri: str
    alt: str
    caption: str
    title: str = ""
    score: Score | None = None


def illustrate_curves(
    vset: VerificationSet, results: Results, styles: Mapping[Score, Style]
) -> list[Illustration]:
    """Return the ROC and the DET curves of all scores."""
    same = vset.pairs.same
    curves = {score_of(scored): det(scored.values, same) for scored, _ in results}
    measured = results[0][1]
    tars = [f"{score_of(scored)} {_tar(measured)}" for scored, measured in results]
    eers = [f"{score_of(scored)} {as_number(100 * x.eer, 2)} %" for scored, x in results]
    return [
        Illustration(
            figure_uri(draw_roc(curves, styles, measured.impostor)),
            f"ROC curves. TAR at FAR {_SUMMARY_RATE:g}: {'; '.join(tars)}.",
            "How many genuine pairs are accepted (TAR) where so many impostor pairs are (FMR, on "
            "a logarithmic axis). The further up, the better. Each step on the left is one of "
            f"{measured.impostor:,} impostor pairs.",
            "ROC",
        ),
        Illustration(
            figure_uri(draw_det(curves, styles, measured.impostor, measured.genuine)),
            f"DET curves. Equal error rate: {'; '.join(eers)}.",
            "The two errors traded for each other, both on normal-deviate axes. The further down "
            "and to the left, the better. On the grey line they are equal (EER).",
            "DET",
        ),
    ]


def illustrate_histograms(
    vset: VerificationSet, results: Results, styles: Mapping[Score, Style]
) -> list[Illustration]:
    """Return a histogram for each score, all on one axis of scores."""
    same = vset.pairs.same
    values = [scored.values for scored, _ in results]
    low, high = (float(end) for end in (np.min(values), np.max(values)))
    margin = 0.02 * (high - low) or 0.1
    illustrations = []
    for scored, _ in results:
        score, threshold = score_of(scored), stated_threshold(scored)
        figure = draw_histogram(
            scored.values, same, (low - margin, high + margin), styles[score], threshold
        )
        medians = [as_number(float(np.median(scored.values[kind])), 2) for kind in (same, ~same)]
        alt = (
            f"Histogram of the scores of {score}: the median is {medians[0]} for genuine and "
            f"{medians[1]} for impostor pairs."
        )
        caption = _errors_at(scored.values, same, threshold)
        illustrations.append(Illustration(figure_uri(figure), alt, caption, str(score), score))
    return illustrations


def illustrate_occlusion(
    lines: Mapping[Score, Sequence[UnderOcclusion]], styles: Mapping[Score, Style]
) -> Illustration:
    """Return accuracy under occlusion of all scores."""
    changes = []
    for score, rows in lines.items():
        first, last = (
            f"{as_number(100 * row.accuracy, 2)} % at {100 * row.share:g} %"
            for row in (rows[0], rows[-1])
        )
        changes.append(f"{score} from {first} covered to {last}")
    return Illustration(
        figure_uri(draw_occlusion(lines, styles)),
        f"Accuracy under occlusion: {'; '.join(changes)}.",
        "Accuracy where one face of each pair is covered in part; the flatter the line, the less "
        "a score suffers. The bars are ± one standard deviation over folds.",
    )


def _tar(measured: Measurement) -> str:
    rate = measured.tar_at_far[_SUMMARY_RATE]
    return "could not be observed" if rate is None else f"{as_number(100 * rate.value, 2)} %"


def _errors_at(values: np.ndarray, same: np.ndarray, threshold: float | None) -> str:
    if threshold is None:
        return "The preset states no threshold for FMR 1e-3 for this score."
    accepted = values.astype(np.float64) >= threshold
    return (
        f"At the preset’s threshold for FMR 1e-3 ({as_number(threshold, 2)}), "
        f"{np.sum(accepted & ~same):,} of {np.sum(~same):,} impostor pairs are accepted and "
        f"{np.sum(~accepted & same):,} of {np.sum(same):,} genuine pairs rejected."
    )
