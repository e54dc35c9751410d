"""Tables 1 and 2, Fig. 5 (a) and the cost of xCos, ours beside the paper's own."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tools.benchmark import verification_ratio
from tools.paper import published
from tools.paper.data_folder import NotThere, open_paper_set
from tools.paper.figures import draw_column, draw_costs, draw_sets, row_label
from tools.paper.rows import DRAWN, LETTERS, MEASURED, NOT_RUN, OURS, PAPER, PRINTED, Accuracy, Cost
from tools.results import Report, minus, pivot, table
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.matcher import open_matchers
from xcos_tf.evaluation.measurement import ScoredPairs, measure
from xcos_tf.evaluation.protocol import score_set
from xcos_tf.evaluation.results_text import covered, markdown_table, percent
from xcos_tf.evaluation.score_cache import ScoreCache
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.metrics.intervals import format_rate
from xcos_tf.metrics.rates import Rate
from xcos_tf.models.preset_folder import DEFAULT_PRESET, find_preset, namesake

ROUNDS = 50
ON_LFW = "accuracy on LFW, %"
BASELINE, XCOS = "mobilefacenet", DEFAULT_PRESET  # whose cost is compared
SCORES = {"cosine": "cosine", "flattened": "cosine of the flattened grid"}
WHERE = {"patched": "uniform", "correlated": "correlated", "learned": "learned"}
SCORES |= {name: f"xCos, {word} attention ({LETTERS[name]})" for name, word in WHERE.items()}


class Bench:
    """A folder of sets, the presets that are there, why others are `missing`, and kept scores."""

    def __init__(self, data: Path, presets: Sequence[str], cache: Path):
        """Look for the presets.

        Raises:
            XcosError: there is no such folder of sets, or the cache cannot be made.
        """
        if not data.is_dir():
            raise XcosError(f"there is no folder {data}; give the one that holds the test sets")
        self.data, self.presets, self.missing = data, [], {}
        self.cache = ScoreCache(cache)
        for preset in dict.fromkeys(presets):
            try:
                find_preset(preset)
                self.presets.append(preset)
            except XcosError:
                self.missing[preset] = f"there is no preset {preset}"

    def facts(self) -> dict[str, object]:
        """Return what every page says: of the presets, and of those that are not there."""
        presets = [(x.name, x.sha256) for x in open_matchers(self.presets)]
        return {"presets": presets, "missing": self.missing.values()}


def tables(bench: Bench) -> list[Report]:
    """Measure all presets on all sets of Tables 1 and 2."""
    rows, notes = [], []
    for name, accuracies in published.TABLE_2.items():
        columns = zip(published.TABLE_2_COLUMNS, accuracies, strict=True)
        of_set, notes_of_set = on_set(bench, name)
        rows += [*(printed(name, *column) for column in columns), *of_set]
        notes += notes_of_set
    lfw = [printed("LFW", *column) for column in published.TABLE_1.items()]
    lfw += [row for row in rows if row.set == "LFW" and row.source == OURS]
    of_lfw = [note for note in notes if note.startswith("LFW: ")]
    return [
        _report(bench, "table-1", lfw, of_lfw, by_column(lfw, ON_LFW), draw_column(lfw, ON_LFW)),
        _report(bench, "table-2", rows, notes, by_set(rows), draw_sets(rows, "accuracy, %")),
    ]


def _report(bench: Bench, name: str, rows, notes, table: str, figure) -> Report:
    words = {"table": table, "notes": notes, **bench.facts()}
    return Report(name, {f"{name}.csv": (Accuracy, rows)}, words, figure)


def figure_5a(bench: Bench) -> list[Report]:
    """Measure all presets on AR's faces with scarves and sunglasses."""
    rows, notes = on_set(bench, "AR")
    rows = [Accuracy("AR", PAPER, "all", DRAWN), *rows]
    what = "accuracy on AR, %"
    return [_report(bench, "fig-5a", rows, notes, by_column(rows, what), draw_column(rows, what))]


def cost(bench: Bench) -> list[Report]:
    """Measure the time for one pair with and without xCos, in one run side by side."""
    rows = [Cost(PAPER, PRINTED, *published.COST_MS)]
    presets = {BASELINE, XCOS} & set(bench.presets)
    hashes = {x.name: x.sha256 for x in open_matchers(bench.presets) if x.name in presets}
    if len(hashes) == 2:
        times = [1000 * x for x in verification_ratio(ROUNDS)]
        rows.append(Cost(OURS, MEASURED, *times, XCOS, BASELINE, hashes[XCOS], hashes[BASELINE]))
    else:
        rows.append(Cost(OURS, f"{NOT_RUN}: it takes the presets {BASELINE} and {XCOS}"))
    words = {"table": cost_table(rows), "rounds": ROUNDS, "xcos": XCOS, "baseline": BASELINE}
    words |= {"presets": hashes.items(), "missing": ()}
    return [Report("cost", {"cost.csv": (Cost, rows)}, words, draw_costs(rows))]


def cost_table(rows: Sequence[Cost]) -> str:
    """Return the times and their ratio, as Markdown."""
    lines = []
    for row in rows:
        times = [NOT_RUN] * 3
        if row.without_ms is not None:
            ratio = row.with_ms / row.without_ms
            times = [f"{row.without_ms:.1f}", f"{row.with_ms:.1f}", f"{ratio:.2f}"]
        lines.append([row.source, *times])
    return markdown_table(["who", "without, ms", "with xCos, ms", "ratio"], lines)


