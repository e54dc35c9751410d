"""Draw how training runs did on held-out people.

python tools/plot_training.py runs/a/metrics.csv [runs/b/metrics.csv ...] --out curves.png
"""

import argparse
import sys
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.results import ended
from xcos_tf.errors import XcosError

PANELS = {"eer": "equal error rate", "rmse": "RMS difference from the teacher's cosine"}
LINES = {"teacher": ("teacher's cosine", "0.4"), "patched": ("U", "C1"), "learned": ("L", "C0")}
STYLES = ("-", "--", ":", "-.")


def read_metrics(path: Path) -> np.ndarray:
    """Return a run's metrics.csv as records; an empty cell is NaN, which leaves a gap.

    Raises:
        XcosError: the file cannot be read, or lacks a column that is drawn, or holds no step.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = np.genfromtxt(lines or ["step"], delimiter=",", names=True, deletechars="", ndmin=1)
        if {"step", "patched/eer", "learned/rmse"} <= set(rows.dtype.names) and len(rows):
            return rows
        reason = "it does not hold a run's metrics"
    except (OSError, ValueError) as error:
        reason = error
    raise XcosError(f"cannot read {path} ({reason}); give a run's metrics.csv")


def draw(runs: dict[str, np.ndarray]):
    """Return a figure with a panel for each metric and a line style for each run."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, (metric, title) in zip(figure.subplots(1, len(PANELS)), PANELS.items(), strict=True):
        for (run, rows), style in zip(runs.items(), STYLES, strict=False):
            for name, (label, colour) in LINES.items():
                if (column := f"{name}/{metric}") in rows.dtype.names:
                    label = label if len(runs) == 1 else f"{label}, {run}"
                    axes.plot(rows["step"], rows[column], style, color=colour, label=label)
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

    def do() -> None:
        if len(args.metrics) > len(STYLES):
            raise XcosError(f"{len(args.metrics)} runs are too many; give at most {len(STYLES)}")
        from xcos_tf.explain.canvas import check_figure_path, save_figure

        runs = {path.parent.name: read_metrics(path) for path in args.metrics}
        check_figure_path(args.out)
        save_figure(draw(runs), args.out)

    return ended("plot_training", do)


if __name__ == "__main__":
    sys.exit(main())
