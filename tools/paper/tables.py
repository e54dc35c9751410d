"""Tables 1 and 2 and Fig. 5 (a): accuracy of all presets on the paper's sets, beside its own."""

from collections.abc import Sequence

from tools.paper import published
from tools.paper.bench import Bench
from tools.paper.data_folder import NotThere
from tools.paper.figures import draw_column, draw_sets, row_label
from tools.paper.part import Part, of_presets, pivot
from tools.paper.rows import DRAWN, MEASURED, NOT_RUN, OURS, PAPER, PRINTED, Accuracy
from xcos_tf.evaluation.measure import measure
from xcos_tf.evaluation.measurement import ScoredPairs
from xcos_tf.evaluation.protocol import score_set
from xcos_tf.evaluation.results_text import percent
from xcos_tf.evaluation.verification_set import VerificationSet

LETTERS = {"patched": "U", "correlated": "P", "learned": "L", "cosine": "baseline"}
"""The paper's names of what pairs are scored by."""


def tables(bench: Bench) -> list[Part]:
    """Measure all presets on all sets of Tables 1 and 2."""
    rows, notes = [], []
    for name, accuracies in published.TABLE_2.items():
        columns = zip(published.TABLE_2_COLUMNS, accuracies, strict=True)
        rows += [printed(name, column, accuracy) for column, accuracy in columns]
        of_set, notes_of_set = on_set(bench, name)
        rows += of_set
        notes += notes_of_set
    lfw = [printed("LFW", column, accuracy) for column, accuracy in published.TABLE_1.items()]
    lfw += [row for row in rows if row.set == "LFW" and row.source == OURS]
    presets = of_presets(bench)
    note_of_lfw = [note for note in notes if note.startswith("LFW: ")]
    return [
        Part(
            "table-1",
            "Table 1: accuracy on LFW",
            by_column(lfw, "accuracy on LFW, %"),
            [*note_of_lfw, *presets],
            {"table-1.csv": (Accuracy, lfw)},
            draw_column(lfw, "accuracy on LFW, %"),
        ),
        Part(
            "table-2",
            "Table 2: accuracy on all sets, %",
            by_set(rows),
            [*notes, *presets],
            {"table-2.csv": (Accuracy, rows)},
            draw_sets(rows, "accuracy, %"),
        ),
    ]


def figure_5a(bench: Bench) -> list[Part]:
    """Measure all presets on AR's faces with scarves and sunglasses."""
    rows, notes = on_set(bench, "AR")
    rows = [Accuracy("AR", PAPER, "all", DRAWN), *rows]
    of_paper = (
        f"The paper's set: {published.FIG_5A_IMAGES:,} images that MTCNN finds a face in, "
        f"{published.FIG_5A_PAIRS:,} genuine and as many impostor pairs drawn at random."
    )
    return [
        Part(
            "fig-5a",
            "Fig. 5 (a): accuracy on AR with scarves and sunglasses",
            by_column(rows, "accuracy on AR, %"),
            [*notes, of_paper, *of_presets(bench)],
            {"fig-5a.csv": (Accuracy, rows)},
            draw_column(rows, "accuracy on AR, %"),
        )
    ]


def on_set(bench: Bench, name: str) -> tuple[list[Accuracy], list[str]]:
    """Return our rows of one set, and notes on it that begin with its name."""
    try:
        vset = bench.open(name)
    except NotThere as reason:
        status = f"{NOT_RUN}: {reason}"
        rows = [Accuracy(name, OURS, preset, status, preset=preset) for preset in bench.presets]
        return [*rows, *of_missing(bench, name)], [f"{name}: {status}."]
    rows = [measured(name, vset, scored) for scored in score_set(bench.presets, vset, bench.cache)]
    return [*rows, *of_missing(bench, name)], [f"{name}: {note}" for note in on(vset)]


def measured(name: str, vset: VerificationSet, scored: ScoredPairs, share: float = 0.0) -> Accuracy:
    """Return the row of one score of one preset."""
    found = measure(scored, vset.pairs)
    rates = {}
    for far, attribute in ((1e-2, "tar_1e2"), (1e-3, "tar_1e3")):
        if rate := found.tar_at_far[far]:
            rates |= {
                attribute: rate.value,
                f"{attribute}_low": rate.low,
                f"{attribute}_high": rate.high,
            }
    return Accuracy(
        name,
        OURS,
        f"{scored.preset} {LETTERS.get(scored.score, scored.score)}",
        MEASURED,
        found.accuracy,
        found.accuracy_std,
        share,
        scored.preset,
        scored.score,
        found.auc,
        pairs=len(vset.pairs),
        preset_sha256=scored.sha256,
        set_sha256=vset.fingerprint,
        **rates,
    )


def printed(name: str, column: str, accuracy: float) -> Accuracy:
    """Return the row of a number of the paper's, given in per cent."""
    return Accuracy(name, PAPER, column, PRINTED, round(accuracy / 100, 4))


def of_missing(bench: Bench, name: str) -> list[Accuracy]:
    """Return a row of each preset that is not there."""
    return [
        Accuracy(name, OURS, preset, f"{NOT_RUN}: {reason}", preset=preset)
        for preset, reason in bench.missing.items()
    ]


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
    # A preset that was measured on any set has columns by its scores.
    known = {row.preset for row in rows if row.status == MEASURED}
    cells = [(row.set, row_label(row), cell(row)) for row in rows if not _is_bare(row, known)]
    return pivot(cells, "set", NOT_RUN)


def _is_bare(row: Accuracy, measured_presets: set[str]) -> bool:
    return row.status.startswith(NOT_RUN) and row.preset in measured_presets
