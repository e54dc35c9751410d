"""Draw how training runs did on held-out people.

python tools/plot_training.py runs/a/metrics.csv [runs/b/metrics.csv ...] --out curves.png
"""

import argparse
import csv
import sys
from pathlib import Path

from xcos_tf.errors import XcosError

PANELS = {"eer": "equal error rate", "rmse": "RMS difference from the teacher's cosine"}
LINES = {"teacher": ("teacher's cosine", "0.4"), "patched": ("U", "C1"), "learned": ("L", "C0")}
STYLES = ("-", "--", ":", "-.")


def read_metrics(path: Path) -> dict[str, list[float]]:
    """Return the columns of a run's metrics.csv; an empty cell is NaN, which leaves a gap.

    Raises:
        XcosError: the file cannot be read, or lacks a column that is drawn, or holds no step.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = [
                {k: float("nan" if v == "" else v) for k, v in row.items()}
                for row in csv.DictReader(file)
            ]
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise XcosError(f"cannot read {path} ({error}); give a run's metrics.csv") from None
    if not rows or not {"step", "patched/eer", "learned/rmse"} <= rows[0].keys():
        raise XcosError(f"{path} does not hold a run's metrics; give a run's metrics.csv")
    return {name: [row[name] for row in rows] for name in rows[0]}


def draw(runs: dict[str, dict[str, list[float]]]):
    """Return a figure with a panel for each metric and a line style for each run."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, (metric, title) in zip(figure.subplots(1, len(PANELS)), PANELS.items(), strict=True):
        for (run, columns), style in zip(runs.items(), STYLES, strict=False):
            for name, (label, colour) in LINES.items():
                if f"{name}/{metric}" in columns:
                    axes.plot(
                        columns["step"],
                        columns[f"{name}/{metric}"],
                        style,
                        color=colour,
                        label=label if len(runs) == 1 else f"{label}, {run}",
                    )
        axes.set(xlabel="step", title=title)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside right", fontsize=7)
    return figure


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("metrics", type=Path, nargs="+", help="metrics.csv of up to four runs")
    parser.add_argument("--out", type=Path, required=True, help="picture to write")
    args = parser.parse_args(argv)
    try:
        if len(args.metrics) > len(STYLES):
            raise XcosError(f"{len(args.metrics)} runs are too many; give at most {len(STYLES)}")
        runs = {path.parent.name: read_metrics(path) for path in args.metrics}

        from xcos_tf.explain.figure import check_figure_path, save_figure

        check_figure_path(args.out)
        save_figure(draw(runs), args.out)
    except XcosError as error:
        print(f"plot_training: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
