"""`xcos evaluate --all-pairs FOLDER`: every face of a folder against every other."""

import json
import sys
import tempfile
from pathlib import Path


def run_all_pairs(folder: str, presets: list[str], templates: str | None, as_json: bool) -> int:
    """Measure every score of every preset on all pairs of a folder's faces, and print a table.

    Args:
        folder: of aligned faces, with a sub-folder for each person.
        presets: bundled names or preset folders; one alone if `templates` is given.
        templates: file that keeps the templates; read if it is there, else made. None: they are
            made anew each time and not kept.
        as_json: print everything, the histograms too, as JSON.

    Returns:
        The exit code.

    Raises:
        XcosError: see `make_templates` and `compare_all`.
    """
    from xcos_tf.errors import XcosError
    from xcos_tf.evaluation.all_pairs import compare_all
    from xcos_tf.evaluation.subject import open_subjects
    from xcos_tf.evaluation.template_making import make_templates

    subjects = open_subjects(presets)
    if templates and len(subjects) > 1:
        raise XcosError(
            f"--templates keeps templates of one preset and there are {len(subjects)}; choose one "
            "with --preset"
        )
    rows = []
    for subject in subjects:
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(templates) if templates else Path(temporary) / "templates.safetensors"
            try:
                store = make_templates(subject.verifier, folder, path)
            except KeyboardInterrupt:
                if templates:
                    print("\nstopped; the same command goes on from here", file=sys.stderr)
                raise
            for score in subject.scores:
                rows.append(_row(subject.name, store, compare_all(store, subject, score)))
    print(json.dumps(rows, indent=2, ensure_ascii=False) if as_json else _as_text(folder, rows))
    return 0


def _row(preset: str, store, pairs) -> dict:
    """Return everything of one score; shares are in [0, 1], None where there are no such pairs."""
    from xcos_tf.evaluation.all_pairs import ALL_PAIRS_FALSE_ACCEPT_RATES

    def entry(bounded_or_rate) -> dict | None:
        if bounded_or_rate is None:
            return None
        return {key: getattr(bounded_or_rate, key) for key in ("value", "low", "high")}

    return {
        "preset": preset,
        "sha256": store.info.weights,
        "score": pairs.score,
        "faces": len(store),
        "people": len(set(store.labels.tolist())),
        "skipped": [list(entry) for entry in store.info.skipped],
        "genuine": pairs.genuine_pairs,
        "impostor": pairs.impostor_pairs,
        "auc": entry(pairs.auc),
        "eer": entry(pairs.eer),
        "tar_at_far": {
            f"{far:g}": entry(pairs.tar_at_far(far)) for far in ALL_PAIRS_FALSE_ACCEPT_RATES
        },
        "at_threshold": {
            promised: {
                "threshold": threshold,
                "fmr": entry(pairs.fmr(promised)),
                "fnmr": entry(pairs.fnmr(promised)),
            }
            for promised, threshold in pairs.thresholds.items()
        },
        "histogram": {
            "low": -1,
            "high": 1,
            "genuine": pairs.genuine.tolist(),
            "impostor": pairs.impostor.tolist(),
        },
    }


def _as_text(folder: str, rows: list[dict]) -> str:
    first = rows[0]
    lines = [
        f"{first['genuine'] + first['impostor']:,} pairs ({first['genuine']:,} genuine, "
        f"{first['impostor']:,} impostor) of {first['faces']:,} faces of {first['people']:,} "
        f"people in {folder}"
    ]
    skipped = first["skipped"]
    if skipped:
        lines.append(f"{len(skipped):,} files were left out:")
        lines += [f"  {name}: {reason}" for name, reason in skipped]
    for kind, missing in (("genuine", "two faces"), ("impostor", "a second person")):
        if not first[kind]:
            lines.append(f"there are no {kind} pairs, for want of {missing}, so part is not known")
    fars = [far for far in first["tar_at_far"] if float(far) < 1e-2]
    lines += _table(
        ["preset", "score", "AUC", "EER %", *(f"TAR % at FAR {float(far):.0e}" for far in fars)],
        [
            [row["preset"], row["score"], _figure(row["auc"], 1, 5), _figure(row["eer"], 100, 3)]
            + [_figure(row["tar_at_far"][far], 100, 2) for far in fars]
            for row in rows
        ],
    )
    lines.append("(lower bounds of TAR; scores are counted in bins 1/2048 wide, see --json)")
    at_thresholds = [
        [row["preset"], row["score"], f"{float(promised):.0e}", f"{known['threshold']:.4f}"]
        + [_interval(known["fmr"]), _interval(known["fnmr"])]
        for row in rows
        for promised, known in row["at_threshold"].items()
    ]
    if at_thresholds:
        columns = ["preset", "score", "for FMR", "threshold", "FMR %", "FNMR %"]
        lines += ["", *_table(columns, at_thresholds)]
        lines.append("(95 % intervals as if no two pairs shared a face, so the least that is so)")
    return "\n".join(lines)


def _table(columns: list[str], rows: list[list[str]]) -> list[str]:
    lines = [columns, ["---"] * len(columns), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def _figure(entry: dict | None, scale: int, decimals: int) -> str:
    return "–" if entry is None else f"{scale * entry['value']:.{decimals}f}"


def _interval(entry: dict | None) -> str:
    if entry is None:
        return "–"
    value, low, high = (f"{100 * entry[key]:.3g}" for key in ("value", "low", "high"))
    return f"{value} ({low}–{high})"
