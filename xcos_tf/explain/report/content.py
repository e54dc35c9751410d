"""What the page says in words: measurements as text, ready for the template."""

from collections.abc import Sequence

import numpy as np

from xcos_tf.evaluation.matcher import FLATTENED
from xcos_tf.evaluation.measurement import (
    Measurement,
    ScoredPairs,
    UnderOcclusion,
    at_default_fmr,
)
from xcos_tf.evaluation.results_text import NOT_MEASURED, percent, rate_name
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.explain.report.charts import Score
from xcos_tf.explain.words import as_number
from xcos_tf.models.preset_threshold import PLAIN_COSINE

Results = Sequence[tuple[ScoredPairs, Measurement]]

WITHOUT_MAPS = (FLATTENED, PLAIN_COSINE)


def score_of(row: ScoredPairs | UnderOcclusion) -> Score:
    """Return what a row is about."""
    return Score(row.preset, row.score)


def by_score(rows: Sequence[UnderOcclusion]) -> dict[Score, list[UnderOcclusion]]:
    """Return the rows of each score, from the least to the most that is covered."""
    lines = {score_of(row): [] for row in rows}  # in the order in which the scores were given
    for row in sorted(rows, key=lambda row: row.share):
        lines[score_of(row)].append(row)
    return lines


def occlusion_table(
    lines: dict[Score, list[UnderOcclusion]],
) -> tuple[list[str], dict[Score, list[str]]]:
    """Return the heading's shares, and the accuracies of each score."""
    shares = sorted({row.share for rows in lines.values() for row in rows})
    table = {}
    for score, rows in lines.items():
        known = {row.share: percent(row.accuracy, row.accuracy_std) for row in rows}
        table[score] = [known.get(share, NOT_MEASURED) for share in shares]
    return [f"{100 * share:g} %" for share in shares], table


def set_facts(vset: VerificationSet, results: Results) -> dict[str, str]:
    """Return what was measured on, by name."""
    measured, pairs = results[0][1], vset.pairs
    photos = f"{len(vset.photos):,}, {'aligned faces' if vset.aligned else 'aligned on the way'}"
    kinds = f"{len(pairs):,} ({measured.genuine:,} genuine, {measured.impostor:,} impostor)"
    if vset.videos is None:
        sizes = {"Pairs": kinds, "Photos": photos}
    else:
        sizes = {
            "Pairs": f"{kinds} of videos",
            "Videos": f"{len(pairs.photos):,}",
            "Frames": photos,
        }
    return sizes | {
        "Folds": f"{len(np.unique(pairs.fold))}",
        "Left out": f"{len(vset.skipped):,}" if vset.skipped else "nothing",
        "Fingerprint": vset.fingerprint,
    }


def summary(vset: VerificationSet, results: Results) -> list[str]:
    """Return in sentences which score did best, and what the best preset's threshold does."""
    best, measured = max(results, key=_merit)
    if measured.accuracy is None:
        said = f"On {vset.name}, {score_of(best)} reaches an AUC of {_worth(measured)}"
    else:
        said = f"On {vset.name}, {score_of(best)} judges {_worth(measured)} of the pairs rightly"
    if sum(_headline(x) == _headline(measured) for _, x in results) > 1:
        said += f", and none of {len(results)} scores does better"
    elif len(results) > 1:
        said += f", the most of {len(results)} scores"
    explained = [result for result in results if result[0].score not in WITHOUT_MAPS]
    if explained and best.score in WITHOUT_MAPS:
        scored, with_maps = max(explained, key=_merit)
        said += (
            f"; of those that show what they are made of, none does better than "
            f"{score_of(scored)}, with {_worth(with_maps)}"
        )
    sentences = [f"{said}."]
    if at := at_default_fmr(measured.at_threshold):
        sentences.append(
            f"At its threshold for FMR 1e-3 ({as_number(at.threshold, 2)}), {score_of(best)} takes "
            f"{as_number(100 * at.fmr.value, 2)} % of the impostor pairs for one person and "
            f"{as_number(100 * at.fnmr.value, 2)} % of the genuine pairs for two."
        )
    return sentences


def remarks(results: Results) -> list[str]:
    """Return why cells of the table of metrics are empty, where any are."""
    measured = results[0][1]
    said = []
    if measured.accuracy is None:
        said.append(
            "There is no accuracy: it needs at least two folds, with pairs of both kinds in each."
        )
    unseen = [far for far, rate in measured.tar_at_far.items() if rate is None]
    if unseen:
        said.append(
            f"TAR at FAR {', '.join(map(rate_name, unseen))} cannot be observed on "
            f"{measured.impostor:,} impostor pairs: a rate takes at least one in so many."
        )
    rates = [rate for _, x in results for rate in x.tar_at_far.values() if rate]
    if any(rate.low == 0 < rate.value for rate in rates):
        said.append(
            "Where an interval begins at 0, there are too few impostor pairs to say what TAR is at "
            "least."
        )
    return said


def _merit(result: tuple[ScoredPairs, Measurement]) -> tuple[float, float]:
    _, measured = result
    return _headline(measured), measured.auc


def _headline(measured: Measurement) -> float:
    """Return what the summary states; folds, and so accuracy, are there for all scores or none."""
    return measured.auc if measured.accuracy is None else measured.accuracy


def _worth(measured: Measurement) -> str:
    if measured.accuracy is None:
        return as_number(measured.auc, 4)
    return f"{percent(measured.accuracy, measured.accuracy_std)} %"