def on_set(
    bench: Bench, name: str, score: Callable[[VerificationSet], Mapping] | None = None
) -> tuple[list[Accuracy], list[str]]:
    """Return our rows of one set, and notes on it that begin with its name.

    `score` returns {share of a face that is covered: scores}, by default of faces as they are.
    """
    missing = dict(bench.missing)
    try:
        vset = open_paper_set(bench.data, name)
    except NotThere as reason:
        missing = {**dict.fromkeys(bench.presets, reason), **missing}
        rows, notes = [], [f"{NOT_RUN}: {reason}."]
    else:
        found = score(vset) if score else {0.0: score_set(bench.presets, vset, bench.cache)}
        rows = [measured(name, vset, x, share) for share, of in found.items() for x in of]
        notes = on(vset)
    rows += [
        Accuracy(name, OURS, preset, f"{NOT_RUN}: {reason}", preset=preset)
        for preset, reason in missing.items()
    ]
    return rows, [f"{name}: {note}" for note in notes]


def measured(name: str, vset: VerificationSet, scored: ScoredPairs, share: float) -> Accuracy:
    """Return the row of one score of one preset."""
    found = measure(scored, vset.pairs)
    rates = (found.tar_at_far[far] for far in (1e-2, 1e-3))
    ends = [getattr(rate, end, None) for rate in rates for end in ("value", "low", "high")]
    column = f"{scored.preset} {LETTERS.get(scored.score, scored.score)}"
    return Accuracy(
        *(name, OURS, column, MEASURED, found.accuracy, found.accuracy_std, share),
        *(scored.preset, scored.score, found.auc, *ends, len(vset.pairs)),
        *(scored.sha256, vset.fingerprint),
    )


def printed(name: str, column: str, accuracy: float) -> Accuracy:
    """Return the row of a number of the paper's, given in per cent."""
    return Accuracy(name, PAPER, column, PRINTED, round(accuracy / 100, 4))


def on(vset: VerificationSet) -> list[str]:
    """Return notes on a set: its size and hash, what was left out, and choices made."""
    what = f"{len(vset.photos):,} photos"
    if vset.videos is not None:
        what = f"{len(vset.videos):,} videos, {len(vset.photos):,} frames"
    left_out = f" {len(vset.skipped):,} photos or pairs are left out." if vset.skipped else ""
    size = f"{len(vset.pairs):,} pairs of {what}; set SHA-256 {vset.fingerprint}.{left_out}"
    return [size, *vset.notes]


def cell(row: Accuracy) -> str:
    """Return a row's accuracy in per cent, or that there is none."""
    if row.status == PRINTED:
        return f"{100 * row.accuracy:.2f}"
    if row.status == MEASURED:
        return percent(row.accuracy, row.accuracy_std)
    return row.status.split(":")[0]


def by_column(rows: Sequence[Accuracy], what: str) -> str:
    """Return a Markdown table with a line for each column of the paper's and of ours."""
    return pivot([(row_label(row), what, cell(row)) for row in rows], "who", NOT_RUN)


def by_set(rows: Sequence[Accuracy]) -> str:
    """Return a Markdown table with a line for each set."""
    # A preset that was measured on any set has columns by its scores, and none by its name.
    known = {row.preset for row in rows if row.status == MEASURED}
    kept = [row for row in rows if not (row.status.startswith(NOT_RUN) and row.preset in known)]
    return pivot([(row.set, row_label(row), cell(row)) for row in kept], "set", NOT_RUN)


def by_share(rows: Sequence[Accuracy]) -> str:
    """Return accuracy by the share of a face that is covered, as Markdown."""
    cells = [(row_label(row), covered(row.share), cell(row)) for row in rows]
    return pivot(cells, "accuracy on LFW, %", "")


def occlusion_table(rows: Sequence[Accuracy]) -> str:
    """Return `by_share` of what was measured."""
    return by_share([row for row in rows if row.status == MEASURED])


def lfw_table(rows: Sequence[Accuracy]) -> str:
    """Return every measured score on LFW, with its gap to the preset's baseline."""
    rows = [x for x in rows if (x.set, x.source, x.status) == ("LFW", OURS, MEASURED)]
    baselines = {row.preset: row.accuracy for row in rows if row.score == "cosine"}

    def gap(row: Accuracy) -> str:
        baseline = baselines.get(namesake(row.preset))
        has_gap = baseline is not None and row.score != "cosine"
        return minus(f"{100 * (baseline - row.accuracy):.2f}") if has_gap else ""

    def rate(value: float | None, low: float, high: float) -> str:
        return "" if value is None else format_rate(Rate(value, low, high))

    columns = {
        "preset": lambda row: f"`{row.preset}`",
        "score": lambda row: SCORES[row.score],
        "LFW accuracy %": lambda row: percent(row.accuracy, row.accuracy_std),
        "gap to the baseline": gap,
        "AUC": lambda row: f"{row.auc:.4f}",
        "TAR at FAR 1e-2": lambda row: rate(row.tar_1e2, row.tar_1e2_low, row.tar_1e2_high),
        "TAR at FAR 1e-3": lambda row: rate(row.tar_1e3, row.tar_1e3_low, row.tar_1e3_high),
    }
    return table(rows, columns)
