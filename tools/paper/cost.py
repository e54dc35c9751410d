"""What xCos costs: the time for one pair with and without it, in one run side by side."""

from tools.benchmark import verification_ratio
from tools.paper import published
from tools.paper.bench import Bench
from tools.paper.figures import draw_costs
from tools.paper.part import Part
from tools.paper.rows import MEASURED, NOT_RUN, OURS, PAPER, PRINTED, Cost
from xcos_tf.evaluation.results_text import markdown_table
from xcos_tf.evaluation.subject import open_subjects

ROUNDS = 50
PRESETS = ("mobilefacenet", "xcos-mobilefacenet")  # that tools/benchmark.py takes


def cost(bench: Bench) -> list[Part]:
    """Measure the ratio on this machine, by both bundled presets if they are asked for."""
    rows = [Cost(PAPER, PRINTED, *published.COST_MS)]
    baseline, xcos = PRESETS
    if {baseline, xcos} <= set(bench.presets):
        seconds = verification_ratio(ROUNDS)
        hashes = [subject.sha256 for subject in open_subjects([xcos, baseline])]
        milliseconds = [1000 * x for x in seconds]
        rows.append(Cost(OURS, MEASURED, *milliseconds, xcos, baseline, *hashes))
    else:
        rows.append(Cost(OURS, f"{NOT_RUN}: it takes the presets {baseline} and {xcos}"))
    notes = [
        "Ours: an aligned pair on this machine, medians of alternating calls, as by "
        f"`python tools/benchmark.py --rounds {ROUNDS}`; `{xcos}` with its maps against "
        f"`{baseline}`.",
        "The paper's: an i7-3770 and a GTX 1080 Ti. Milliseconds of two machines do not compare; "
        "ratios do.",
        *(
            f"Preset `{name}`: weights SHA-256 {digest}."
            for name, digest in bench.hashes()
            if name in PRESETS
        ),
    ]
    return [
        Part(
            "cost",
            "Time for one pair without and with xCos",
            cost_table(rows),
            notes,
            {"cost.csv": (Cost, rows)},
            draw_costs(rows),
        )
    ]


def cost_table(rows: list[Cost]) -> str:
    """Return the times and their ratio, as Markdown."""
    lines = []
    for row in rows:
        if row.without_ms is None:
            lines.append([row.source, *[NOT_RUN] * 3])
        else:
            ratio = row.with_ms / row.without_ms
            lines.append(
                [row.source, f"{row.without_ms:.1f}", f"{row.with_ms:.1f}", f"{ratio:.2f}"]
            )
    return markdown_table(["who", "without, ms", "with xCos, ms", "ratio"], lines)
