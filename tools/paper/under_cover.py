"""Fig. 5 (b): accuracy on LFW with one face of each pair covered, and who loses less."""

from collections.abc import Mapping, Sequence

from tools.paper import published
from tools.paper.bench import Bench
from tools.paper.data_folder import SEED, NotThere
from tools.paper.drops import EQUAL, LESS, MORE, compare_drops, verdict
from tools.paper.figures import draw_shares, row_label
from tools.paper.part import Part, of_presets, pivot
from tools.paper.rows import DRAWN, NOT_RUN, OURS, PAPER, Accuracy, Drop
from tools.paper.tables import LETTERS, cell, measured, of_missing, on
from xcos_tf.evaluation.measurement import ScoredPairs
from xcos_tf.evaluation.occluded import SHARES, score_occluded
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.evaluation.results_text import covered
from xcos_tf.models.comparison import PLAIN_COSINE
from xcos_tf.models.presets import find_preset, read_config

XCOS_PREFIX = "xcos-"
HOW = (
    "Seeded free-form strokes cover one face of each pair; which face, and where, is the same for "
    f"all presets (seed {SEED}). Accuracy is the mean over folds, each at the threshold that is "
    "best on the others with as much covered."
)
HOW_COMPARED = (
    "xcos-NAME is compared with NAME, which was trained or left alone in the same way. Intervals "
    "are of 95 %, by the bootstrap over pairs with thresholds as they are; they take the pairs as "
    "drawn independently, although some share a person. A score that is worse to begin with has "
    "less to lose."
)


def figure_5b(bench: Bench) -> list[Part]:
    """Measure all presets on LFW at all shares, and compare each xCos preset with its baseline."""
    drops: list[Drop] = []
    try:
        vset = bench.open("LFW")
    except NotThere as reason:
        status = f"{NOT_RUN}: {reason}"
        rows = [Accuracy("LFW", OURS, preset, status, preset=preset) for preset in bench.presets]
        notes = [f"LFW: {status}."]
    else:
        by_share = score_occluded(bench.presets, vset, SHARES, SEED, bench.cache)
        rows = [
            measured("LFW", vset, scored, share)
            for share, results in by_share.items()
            for scored in results
        ]
        drops = _drops(bench, by_share, vset.pairs)
        notes = [*(f"LFW: {note}" for note in on(vset)), HOW, *([HOW_COMPARED] if drops else [])]
    rows = [Accuracy("LFW", PAPER, "all", DRAWN), *rows, *of_missing(bench, "LFW")]
    body = [accuracy_table(rows), *([drops_table(drops), statements(drops)] if drops else [])]
    return [
        Part(
            "fig-5b",
            "Fig. 5 (b): accuracy on LFW with one face of each pair covered in part",
            "\n\n".join(body),
            [*notes, f"The paper's claim: {published.FIG_5B_CLAIM}.", *of_presets(bench)],
            {"fig-5b.csv": (Accuracy, rows), "fig-5b-drops.csv": (Drop, drops)},
            draw_shares(rows, "accuracy on LFW, %"),
        )
    ]


def accuracy_table(rows: Sequence[Accuracy]) -> str:
    """Return accuracy by share, as Markdown."""
    cells = [(row_label(row), covered(row.share), cell(row)) for row in rows]
    return pivot(cells, "accuracy on LFW, %", "")


def drops_table(drops: Sequence[Drop]) -> str:
    """Return how many points more than its baseline each score loses, as Markdown."""
    cells = []
    for drop in drops:
        points = f"{100 * drop.difference:+.2f} ({100 * drop.low:+.2f} to {100 * drop.high:+.2f})"
        where = covered(drop.share) if drop.share else "mean"
        cells.append((_names(drop), where, points.replace("-", "−")))
    return pivot(cells, "points lost more than the baseline (below 0: xCos loses less)", "")


def statements(drops: Sequence[Drop]) -> str:
    """Return, for each score, a sentence that says plainly whether xCos loses less."""
    lines = []
    for who in dict.fromkeys(map(_names, drops)):
        of_who = [drop for drop in drops if _names(drop) == who]
        [mean] = [drop for drop in of_who if not drop.share]
        said = {LESS: "loses less than", MORE: "loses more than", EQUAL: "cannot be told from"}
        at = [
            f"{name} at {', '.join(f'{100 * x.share:.0f}' for x in shares)} %"
            for name in (LESS, MORE, EQUAL)
            if (shares := [x for x in of_who if x.share and verdict(x) == name])
        ]
        lines.append(
            f"- {mean.preset} {LETTERS.get(mean.score, mean.score)} {said[verdict(mean)]} "
            f"{mean.baseline} over all shares: {100 * mean.lost:.2f} points against "
            f"{100 * mean.baseline_lost:.2f}. It {'; '.join(at)}."
        )
    return "\n".join(lines)


def _names(drop: Drop) -> str:
    return f"{drop.preset} {LETTERS.get(drop.score, drop.score)}, against {drop.baseline}"


def _drops(
    bench: Bench, by_share: Mapping[float, Sequence[ScoredPairs]], pairs: PairSet
) -> list[Drop]:
    """Compare every score of a preset xcos-NAME with the preset NAME, if both are there."""
    by_name = {read_config(find_preset(preset))["name"]: preset for preset in bench.presets}
    drops = []
    for name, preset in by_name.items():
        baseline = _by_score(by_share, by_name.get(name.removeprefix(XCOS_PREFIX)))
        if name.startswith(XCOS_PREFIX) and PLAIN_COSINE in baseline:
            for of_xcos in _by_score(by_share, preset).values():
                drops += compare_drops(of_xcos, baseline[PLAIN_COSINE], pairs)
    return drops


def _by_score(
    by_share: Mapping[float, Sequence[ScoredPairs]], preset: str | None
) -> dict[str, dict[float, ScoredPairs]]:
    """Return {score: {share: scores}} of a preset."""
    found: dict[str, dict[float, ScoredPairs]] = {}
    for share, results in by_share.items():
        for scored in results:
            if scored.preset == preset:
                found.setdefault(scored.score, {})[share] = scored
    return found
