"""Fig. 5 (b): accuracy on LFW with one face of each pair covered, and who loses less."""

from collections.abc import Mapping, Sequence

import numpy as np

from tools.paper.data_folder import SEED
from tools.paper.figures import draw_shares
from tools.paper.rows import DRAWN, LETTERS, PAPER, Accuracy, Drop
from tools.paper.tables import ON_LFW, Bench, by_share, on_set
from tools.results import Report, minus, pivot
from xcos_tf.evaluation.measurement import ScoredPairs
from xcos_tf.evaluation.occluded import SHARES, score_occluded
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.evaluation.results_text import covered
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.metrics.rates import kfold_accuracy
from xcos_tf.models.preset_config import read_config
from xcos_tf.models.preset_folder import find_preset, namesake
from xcos_tf.models.preset_threshold import PLAIN_COSINE

RESAMPLES = 10_000
LESS, MORE, EQUAL = "loses less", "loses more", "no significant difference"


def figure_5b(bench: Bench) -> list[Report]:
    """Measure all presets on LFW at all shares, and compare each xCos preset with its baseline."""
    drops, found = [], {}

    def score(vset: VerificationSet) -> dict:
        found.update(score_occluded(bench.presets, vset, SHARES, SEED, bench.cache))
        drops.extend(_drops(bench, found, vset.pairs))
        return found

    rows, notes = on_set(bench, "LFW", score)
    rows.insert(0, Accuracy("LFW", PAPER, "all", DRAWN))
    compared = [drops_table(drops), statements(drops)] if drops else []
    words = {"tables": [by_share(rows), *compared], "notes": notes, "seed": SEED}
    words |= {"measured": found, "compared": drops, **bench.facts()}
    files = {"fig-5b.csv": (Accuracy, rows), "fig-5b-drops.csv": (Drop, drops)}
    return [Report("fig-5b", files, words, draw_shares(rows, ON_LFW))]


def drops_table(drops: Sequence[Drop]) -> str:
    """Return how many points more than its baseline each score loses, as Markdown."""
    cells = []
    for drop in drops:
        points = f"{100 * drop.difference:+.2f} ({100 * drop.low:+.2f} to {100 * drop.high:+.2f})"
        cells.append((_names(drop), covered(drop.share) if drop.share else "mean", minus(points)))
    return pivot(cells, "points lost more than the baseline (below 0: xCos loses less)", "")


def statements(drops: Sequence[Drop]) -> str:
    """Return, for each score, a sentence that says plainly whether xCos loses less."""
    lines, said = [], {LESS: "loses less than", MORE: "loses more than"}
    said[EQUAL] = "does not differ significantly from"
    for who in dict.fromkeys(map(_names, drops)):
        *of_shares, mean = sorted(
            (drop for drop in drops if _names(drop) == who), key=lambda drop: not drop.share
        )
        at = [
            f"{name} at {', '.join(f'{100 * x:.0f}' for x in shares)} %"
            for name in said
            if (shares := [x.share for x in of_shares if verdict(x) == name])
        ]
        lines.append(
            f"- {mean.preset} {LETTERS.get(mean.score, mean.score)} {said[verdict(mean)]} "
            f"{mean.baseline} over all shares: {100 * mean.lost:.2f} points against "
            f"{100 * mean.baseline_lost:.2f}. By share: {'; '.join(at)}."
        )
    return "\n".join(lines)


def _names(drop: Drop) -> str:
    return f"{drop.preset} {LETTERS.get(drop.score, drop.score)}, against {drop.baseline}"


def _drops(
    bench: Bench, found: Mapping[float, Sequence[ScoredPairs]], pairs: PairSet
) -> list[Drop]:
    """Compare every score of an xCos preset with its `namesake`, if both are there."""
    by_share: dict[tuple[str, str], dict[float, ScoredPairs]] = {}
    for share, results in found.items():
        for x in results:
            by_share.setdefault((x.preset, x.score), {})[share] = x
    names = {preset: read_config(find_preset(preset))["name"] for preset in bench.presets}
    by_name = {name: preset for preset, name in names.items()}
    drops = []
    for (preset, _), of_xcos in by_share.items():
        name, plain = names[preset], namesake(names[preset])
        baseline = by_share.get((by_name.get(plain), PLAIN_COSINE))
        if plain != name and baseline:
            drops += compare_drops(of_xcos, baseline, pairs)
    return drops


def compare_drops(
    of_xcos: Mapping[float, ScoredPairs], of_baseline: Mapping[float, ScoredPairs], pairs: PairSet
) -> list[Drop]:
    """Compare how much accuracy two ways to score lose, pair by pair.

    Each pair is judged by the threshold that is best on the other folds at the same share. The
    interval of the difference is the bootstrap's over pairs, with thresholds as they are. Both are
    {share of one face that is covered: scores}, with the same shares, 0 among them.

    Returns:
        A row for each share above 0, and last one for their mean, as share 0.
    """
    lost, baseline_lost = _lost(of_xcos, pairs), _lost(of_baseline, pairs)
    first, second = of_xcos[0.0], of_baseline[0.0]
    rows = []
    for share, of_pair in lost.items():
        difference = of_pair - baseline_lost[share]
        means = (float(x.mean()) for x in (of_pair, baseline_lost[share], difference))
        interval = interval_of_mean(difference)
        rows.append(Drop(first.preset, second.preset, first.score, share, *means, *interval))
    return rows


def verdict(drop: Drop) -> str:
    """Return whether the first loses less, more, or neither can be said with 95 % confidence."""
    if drop.high < 0:
        return LESS
    return MORE if drop.low > 0 else EQUAL


def interval_of_mean(values: np.ndarray) -> tuple[float, float]:
    """Return the 95 % percentile interval of a mean, by the bootstrap.

    Source: B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3.
    The values, float (P,), are few distinct ones, so that it is enough to draw how many of each.
    """
    levels, counts = np.unique(values.round(9), return_counts=True)
    shares = counts / len(values)
    drawn = np.random.default_rng(0).multinomial(len(values), shares, size=RESAMPLES)
    low, high = np.quantile(drawn @ levels / len(values), (0.025, 0.975))
    return float(low), float(high)


def _lost(by_share: Mapping[float, ScoredPairs], pairs: PairSet) -> dict[float, np.ndarray]:
    """Return {share above 0: what is lost of each pair}, and last the mean over them, as share 0.

    It is 1 where a pair is judged wrongly since it is covered, −1 where rightly since then, (P,).
    """
    right = {}
    for share, scored in by_share.items():
        thresholds = kfold_accuracy(scored.values, pairs.same, pairs.fold).thresholds
        of_pair = thresholds[np.unique(pairs.fold, return_inverse=True)[1]]
        right[share] = ((scored.values.astype(np.float64) >= of_pair) == pairs.same).astype(float)
    lost = {share: right[0.0] - right[share] for share in right if share > 0}
    return {**lost, 0.0: np.mean(list(lost.values()), axis=0)}
